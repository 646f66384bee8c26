//! The names that a query's ranges and columns get.
//!
//! Rules
//! 1. Names of ranges differ from each other and from those of all outer queries: `_1`, `_2`, …
//!    is added where they would not.
//! 2. A column merged by USING has one name everywhere: in its join and on both sides.
//! 3. Columns of a range differ from each other; those that are not called what they are called by
//!    themselves make the range show a list of column aliases.

use analyze::Environment;
use analyze::tree::{
    ColumnUse, Expr, ExprKind, FromItem, Json, JsonKind, Query, RangeId, RangeKind,
};
use base::{Oid, Result};
use std::collections::{HashMap, HashSet};
use std::rc::Rc;

/// The names of one range.
#[derive(Default, Debug)]
pub(crate) struct RangeNames {
    /// The name of the range; none for a join without alias.
    pub(crate) name: Option<String>,
    /// The names by attribute number - 1; dropped columns have none.
    pub(crate) columns: Vec<Option<String>>,
    /// Whether FROM shows a list of column aliases.
    pub(crate) print_aliases: bool,
    /// The names of the columns of USING.
    pub(crate) using: Vec<String>,
    parent_using: Vec<String>,
}

/// What names mean in one query.
#[derive(Default, Debug)]
pub(crate) struct Scope {
    pub(crate) ranges: Vec<RangeNames>,
    /// Columns that are seen only as columns of a join with an alias, innermost join first.
    pub(crate) behind: HashMap<(RangeId, i16), Vec<(RangeId, i16)>>,
    unique_using: bool,
    using_names: Vec<String>,
}

/// Both sides of a column that USING merged, if they are plain columns.
fn sides(on: Option<&Expr<'_>>, count: usize) -> Vec<[Option<ColumnUse>; 2]> {
    let Some(on) = on else { return Vec::new() };
    let parts = match on.kind {
        ExprKind::And(parts) if count > 1 => parts,
        _ => std::slice::from_ref(on),
    };
    let side = |part: &Expr<'_>, at: usize| match part.kind {
        ExprKind::Operator { args, .. } => args.get(at).and_then(|arg| column_under_casts(arg)),
        _ => None,
    };
    parts.iter().map(|part| [side(part, 0), side(part, 1)]).collect()
}

fn column_under_casts(expr: &Expr<'_>) -> Option<ColumnUse> {
    match &expr.kind {
        ExprKind::Column(column) => Some(*column),
        ExprKind::Relabel { arg, .. }
        | ExprKind::ViaText { arg, .. }
        | ExprKind::Domain { arg, .. } => column_under_casts(arg),
        ExprKind::Function { args: [arg, ..], .. } => column_under_casts(arg),
        _ => None,
    }
}

impl Scope {
    /// The names of a query inside of others.
    pub(crate) fn of_query(
        environment: &dyn Environment,
        query: &Query<'_>,
        outer: &[Rc<Scope>],
    ) -> Result<Scope> {
        let mut scope = Scope::default();
        scope.name_ranges(environment, query, outer)?;
        scope.unique_using = query.from.iter().any(|item| dangerous_using(query, item));
        for item in query.from {
            scope.name_using(query, item, &[]);
        }
        for at in 0..query.ranges.len() {
            if !matches!(query.ranges[at].kind, RangeKind::Join { .. }) {
                scope.name_columns(environment, query, at)?;
            }
        }
        for at in 0..query.ranges.len() {
            if matches!(query.ranges[at].kind, RangeKind::Join { .. }) {
                scope.name_join(query, at);
            }
        }
        Ok(scope)
    }

    /// The scope of a query of a plan, whose ranges have names already; joins are gone.
    pub(crate) fn of_plan(
        environment: &dyn Environment,
        query: &Query<'_>,
        names: Vec<Option<String>>,
    ) -> Result<Scope> {
        let name = |name| RangeNames { name, ..RangeNames::default() };
        let ranges = names.into_iter().map(name).collect();
        let mut scope = Scope { ranges, ..Scope::default() };
        for at in 0..query.ranges.len() {
            if !matches!(query.ranges[at].kind, RangeKind::Join { .. }) {
                scope.name_columns(environment, query, at)?;
            }
        }
        Ok(scope)
    }

    /// The scope of one relation under its own name.
    pub(crate) fn of_relation(environment: &dyn Environment, relation: Oid) -> Result<Scope> {
        let relation = environment.catalog().relation(relation)?;
        let name =
            |column: &catalog::relation::Column| (!column.dropped).then(|| column.name.clone());
        let names = RangeNames {
            name: Some(relation.name.clone()),
            columns: relation.columns.iter().map(name).collect(),
            ..RangeNames::default()
        };
        Ok(Scope { ranges: vec![names], ..Scope::default() })
    }

