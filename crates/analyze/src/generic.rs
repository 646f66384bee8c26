//! Polymorphism: what anyelement, anyarray, anycompatible and their like stand for in one call.

use crate::Analyzer;
use crate::coerce::{Context, UNKNOWN};
use base::{Error, Oid, Result, err};
use catalog::rows::TypeKind;
use types::oids;

/// Whether the type stands for others.
pub(crate) fn is_polymorphic(oid: Oid) -> bool {
    is_simple(oid) || is_compatible(oid)
}

fn is_simple(oid: Oid) -> bool {
    matches!(
        oid.0,
        oids::ANYELEMENT
            | oids::ANYARRAY
            | oids::ANYNONARRAY
            | oids::ANYENUM
            | oids::ANYRANGE
            | oids::ANYMULTIRANGE
    )
}

fn is_compatible(oid: Oid) -> bool {
    matches!(
        oid.0,
        oids::ANYCOMPATIBLE
            | oids::ANYCOMPATIBLEARRAY
            | oids::ANYCOMPATIBLENONARRAY
            | oids::ANYCOMPATIBLERANGE
            | oids::ANYCOMPATIBLEMULTIRANGE
    )
}

/// Whether an argument of the type is taken as it is.
pub(crate) fn takes_anything(oid: Oid) -> bool {
    matches!(
        oid.0,
        oids::ANY
            | oids::ANYELEMENT
            | oids::ANYNONARRAY
            | oids::ANYCOMPATIBLE
            | oids::ANYCOMPATIBLENONARRAY
    )
}

/// Whether an argument of the type is taken as it is, but for domains over it.
pub(crate) fn is_container(oid: Oid) -> bool {
    is_polymorphic(oid) && !takes_anything(oid)
}

/// What one family of polymorphic types stands for.
#[derive(Clone, Copy, Default)]
struct Solution {
    element: Oid,
    array: Oid,
    range: Oid,
    multirange: Oid,
}

#[cold]
fn alike(declared: &str, a: String, b: String) -> Error {
    err!(DATATYPE_MISMATCH, "arguments declared \"{declared}\" are not all alike")
        .detail(format!("{a} versus {b}"))
}

