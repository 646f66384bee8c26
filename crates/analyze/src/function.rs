//! Which function a name and arguments mean (the manual's section 10.3).

use crate::Analyzer;
use crate::coerce::{CATEGORY_STRING, Context, Pathway, RECORD, UNKNOWN};
use crate::names::format_type;
use base::{Oid, Result, err};
use catalog::rows::{ArgMode, Proc, ProcKind, Ref};
use types::oids;

/// What a call turned out to mean.
pub(crate) enum Meaning {
    /// A function.
    Function(Match),
    /// A cast that looks like a call: `int4('1')`.
    Cast(Oid),
    /// Several candidates, none best.
    Ambiguous,
    /// Nothing.
    NotFound,
}

/// A function with what its arguments become.
#[derive(Clone)]
pub(crate) struct Match {
    pub(crate) proc: Ref<Proc>,
    /// The declared types for the call's arguments and defaults, in declaration order; the
    /// element type for each of the arguments that VARIADIC collects.
    pub(crate) args: Vec<Oid>,
    /// How many trailing arguments VARIADIC collects.
    pub(crate) variadic: usize,
    /// How many arguments have defaults.
    pub(crate) defaults: usize,
    /// For calls with names: the declared place of each given argument.
    pub(crate) order: Option<Vec<usize>>,
    place: usize,
}

impl Match {
    fn given(&self) -> usize {
        self.args.len() - self.defaults
    }

    /// The declared types in the order in which the arguments were given.
    pub(crate) fn given_types(&self) -> Vec<Oid> {
        match &self.order {
            Some(order) => order.iter().map(|at| self.args[*at]).collect(),
            None => self.args[..self.given()].to_vec(),
        }
    }
}

/// A call to look up.
pub(crate) struct Lookup<'n> {
    pub(crate) schema: Option<&'n str>,
    pub(crate) name: &'n str,
    /// The types of the arguments.
    pub(crate) actual: &'n [Oid],
    /// The names of the last arguments.
    pub(crate) names: &'n [&'n str],
    /// The last argument is not marked VARIADIC, so VARIADIC functions take loose arguments.
    pub(crate) expand_variadic: bool,
    /// Procedures are meant.
    pub(crate) procedures: bool,
}

impl Analyzer<'_, '_> {
    pub(crate) fn find_function(&self, call: &Lookup<'_>) -> Result<Meaning> {
        let candidates = self.candidates(call)?;
        let exact = candidates.iter().find(|candidate| candidate.given_types() == call.actual);
        if let Some(found) = exact {
            return Ok(Meaning::Function(found.clone()));
        }
        if call.actual.len() == 1
            && call.names.is_empty()
            && let Some(target) = self.cast_by_name(call)?
        {
            return Ok(Meaning::Cast(target));
        }
        let mut fitting = Vec::new();
        for candidate in candidates {
            let types = candidate.given_types();
            if self.can_coerce_all(call.actual, &types, Context::Implicit)? {
                fitting.push(candidate);
            }
        }
        match fitting.len() {
            0 => return Ok(Meaning::NotFound),
            1 => return Ok(Meaning::Function(fitting.remove(0))),
            _ => {}
        }
        let lists: Vec<Vec<Oid>> = fitting.iter().map(Match::given_types).collect();
        Ok(match self.select_candidate(call.actual, &lists)? {
            Some(at) => Meaning::Function(fitting.swap_remove(at)),
            None => Meaning::Ambiguous,
        })
    }

    /// The type that a call of one argument may mean a cast to.
    fn cast_by_name(&self, call: &Lookup<'_>) -> Result<Option<Oid>> {
        let Some(target) = self.env.catalog().type_named(call.schema, call.name)? else {
            return Ok(None);
        };
        if !target.defined || target.relation.is_valid() {
            return Ok(None);
        }
        let source = call.actual[0];
        if source == UNKNOWN {
            return Ok(Some(target.oid));
        }
        let path = self.pathway(target.oid, source, Context::Explicit)?;
        if !matches!(path, Pathway::Relabel | Pathway::ViaText) {
            return Ok(None);
        }
        // Of rows, `text(row)` means a column, not a cast.
        let row = source == RECORD || self.is_complex(source)?;
        Ok((!(row && target.category == CATEGORY_STRING)).then_some(target.oid))
    }