    fn name_ranges(
        &mut self,
        environment: &dyn Environment,
        query: &Query<'_>,
        outer: &[Rc<Scope>],
    ) -> Result<()> {
        let mut counters: HashMap<String, u32> = HashMap::new();
        for names in outer.iter().flat_map(|scope| &scope.ranges) {
            if let Some(name) = &names.name {
                counters.insert(name.clone(), 0);
            }
        }
        for range in query.ranges {
            let name = match range.kind {
                _ if range.alias_given => Some(range.alias.to_owned()),
                RangeKind::Join { .. } => None,
                _ => match relation_of(&range.kind) {
                    Some(oid) => Some(environment.catalog().relation(oid)?.name.clone()),
                    None => Some(range.alias.to_owned()),
                },
            };
            let name = name.map(|name| unique_range(&mut counters, name));
            self.ranges.push(RangeNames { name, ..RangeNames::default() });
        }
        Ok(())
    }

    /// Rule 2, from the outermost join inwards.
    fn name_using(&mut self, query: &Query<'_>, item: &FromItem<'_>, parents: &[String]) {
        let FromItem::Join { left, right, on, range, using, .. } = item else { return };
        let mut parents = parents.to_vec();
        let both = sides(*on, using.len());
        let at = range.0 as usize;
        if let Some(names) = self.ranges.get_mut(at) {
            names.columns.resize(names.columns.len().max(using.len()), None);
        }
        for (place, column) in using.iter().enumerate() {
            let given = self.column_name(at, place);
            let name = match given {
                Some(name) => name,
                None => {
                    let wanted = query.ranges.get(at).filter(|range| range.alias_given);
                    let wanted = wanted.and_then(|range| range.columns.get(place).copied());
                    let name = self.unique_column(at, wanted.unwrap_or(column));
                    if self.unique_using {
                        self.using_names.push(name.clone());
                    }
                    name
                }
            };
            if let Some(names) = self.ranges.get_mut(at) {
                names.columns[place] = Some(name.clone());
                names.using.push(name.clone());
            }
            parents.push(name.clone());
            for side in both.get(place).into_iter().flatten().flatten() {
                self.push_name(*side, &name);
            }
        }
        for side in [left, right] {
            self.set_parents(side, &parents);
            self.name_using(query, side, &parents);
        }
    }

    fn set_parents(&mut self, item: &FromItem<'_>, parents: &[String]) {
        let range = match item {
            FromItem::Range(range) | FromItem::Join { range, .. } => range,
        };
        if let Some(names) = self.ranges.get_mut(range.0 as usize) {
            names.parent_using = parents.to_vec();
        }
    }

    fn push_name(&mut self, column: ColumnUse, name: &str) {
        let Ok(place) = usize::try_from(column.attribute - 1) else { return };
        let Some(names) = self.ranges.get_mut(column.range.0 as usize) else { return };
        if names.columns.len() <= place {
            names.columns.resize(place + 1, None);
        }
        names.columns[place] = Some(name.to_owned());
    }

    fn column_name(&self, range: usize, place: usize) -> Option<String> {
        self.ranges.get(range)?.columns.get(place)?.clone()
    }

    /// Rule 3.
    fn unique_column(&self, range: usize, name: &str) -> String {
        let names = self.ranges.get(range);
        let taken: HashSet<&str> = names
            .into_iter()
            .flat_map(|names| names.columns.iter().flatten().chain(&names.parent_using))
            .chain(&self.using_names)
            .map(String::as_str)
            .collect();
        if !taken.contains(name) {
            return name.to_owned();
        }
        (1u32..).map(|n| format!("{name}_{n}")).find(|n| !taken.contains(&**n)).unwrap_or_default()
    }

    fn name_columns(
        &mut self,
        environment: &dyn Environment,
        query: &Query<'_>,
        at: usize,
    ) -> Result<()> {
        let range = &query.ranges[at];
        let relation = relation_of(&range.kind);
        let own: Vec<Option<String>> = match relation {
            Some(oid) => {
                let relation = environment.catalog().relation(oid)?;
                let name = |column: &catalog::relation::Column| {
                    (!column.dropped).then(|| column.name.clone())
                };
                relation.columns.iter().map(name).collect()
            }
            None => own_columns(query, range),
        };
        let mut changed = false;
        for (place, real) in own.iter().enumerate() {
            let Some(real) = real else { continue };
            let name = match self.column_name(at, place) {
                Some(name) => name,
                None => {
                    let aliased = relation.is_none() || place < usize::from(range.aliased);
                    let alias = range.columns.get(place).filter(|_| aliased);
                    let wanted = alias.filter(|alias| !alias.is_empty()).copied().unwrap_or(real);
                    self.unique_column(at, wanted)
                }
            };
            changed |= name != *real;
            let names = &mut self.ranges[at].columns;
            names.resize(names.len().max(place + 1), None);
            names[place] = Some(name);
        }
        let names = &mut self.ranges[at].columns;
        names.resize(names.len().max(own.len()), None);
        self.ranges[at].print_aliases = match range.kind {
            RangeKind::Functions { .. } if !is_json_table(&range.kind) => true,
            RangeKind::Relation { .. } => changed,
            _ => changed || range.aliased > 0,
        };
        Ok(())
    }