impl Analyzer<'_, '_> {
    /// Whether the actual types agree with the declared ones.
    pub(crate) fn generic_consistent(&self, actual: &[Oid], declared: &[Oid]) -> Result<bool> {
        let solved = self.solve_simple(actual, declared).and_then(|simple| {
            self.solve_compatible(actual, declared).map(|compatible| (simple, compatible))
        });
        match solved {
            Ok(_) => Ok(true),
            Err(error) if error.sqlstate() == base::SqlState::DATATYPE_MISMATCH => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Replaces polymorphic types in `declared` where the argument needs a cast, and yields the
    /// actual result type.
    pub(crate) fn resolve_generic(
        &self,
        actual: &[Oid],
        declared: &mut [Oid],
        result: Oid,
    ) -> Result<Oid> {
        if !declared.iter().any(|oid| is_polymorphic(*oid)) {
            return Ok(result);
        }
        let simple = self.solve_simple(actual, declared)?;
        let compatible = self.solve_compatible(actual, declared)?;
        let any_simple = declared.iter().any(|oid| is_simple(*oid));
        if any_simple && !simple.element.is_valid() && !simple.range.is_valid() {
            return Err(err!(
                DATATYPE_MISMATCH,
                "could not determine polymorphic type because input has type unknown"
            ));
        }
        let resolved = self.stand_in(result, simple, compatible)?;
        for (at, slot) in declared.iter_mut().enumerate() {
            let unknown = actual.get(at) == Some(&UNKNOWN);
            if is_simple(*slot) && unknown || is_compatible(*slot) {
                *slot = self.stand_in(*slot, simple, compatible)?;
            }
        }
        Ok(resolved)
    }

    fn stand_in(&self, oid: Oid, simple: Solution, compatible: Solution) -> Result<Oid> {
        let solution = if is_simple(oid) { simple } else { compatible };
        Ok(match oid.0 {
            oids::ANYELEMENT
            | oids::ANYNONARRAY
            | oids::ANYENUM
            | oids::ANYCOMPATIBLE
            | oids::ANYCOMPATIBLENONARRAY => solution.element,
            oids::ANYARRAY | oids::ANYCOMPATIBLEARRAY => {
                if solution.array.is_valid() {
                    return Ok(solution.array);
                }
                let array = self.array_type(solution.element)?;
                if !array.is_valid() {
                    let name = self.type_name(solution.element)?;
                    return Err(err!(
                        UNDEFINED_OBJECT,
                        "could not find array type for data type {name}"
                    ));
                }
                array
            }
            oids::ANYRANGE | oids::ANYCOMPATIBLERANGE => solution.range,
            oids::ANYMULTIRANGE | oids::ANYCOMPATIBLEMULTIRANGE => {
                match self.env.catalog().range(solution.range)? {
                    Some(range) if !solution.multirange.is_valid() => range.multirange,
                    _ => solution.multirange,
                }
            }
            _ => oid,
        })
    }

    /// Sets a slot that several arguments share.
    fn unify(&self, slot: &mut Oid, oid: Oid, declared: &str) -> Result<()> {
        if slot.is_valid() && *slot != oid {
            return Err(alike(declared, self.type_name(*slot)?, self.type_name(oid)?));
        }
        *slot = oid;
        Ok(())
    }

    fn multirange_range(&self, multirange: Oid) -> Result<Option<Oid>> {
        let all = catalog::builtin::ranges().iter();
        Ok(all.filter(|range| range.multirange == multirange).map(|range| range.range).next())
    }

    fn solve_simple(&self, actual: &[Oid], declared: &[Oid]) -> Result<Solution> {
        let mut found = Solution::default();
        let (mut non_array, mut is_enum) = (false, false);
        for (&actual, &declared) in actual.iter().zip(declared) {
            match declared.0 {
                oids::ANYNONARRAY => non_array = true,
                oids::ANYENUM => is_enum = true,
                _ => {}
            }
            if actual == UNKNOWN {
                continue;
            }
            match declared.0 {
                oids::ANYELEMENT | oids::ANYNONARRAY | oids::ANYENUM => {
                    self.unify(&mut found.element, actual, "anyelement")?;
                }
                oids::ANYARRAY => {
                    self.unify(&mut found.array, self.base_type(actual)?, "anyarray")?;
                }
                oids::ANYRANGE => {
                    self.unify(&mut found.range, self.base_type(actual)?, "anyrange")?;
                }
                oids::ANYMULTIRANGE => {
                    let base = self.base_type(actual)?;
                    self.unify(&mut found.multirange, base, "anymultirange")?;
                }
                _ => {}
            }
        }
        self.relate(&mut found, "any")?;
        if found.element.is_valid() {
            if non_array && self.base_element_type(found.element)?.is_valid() {
                let name = self.type_name(found.element)?;
                return Err(err!(
                    DATATYPE_MISMATCH,
                    "type matched to anynonarray is an array type: {name}"
                ));
            }
            if is_enum && self.type_row(found.element)?.kind != TypeKind::Enum {
                let name = self.type_name(found.element)?;
                return Err(err!(
                    DATATYPE_MISMATCH,
                    "type matched to anyenum is not an enum type: {name}"
                ));
            }
        }
        Ok(found)
    }

    /// Element, array, range and multirange belong together.
    fn relate(&self, found: &mut Solution, prefix: &str) -> Result<()> {
        if found.array.is_valid() {
            let element = if found.array.0 == oids::ANYARRAY {
                // Statistics columns hold arrays of no fixed type.
                Oid(oids::ANYELEMENT)
            } else {
                self.element_type(found.array)?
            };
            if !element.is_valid() {
                let name = self.type_name(found.array)?;
                return Err(err!(
                    DATATYPE_MISMATCH,
                    "argument declared {prefix}array is not an array but type {name}"
                ));
            }
            self.consistent(&mut found.element, element, prefix, "array", "element")?;
        }
        if found.multirange.is_valid() {
            let Some(range) = self.multirange_range(found.multirange)? else {
                let name = self.type_name(found.multirange)?;
                return Err(err!(
                    DATATYPE_MISMATCH,
                    "argument declared {prefix}multirange is not a multirange type but type {name}"
                ));
            };
            self.consistent(&mut found.range, range, prefix, "multirange", "range")?;
        }
        if found.range.is_valid() {
            let Some(range) = self.env.catalog().range(found.range)? else {
                let name = self.type_name(found.range)?;
                return Err(err!(
                    DATATYPE_MISMATCH,
                    "argument declared {prefix}range is not a range type but type {name}"
                ));
            };
            self.consistent(&mut found.element, range.subtype, prefix, "range", "element")?;
        }
        Ok(())
    }

    fn consistent(
        &self,
        slot: &mut Oid,
        oid: Oid,
        prefix: &str,
        from: &str,
        to: &str,
    ) -> Result<()> {
        if slot.is_valid() && *slot != oid {
            let detail = format!("{} versus {}", self.type_name(oid)?, self.type_name(*slot)?);
            return Err(err!(
                DATATYPE_MISMATCH,
                "argument declared {prefix}{from} is not consistent with argument declared \
                 {prefix}{to}"
            )
            .detail(detail));
        }
        *slot = oid;
        Ok(())
    }

    fn solve_compatible(&self, actual: &[Oid], declared: &[Oid]) -> Result<Solution> {
        let mut found = Solution::default();
        let mut elements = Vec::new();
        let (mut any, mut non_array) = (false, false);
        for (&actual, &declared) in actual.iter().zip(declared) {
            if !is_compatible(declared) {
                continue;
            }
            any = true;
            non_array |= declared.0 == oids::ANYCOMPATIBLENONARRAY;
            if actual == UNKNOWN {
                continue;
            }
            match declared.0 {
                oids::ANYCOMPATIBLE | oids::ANYCOMPATIBLENONARRAY => elements.push(actual),
                oids::ANYCOMPATIBLEARRAY => {
                    let element = self.base_element_type(actual)?;
                    if !element.is_valid() {
                        let name = self.type_name(actual)?;
                        return Err(err!(
                            DATATYPE_MISMATCH,
                            "argument declared anycompatiblearray is not an array but type {name}"
                        ));
                    }
                    elements.push(element);
                }
                oids::ANYCOMPATIBLERANGE => {
                    let base = self.base_type(actual)?;
                    self.unify(&mut found.range, base, "anycompatiblerange")?;
                }
                _ => {
                    let base = self.base_type(actual)?;
                    self.unify(&mut found.multirange, base, "anycompatiblemultirange")?;
                }
            }
        }
        if !any {
            return Ok(found);
        }
        self.relate(&mut found, "anycompatible")?;
        if found.element.is_valid() {
            elements.push(found.element);
        }
        found.element = self.common_of(&elements)?;
        if non_array && self.base_element_type(found.element)?.is_valid() {
            let name = self.type_name(found.element)?;
            return Err(err!(
                DATATYPE_MISMATCH,
                "type matched to anycompatiblenonarray is an array type: {name}"
            ));
        }
        Ok(found)
    }

    /// The common type of types; text when there is none.
    fn common_of(&self, all: &[Oid]) -> Result<Oid> {
        let Some(&first) = all.first() else { return Ok(crate::coerce::TEXT) };
        if all.iter().all(|oid| *oid == first) {
            return Ok(first);
        }
        let mut chosen = self.base_type(first)?;
        let (category, mut preferred) = self.category(chosen)?;
        for oid in &all[1..] {
            let oid = self.base_type(*oid)?;
            if oid == chosen {
                continue;
            }
            let (its_category, its_preferred) = self.category(oid)?;
            if its_category != category {
                return Err(alike("anycompatible", self.type_name(chosen)?, self.type_name(oid)?));
            }
            if !preferred
                && self.can_coerce(chosen, oid, Context::Implicit)?
                && !self.can_coerce(oid, chosen, Context::Implicit)?
            {
                (chosen, preferred) = (oid, its_preferred);
            }
        }
        for oid in all {
            if !self.can_coerce(*oid, chosen, Context::Implicit)? {
                return Err(alike("anycompatible", self.type_name(chosen)?, self.type_name(*oid)?));
            }
        }
        Ok(chosen)
    }
}
