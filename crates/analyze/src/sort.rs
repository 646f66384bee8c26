//! The operators that sort and group values of a type.

use crate::Analyzer;
use crate::tree::{Expr, SortKey};
use base::{Oid, Result, err};
use catalog::rows::TypeKind;
use parse::{Location, SortBy, SortDirection, SortNulls};
use types::oids;

const BTREE: Oid = Oid(403);
const HASH: Oid = Oid(405);

/// The operators of a type's default order.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SortOperators {
    pub(crate) less: Oid,
    pub(crate) equal: Oid,
    pub(crate) greater: Oid,
}

impl<'q> Analyzer<'q, '_> {
    /// The default operator class of an access method for a type: of the type itself, of one that
    /// it is binary-compatible with, or of the polymorphic type that it belongs to.
    pub(crate) fn default_class(&self, method: Oid, oid: Oid) -> Result<Option<(Oid, Oid)>> {
        let catalog = self.env.catalog();
        let base = self.base_type(oid)?;
        if let Some(class) = catalog.default_opclass(method, base)? {
            return Ok(Some((class.family, class.input_type)));
        }
        let row = self.type_row(base)?;
        let stand_in = match row.kind {
            _ if row.is_true_array() => oids::ANYARRAY,
            TypeKind::Enum => oids::ANYENUM,
            TypeKind::Composite => oids::RECORD,
            TypeKind::Range => oids::ANYRANGE,
            TypeKind::Multirange => oids::ANYMULTIRANGE,
            _ => 0,
        };
        if stand_in != 0
            && let Some(class) = catalog.default_opclass(method, Oid(stand_in))?
        {
            return Ok(Some((class.family, class.input_type)));
        }
        let (category, _) = self.category(base)?;
        let mut found = None;
        for class in catalog.opclasses_of(method)? {
            if !class.default {
                continue;
            }
            let Some(cast) = catalog.cast(base, class.input_type)? else { continue };
            let binary = cast.method == catalog::rows::CastMethod::Binary
                && cast.context == catalog::rows::CastContext::Implicit;
            if !binary {
                continue;
            }
            let (its, preferred) = self.category(class.input_type)?;
            if preferred && its == category {
                return Ok(Some((class.family, class.input_type)));
            }
            found.get_or_insert((class.family, class.input_type));
        }
        Ok(found)
    }

    pub(crate) fn find_sort_operators(&self, oid: Oid) -> Result<Option<SortOperators>> {
        let row = self.type_row(self.base_type(oid)?)?;
        if row.is_true_array()
            && row.oid.0 != oids::ANYARRAY
            && self.find_sort_operators(row.element)?.is_none()
        {
            return Ok(None);
        }
        let Some((family, input)) = self.default_class(BTREE, oid)? else { return Ok(None) };
        let operator =
            |strategy| self.env.catalog().family_operator(family, input, input, strategy);
        Ok(match (operator(1)?, operator(3)?, operator(5)?) {
            (Some(less), Some(equal), Some(greater)) => {
                Some(SortOperators { less, equal, greater })
            }
            _ => None,
        })
    }

    /// Whether values of a type, and the elements of an array, can be hashed.
    pub(crate) fn is_hashable(&self, oid: Oid) -> Result<bool> {
        let row = self.type_row(self.base_type(oid)?)?;
        if row.is_true_array() && row.oid.0 != oids::ANYARRAY {
            return self.is_hashable(row.element);
        }
        Ok(self.default_class(HASH, oid)?.is_some())
    }

    pub(crate) fn sort_operators(&self, oid: Oid, location: Location) -> Result<SortOperators> {
        if let Some(found) = self.find_sort_operators(oid)? {
            return Ok(found);
        }
        let name = self.type_name(oid)?;
        let error =
            err!(UNDEFINED_FUNCTION, "could not identify an ordering operator for type {name}")
                .hint("Use an explicit ordering operator or modify the query.");
        Err(self.at(error, location))
    }

    /// The operators to group by: an order if there is one, else at least an equality.
    pub(crate) fn group_operators(&self, oid: Oid, location: Location) -> Result<SortOperators> {
        if let Some(found) = self.find_sort_operators(oid)? {
            return Ok(found);
        }
        if let Some((family, input)) = self.default_class(HASH, oid)?
            && let Some(equal) = self.env.catalog().family_operator(family, input, input, 1)?
        {
            return Ok(SortOperators { less: Oid::INVALID, equal, greater: Oid::INVALID });
        }
        let name = self.type_name(oid)?;
        let error =
            err!(UNDEFINED_FUNCTION, "could not identify an equality operator for type {name}");
        Err(self.at(error, location))
    }

    /// The key that groups by a value.
    pub(crate) fn group_key(
        &self,
        target: usize,
        expr: &Expr<'q>,
        location: Location,
    ) -> Result<SortKey> {
        let operators = self.group_operators(expr.ty.oid, location)?;
        Ok(SortKey {
            target: u32::try_from(target).unwrap_or(u32::MAX),
            sort_operator: operators.less,
            equal_operator: operators.equal,
            descending: false,
            nulls_first: false,
        })
    }

    /// The key of an ORDER BY item over a value.
    pub(crate) fn sort_key(
        &self,
        target: usize,
        expr: &Expr<'q>,
        item: &SortBy<'_>,
        location: Location,
    ) -> Result<SortKey> {
        let oid = expr.ty.oid;
        let (sort_operator, equal_operator, descending) = match item.direction {
            SortDirection::Default | SortDirection::Ascending => {
                let operators = self.sort_operators(oid, location)?;
                (operators.less, operators.equal, false)
            }
            SortDirection::Descending => {
                let operators = self.sort_operators(oid, location)?;
                (operators.greater, operators.equal, true)
            }
            SortDirection::Using(name) => self.using_operator(name, oid, item.location)?,
        };
        let nulls_first = match item.nulls {
            SortNulls::Default => descending,
            SortNulls::First => true,
            SortNulls::Last => false,
        };
        let target = u32::try_from(target).unwrap_or(u32::MAX);
        Ok(SortKey { target, sort_operator, equal_operator, descending, nulls_first })
    }

    /// ORDER BY … USING operator.
    fn using_operator(
        &self,
        name: &[&str],
        oid: Oid,
        location: Location,
    ) -> Result<(Oid, Oid, bool)> {
        let operator = self.find_operator(name, oid, oid, location)?;
        let families = self.env.catalog().operator_families(operator.oid)?;
        for member in families.iter().filter(|member| member.method == BTREE) {
            let descending = match member.strategy {
                1 => false,
                5 => true,
                _ => continue,
            };
            let equal =
                self.env.catalog().family_operator(member.family, member.left, member.right, 3)?;
            if let Some(equal) = equal {
                return Ok((operator.oid, equal, descending));
            }
        }
        let shown = name.join(".");
        let error = err!(WRONG_OBJECT_TYPE, "operator {shown} is not a valid ordering operator")
            .hint("Ordering operators must be \"<\" or \">\" members of btree operator families.");
        Err(self.at(error, location))
    }
}