    fn name_join(&mut self, query: &Query<'_>, at: usize) {
        let range = &query.ranges[at];
        let RangeKind::Join { columns, .. } = range.kind else { return };
        let id = RangeId(u32::try_from(at).unwrap_or(u32::MAX));
        let mut changed = false;
        for (place, value) in columns.iter().enumerate() {
            let real = match value.kind {
                ExprKind::Column(column) => usize::try_from(column.attribute - 1)
                    .ok()
                    .and_then(|place| self.column_name(column.range.0 as usize, place)),
                _ => self.column_name(at, place),
            };
            let name = if range.alias_given {
                let wanted = range.columns.get(place).copied();
                let given = self.column_name(at, place);
                Some(given.unwrap_or_else(|| {
                    self.unique_column(at, wanted.or(real.as_deref()).unwrap_or("?column?"))
                }))
            } else {
                self.column_name(at, place).or_else(|| real.clone())
            };
            changed |= range.alias_given && name != real;
            let names = &mut self.ranges[at].columns;
            names.resize(names.len().max(place + 1), None);
            names[place] = name;
            if range.alias_given
                && let ExprKind::Column(column) = value.kind
                && column.levels_up == 0
            {
                let attribute = i16::try_from(place + 1).unwrap_or(i16::MAX);
                let key = (column.range, column.attribute);
                self.behind.entry(key).or_default().push((id, attribute));
            }
        }
        self.ranges[at].print_aliases = changed;
    }
}

/// The relation that a range stands for, views included.
pub(crate) fn relation_of(kind: &RangeKind<'_>) -> Option<Oid> {
    match *kind {
        RangeKind::Relation { relation, .. } | RangeKind::Excluded { relation } => Some(relation),
        RangeKind::Subquery { view, .. } if view.is_valid() => Some(view),
        _ => None,
    }
}

/// What the columns of a range that is no relation are called without aliases.
fn own_columns(query: &Query<'_>, range: &analyze::tree::Range<'_>) -> Vec<Option<String>> {
    let given = |name: &&str| (!name.is_empty()).then(|| (*name).to_owned());
    match range.kind {
        RangeKind::Subquery { query: inner, .. } => {
            let targets = match inner.command {
                analyze::tree::Command::Select => inner.targets,
                _ => inner.returning,
            };
            let visible = targets.iter().filter(|target| !target.junk);
            visible.map(|target| Some(target.name.to_owned())).collect()
        }
        RangeKind::Values(rows) => {
            let count = rows.first().map_or(0, |row| row.len());
            (1..=count).map(|n| Some(format!("column{n}"))).collect()
        }
        RangeKind::Cte(cte) if cte.levels_up == 0 => match query.ctes.get(cte.index as usize) {
            Some(found) => found.columns.iter().map(given).collect(),
            None => range.columns.iter().map(given).collect(),
        },
        _ => range.columns.iter().map(given).collect(),
    }
}

/// Rule 1.
pub(crate) fn unique_range(counters: &mut HashMap<String, u32>, name: String) -> String {
    let Some(counter) = counters.get(&name).copied() else {
        counters.insert(name.clone(), 0);
        return name;
    };
    let free = (counter + 1..).map(|n| (n, format!("{name}_{n}")));
    let found = free.into_iter().find(|(_, made)| !counters.contains_key(made));
    let Some((number, made)) = found else { return name };
    counters.insert(name, number);
    counters.insert(made.clone(), 0);
    made
}

/// Whether a join without alias merges columns into something that is no column of either side:
/// then the merged name stands alone and must be the only one.
fn dangerous_using(query: &Query<'_>, item: &FromItem<'_>) -> bool {
    let FromItem::Join { left, right, range, using, .. } = item else { return false };
    let made = query.ranges.get(range.0 as usize).is_some_and(|join| match join.kind {
        RangeKind::Join { columns, .. } if !join.alias_given => columns
            .iter()
            .take(using.len())
            .any(|column| !matches!(column.kind, ExprKind::Column(_))),
        _ => false,
    });
    made || dangerous_using(query, left) || dangerous_using(query, right)
}

/// Whether a range is JSON_TABLE, which says the names of its columns itself.
pub(crate) fn is_json_table(kind: &RangeKind<'_>) -> bool {
    match kind {
        RangeKind::Functions { functions: [only], .. } => {
            matches!(only.call.kind, ExprKind::Json(Json { kind: JsonKind::Table(_), .. }))
        }
        _ => false,
    }
}