    /// The functions of the name that take that many arguments.
    fn candidates(&self, call: &Lookup<'_>) -> Result<Vec<Match>> {
        let mut found: Vec<Match> = Vec::new();
        for candidate in self.env.catalog().procs_named(call.schema, call.name)? {
            let proc = candidate.proc;
            if call.procedures != (proc.kind == ProcKind::Procedure) && call.procedures {
                continue;
            }
            let Some(new) = fit(call, proc, candidate.place) else { continue };
            let same = |old: &Match| old.given_types() == new.given_types();
            match found.iter_mut().find(|old| same(old)) {
                // The schema that is searched first wins; within one, the function that needs
                // no collecting.
                Some(old) if old.place < new.place => {}
                Some(old) if old.variadic == 0 && old.defaults <= new.defaults => {}
                Some(old) => *old = new,
                None => found.push(new),
            }
        }
        Ok(found)
    }

    /// The best of several candidates that all fit, by place in `lists`.
    pub(crate) fn select_candidate(
        &self,
        actual: &[Oid],
        lists: &[Vec<Oid>],
    ) -> Result<Option<usize>> {
        let mut base = Vec::with_capacity(actual.len());
        for oid in actual {
            base.push(if *oid == UNKNOWN { UNKNOWN } else { self.base_type(*oid)? });
        }
        let unknowns = base.iter().filter(|oid| **oid == UNKNOWN).count();
        let mut left: Vec<usize> = (0..lists.len()).collect();
        // Most exact matches.
        left = best(left, |at| {
            Ok(lists[at].iter().zip(&base).filter(|(a, b)| **b != UNKNOWN && a == b).count())
        })?;
        if let [one] = left[..] {
            return Ok(Some(one));
        }
        // Most exact matches and preferred types of the category.
        let mut categories = Vec::with_capacity(base.len());
        for oid in &base {
            categories.push(self.category(*oid)?.0);
        }
        left = best(left, |at| {
            let mut count = 0;
            for (slot, target) in lists[at].iter().enumerate() {
                if base[slot] == UNKNOWN {
                    continue;
                }
                let (category, preferred) = self.category(*target)?;
                if *target == base[slot] || preferred && category == categories[slot] {
                    count += 1;
                }
            }
            Ok(count)
        })?;
        if let [one] = left[..] {
            return Ok(Some(one));
        }
        if unknowns == 0 {
            return Ok(None);
        }
        if let Some(left) = self.by_unknown_categories(&base, lists, &mut left)? {
            return Ok(Some(left));
        }
        self.by_known_type(&base, lists, &left, unknowns)
    }

    /// Decides unknown arguments by the category that the candidates want there: string if any
    /// wants it.
    fn by_unknown_categories(
        &self,
        base: &[Oid],
        lists: &[Vec<Oid>],
        left: &mut Vec<usize>,
    ) -> Result<Option<usize>> {
        let mut wanted: Vec<Option<(u8, bool)>> = vec![None; base.len()];
        for (slot, oid) in base.iter().enumerate() {
            if *oid != UNKNOWN {
                continue;
            }
            let (mut category, mut preferred, mut conflict) = (0, false, false);
            for at in left.iter() {
                let (its, its_preferred) = self.category(lists[*at][slot])?;
                if category == 0 {
                    (category, preferred) = (its, its_preferred);
                } else if category == its {
                    preferred |= its_preferred;
                } else if its == CATEGORY_STRING {
                    (category, preferred) = (its, its_preferred);
                } else {
                    conflict |= category != CATEGORY_STRING;
                }
            }
            if category != CATEGORY_STRING && conflict {
                return Ok(None);
            }
            wanted[slot] = Some((category, preferred));
        }
        let mut kept = Vec::new();
        for at in left.iter() {
            let mut keep = true;
            for (slot, wanted) in wanted.iter().enumerate() {
                let Some((category, preferred)) = wanted else { continue };
                let (its, its_preferred) = self.category(lists[*at][slot])?;
                keep &= its == *category && (its_preferred || !preferred);
            }
            if keep {
                kept.push(*at);
            }
        }
        if !kept.is_empty() {
            *left = kept;
        }
        Ok(if let [one] = left[..] { Some(one) } else { None })
    }

    /// If all known arguments have one type, the unknown ones are assumed to have it, too.
    fn by_known_type(
        &self,
        base: &[Oid],
        lists: &[Vec<Oid>],
        left: &[usize],
        unknowns: usize,
    ) -> Result<Option<usize>> {
        if unknowns == base.len() {
            return Ok(None);
        }
        let mut known = base.iter().filter(|oid| **oid != UNKNOWN);
        let Some(&first) = known.next() else { return Ok(None) };
        if known.any(|oid| *oid != first) {
            return Ok(None);
        }
        let assumed = vec![first; base.len()];
        let mut fitting = Vec::new();
        for at in left {
            if self.can_coerce_all(&assumed, &lists[*at], Context::Implicit)? {
                fitting.push(*at);
            }
        }
        Ok(if let [one] = fitting[..] { Some(one) } else { None })
    }

    /// `f(integer, name => text)`, for messages.
    pub(crate) fn signature(&self, name: &str, actual: &[Oid], names: &[&str]) -> Result<String> {
        let positional = actual.len() - names.len();
        let mut out = format!("{name}(");
        for (at, oid) in actual.iter().enumerate() {
            if at > 0 {
                out.push_str(", ");
            }
            if at >= positional {
                out.push_str(&format!("{} => ", names[at - positional]));
            }
            out.push_str(&format_type(self.env.catalog(), *oid, -1)?);
        }
        out.push(')');
        Ok(out)
    }
}

/// Keeps the candidates with the highest score.
fn best(left: Vec<usize>, mut score: impl FnMut(usize) -> Result<usize>) -> Result<Vec<usize>> {
    let mut top = 0;
    let mut kept = Vec::new();
    for at in left {
        let its = score(at)?;
        if its > top {
            top = its;
            kept.clear();
        }
        if its == top {
            kept.push(at);
        }
    }
    Ok(kept)
}

/// Whether a function takes the call's arguments by number and name.
fn fit(call: &Lookup<'_>, proc: Ref<Proc>, place: usize) -> Option<Match> {
    let (given, declared) = (call.actual.len(), proc.args.len());
    if !call.names.is_empty() {
        return fit_names(call, proc, place);
    }
    let variadic = call.expand_variadic && proc.variadic.is_valid() && given + 1 >= declared;
    if variadic && given >= declared {
        let collected = given + 1 - declared;
        let mut args = proc.args[..declared - 1].to_vec();
        args.extend(std::iter::repeat_n(proc.variadic, collected));
        let variadic = if proc.variadic.0 == oids::ANY { 0 } else { collected };
        return Some(Match { proc, args, variadic, defaults: 0, order: None, place });
    }
    if given > declared {
        return None;
    }
    let missing = declared - given;
    if missing > usize::try_from(proc.default_count).unwrap_or(0) {
        return None;
    }
    // A call that leaves the VARIADIC argument out is no call of it, unless it has a default.
    let args = proc.args.to_vec();
    Some(Match { proc, args, variadic: 0, defaults: missing, order: None, place })
}

/// Matches arguments by name.
fn fit_names(call: &Lookup<'_>, proc: Ref<Proc>, place: usize) -> Option<Match> {
    let (given, declared) = (call.actual.len(), proc.args.len());
    let positional = given - call.names.len();
    if given > declared || call.expand_variadic && proc.variadic.is_valid() {
        return None;
    }
    let names = proc.arg_names.as_ref()?;
    let is_input = |at: usize| match &proc.arg_modes {
        Some(modes) => {
            matches!(modes.get(at), Some(ArgMode::In | ArgMode::InOut | ArgMode::Variadic))
        }
        None => true,
    };
    let inputs: Vec<&str> =
        names.iter().enumerate().filter(|(at, _)| is_input(*at)).map(|(_, n)| &**n).collect();
    let mut order: Vec<usize> = (0..positional).collect();
    for name in call.names {
        let at = inputs.iter().position(|input| input == name)?;
        if order.contains(&at) {
            return None;
        }
        order.push(at);
    }
    let without_default = declared - usize::try_from(proc.default_count).unwrap_or(0);
    if (0..without_default).any(|at| !order.contains(&at)) {
        return None;
    }
    let args = proc.args.to_vec();
    let defaults = declared - given;
    Some(Match { proc, args, variadic: 0, defaults, order: Some(order), place })
}

/// A name of one or two parts.
pub(crate) fn split_name<'n>(name: &[&'n str]) -> Result<(Option<&'n str>, &'n str)> {
    match *name {
        [name] => Ok((None, name)),
        [schema, name] => Ok((Some(schema), name)),
        // The database; it has to be this one, which the caller cannot tell apart here.
        [_, schema, name] => Ok((Some(schema), name)),
        _ => Err(err!(
            SYNTAX_ERROR,
            "improper qualified name (too many dotted names): {}",
            name.join(".")
        )),
    }
}
