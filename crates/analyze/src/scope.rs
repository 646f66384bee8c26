//! What names mean at one query level, and how columns are found.
//!
//! A [`Level`] belongs to one query; `parent` is the level around it. Its namespace lists what may
//! be referred to at the present point of the query; items come and go while FROM is analysed.

use crate::tree::{
    ColumnUse, Expr, ExprKind, Query, Range, RangeId, RangeKind, ReturningRow, SystemColumn, Type,
};
use crate::{Analyzer, byte_of};
use base::{Error, Oid, Result, err};
use parse::Location;
use std::cell::{Cell, RefCell};
use types::oids;

/// The part of a query that an expression stands in: decides what is allowed there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Clause {
    Other,
    SelectTarget,
    UpdateSource,
    Where,
    Filter,
    Having,
    JoinOn,
    FromFunction,
    FromSubselect,
    GroupBy,
    OrderBy,
    DistinctOn,
    Limit,
    Offset,
    CycleMark,
    Returning,
    Values,
    ValuesSingle,
    WindowPartition,
    WindowOrder,
    WindowFrame(&'static str),
    MergeWhen,
    Default,
    Check,
    IndexExpression,
    IndexPredicate,
    Generated,
    PartitionKey,
    PartitionBound,
    AlterUsing,
    ExecuteParameter,
    TriggerWhen,
    Policy,
    CallArgument,
    CopyWhere,
}

impl Clause {
    /// How messages name the place, where something is not allowed in it.
    pub(crate) fn describe(self) -> &'static str {
        match self {
            Clause::Other => "this context",
            Clause::SelectTarget => "SELECT",
            Clause::UpdateSource => "UPDATE",
            Clause::Where => "WHERE",
            Clause::Filter => "FILTER",
            Clause::Having => "HAVING",
            Clause::JoinOn => "JOIN conditions",
            Clause::FromFunction => "functions in FROM",
            Clause::FromSubselect => "FROM clause of their own query level",
            Clause::GroupBy => "GROUP BY",
            Clause::OrderBy => "ORDER BY",
            Clause::DistinctOn => "DISTINCT ON",
            Clause::Limit => "LIMIT",
            Clause::Offset => "OFFSET",
            Clause::CycleMark => "CYCLE",
            Clause::Returning => "RETURNING",
            Clause::Values | Clause::ValuesSingle => "VALUES",
            Clause::WindowPartition | Clause::WindowOrder => "window definitions",
            Clause::WindowFrame(what) => what,
            Clause::MergeWhen => "MERGE WHEN conditions",
            Clause::Default => "DEFAULT expressions",
            Clause::Check => "check constraints",
            Clause::IndexExpression => "index expressions",
            Clause::IndexPredicate => "index predicates",
            Clause::Generated => "column generation expressions",
            Clause::PartitionKey => "partition key expressions",
            Clause::PartitionBound => "partition bound",
            Clause::AlterUsing => "transform expressions",
            Clause::ExecuteParameter => "EXECUTE parameters",
            Clause::TriggerWhen => "trigger WHEN conditions",
            Clause::Policy => "policy expressions",
            Clause::CallArgument => "CALL arguments",
            Clause::CopyWhere => "COPY FROM WHERE conditions",
        }
    }

    /// The message for a subquery, where none may stand.
    pub(crate) fn no_subquery(self) -> Option<&'static str> {
        Some(match self {
            Clause::Default => "cannot use subquery in DEFAULT expression",
            Clause::Check => "cannot use subquery in check constraint",
            Clause::IndexExpression => "cannot use subquery in index expression",
            Clause::IndexPredicate => "cannot use subquery in index predicate",
            Clause::Generated => "cannot use subquery in column generation expression",
            Clause::PartitionKey => "cannot use subquery in partition key expression",
            Clause::PartitionBound => "cannot use subquery in partition bound",
            Clause::AlterUsing => "cannot use subquery in transform expression",
            Clause::ExecuteParameter => "cannot use subquery in EXECUTE parameter",
            Clause::TriggerWhen => "cannot use subquery in trigger WHEN condition",
            Clause::CallArgument => "cannot use subquery in CALL argument",
            Clause::CopyWhere => "cannot use subquery in COPY FROM WHERE condition",
            _ => return None,
        })
    }

    /// Whether aggregates of the level may stand here.
    pub(crate) fn allows_aggregates(self) -> bool {
        matches!(
            self,
            Clause::SelectTarget
                | Clause::Having
                | Clause::OrderBy
                | Clause::DistinctOn
                | Clause::WindowPartition
                | Clause::WindowOrder
        )
    }

    /// Whether window functions may stand here.
    pub(crate) fn allows_windows(self) -> bool {
        matches!(self, Clause::SelectTarget | Clause::OrderBy | Clause::DistinctOn)
    }

    /// Whether set-returning functions may stand here.
    pub(crate) fn allows_sets(self) -> bool {
        matches!(
            self,
            Clause::SelectTarget
                | Clause::GroupBy
                | Clause::OrderBy
                | Clause::DistinctOn
                | Clause::WindowPartition
                | Clause::WindowOrder
                | Clause::FromFunction
                | Clause::ValuesSingle
        )
    }
}

/// A column that can be referred to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Column<'q> {
    /// The name; empty for dropped columns.
    pub(crate) name: &'q str,
    pub(crate) target: ColumnUse,
    pub(crate) ty: Type,
}

/// A name in FROM (or a target relation) that can be referred to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Item<'q> {
    pub(crate) range: RangeId,
    pub(crate) alias: &'q str,
    /// The relation, if it may be referred to with its schema.
    pub(crate) relation: Oid,
    pub(crate) columns: &'q [Column<'q>],
    /// How many of the last columns `*` leaves out.
    pub(crate) beyond_star: usize,
    /// `alias.column` finds it.
    pub(crate) rel_visible: bool,
    /// `column` finds its columns.
    pub(crate) cols_visible: bool,
    /// Only LATERAL items may refer to it at present.
    pub(crate) lateral_only: bool,
    /// They may; otherwise it is an error (the wrong side of an outer join).
    pub(crate) lateral_ok: bool,
    pub(crate) returning: ReturningRow,
}

/// A WITH query that can be referred to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CteEntry<'q> {
    pub(crate) name: &'q str,
    pub(crate) columns: &'q [&'q str],
    pub(crate) types: &'q [Type],
    /// The query, when it is analysed.
    pub(crate) query: Option<&'q Query<'q>>,
    pub(crate) index: u32,
    pub(crate) uses: u32,
    /// How many of the columns SEARCH and CYCLE add; they come last.
    pub(crate) added: usize,
    /// Being analysed at present: a reference is one of the recursive term to itself.
    pub(crate) in_progress: bool,
    /// It modifies data and has no RETURNING.
    pub(crate) without_rows: bool,
}

/// One query level.
pub(crate) struct Level<'q, 'l> {
    pub(crate) parent: Option<&'l Level<'q, 'l>>,
    pub(crate) ranges: RefCell<Vec<Range<'q>>>,
    /// The attributes of each range that are read.
    pub(crate) selected: RefCell<Vec<Vec<i16>>>,
    pub(crate) namespace: RefCell<Vec<Item<'q>>>,
    pub(crate) ctes: RefCell<Vec<CteEntry<'q>>>,
    /// WITH queries that stand further right: for a hint.
    pub(crate) future_ctes: RefCell<Vec<&'q str>>,
    pub(crate) clause: Cell<Clause>,
    /// The statement locks the rows it reads, so relations are locked ROW SHARE.
    pub(crate) locks_rows: Cell<bool>,
    pub(crate) lateral_active: Cell<bool>,
    pub(crate) has_aggregates: Cell<bool>,
    pub(crate) has_windows: Cell<bool>,
    pub(crate) has_target_sets: Cell<bool>,
    pub(crate) has_sublinks: Cell<bool>,
    pub(crate) has_modifying_cte: Cell<bool>,
    /// The WINDOW clause and the windows of OVER, as written or as found equal.
    pub(crate) windows: RefCell<Vec<crate::window::Pending<'q>>>,
    /// What `VALUE` means in the CHECK of a domain.
    pub(crate) domain_value: Cell<Option<Type>>,
    /// The arguments of each GROUPING, which become indices when GROUP BY is known.
    pub(crate) groupings: RefCell<Vec<Vec<Expr<'q>>>>,
    /// The target of MERGE, while its RETURNING is analysed.
    pub(crate) merge_target: Cell<Option<RangeId>>,
}

impl<'q, 'l> Level<'q, 'l> {
    pub(crate) fn new(parent: Option<&'l Level<'q, 'l>>) -> Level<'q, 'l> {
        Level {
            parent,
            ranges: RefCell::default(),
            selected: RefCell::default(),
            namespace: RefCell::default(),
            ctes: RefCell::default(),
            future_ctes: RefCell::default(),
            clause: Cell::new(Clause::Other),
            locks_rows: Cell::new(false),
            lateral_active: Cell::new(false),
            has_aggregates: Cell::new(false),
            has_windows: Cell::new(false),
            has_target_sets: Cell::new(false),
            has_sublinks: Cell::new(false),
            has_modifying_cte: Cell::new(false),
            windows: RefCell::default(),
            domain_value: Cell::new(None),
            groupings: RefCell::default(),
            merge_target: Cell::new(None),
        }
    }

    /// Adds a range.
    pub(crate) fn add_range(&self, range: Range<'q>) -> RangeId {
        let mut ranges = self.ranges.borrow_mut();
        ranges.push(range);
        self.selected.borrow_mut().push(Vec::new());
        RangeId(u32::try_from(ranges.len() - 1).unwrap_or(u32::MAX))
    }

    pub(crate) fn range(&self, id: RangeId) -> Range<'q> {
        self.ranges.borrow()[id.0 as usize]
    }

    /// This level and those around it, innermost first.
    pub(crate) fn levels(&self) -> impl Iterator<Item = &Level<'q, 'l>> {
        std::iter::successors(Some(self), |level| level.parent)
    }

    /// Notes that a column is read.
    pub(crate) fn note_use(&self, target: ColumnUse) {
        let Some(level) = self.levels().nth(usize::from(target.levels_up)) else { return };
        if let Some(selected) = level.selected.borrow_mut().get_mut(target.range.0 as usize)
            && !selected.contains(&target.attribute)
        {
            selected.push(target.attribute);
        }
    }
}

/// The attribute number and type of a system column.
pub(crate) fn system_column(name: &str) -> Option<(i16, Oid)> {
    Some(match name {
        "ctid" => (SystemColumn::Ctid as i16, Oid(oids::TID)),
        "xmin" => (SystemColumn::Xmin as i16, Oid(oids::XID)),
        "cmin" => (SystemColumn::Cmin as i16, Oid(oids::CID)),
        "xmax" => (SystemColumn::Xmax as i16, Oid(oids::XID)),
        "cmax" => (SystemColumn::Cmax as i16, Oid(oids::CID)),
        "tableoid" => (SystemColumn::TableOid as i16, Oid(oids::OID)),
        _ => return None,
    })
}

impl<'q> Analyzer<'q, '_> {
    /// The column of a name in one item, its levels not yet counted.
    fn column_of(
        &self,
        level: &Level<'q, '_>,
        item: &Item<'q>,
        name: &str,
        location: Location,
    ) -> Result<Option<(ColumnUse, Type)>> {
        let mut found = None;
        for column in item.columns {
            if column.name != name || column.name.is_empty() {
                continue;
            }
            if found.is_some() {
                return Err(self.ambiguous_column(name, location));
            }
            found = Some((column.target, column.ty));
        }
        if found.is_some() {
            return Ok(found);
        }
        let kind = level.range(item.range).kind;
        if let (RangeKind::Relation { .. }, Some((attribute, oid))) = (kind, system_column(name)) {
            let target =
                ColumnUse { range: item.range, attribute, levels_up: 0, returning: item.returning };
            return Ok(Some((target, Type::plain(oid))));
        }
        Ok(None)
    }

    #[cold]
    fn ambiguous_column(&self, name: &str, location: Location) -> Error {
        let error = err!(AMBIGUOUS_COLUMN, "column reference \"{name}\" is ambiguous");
        self.at(error, location)
    }

    #[cold]
    fn not_lateral(&self, item: &Item<'q>, location: Location) -> Error {
        let error = err!(
            INVALID_COLUMN_REFERENCE,
            "invalid reference to FROM-clause entry for table \"{}\"",
            item.alias
        )
        .detail("The combining JOIN type must be INNER or LEFT for a LATERAL reference.");
        self.at(error, location)
    }

    pub(crate) fn column_expr(
        &self,
        level: &Level<'q, '_>,
        mut target: ColumnUse,
        levels_up: u16,
        ty: Type,
        location: Location,
    ) -> Expr<'q> {
        target.levels_up = levels_up;
        level.note_use(target);
        Expr { kind: ExprKind::Column(target), ty, at: byte_of(location) }
    }

    /// The column that a name without qualification means.
    pub(crate) fn find_column(
        &self,
        level: &Level<'q, '_>,
        name: &str,
        location: Location,
    ) -> Result<Option<Expr<'q>>> {
        for (levels_up, outer) in level.levels().enumerate() {
            let mut found: Option<(ColumnUse, Type)> = None;
            let namespace = outer.namespace.borrow().clone();
            for item in &namespace {
                if !item.cols_visible || item.lateral_only && !outer.lateral_active.get() {
                    continue;
                }
                let Some(hit) = self.column_of(outer, item, name, location)? else { continue };
                if found.is_some() {
                    return Err(self.ambiguous_column(name, location));
                }
                if item.lateral_only && !item.lateral_ok {
                    return Err(self.not_lateral(item, location));
                }
                found = Some(hit);
            }
            if let Some((target, ty)) = found {
                let levels_up = u16::try_from(levels_up).unwrap_or(u16::MAX);
                return Ok(Some(self.column_expr(level, target, levels_up, ty, location)));
            }
        }
        Ok(None)
    }

    /// The item that a table name means, with how many levels outside it stands.
    pub(crate) fn find_item(
        &self,
        level: &Level<'q, '_>,
        schema: Option<&str>,
        name: &str,
        location: Location,
    ) -> Result<Option<(Item<'q>, u16)>> {
        let relation = match schema {
            None => None,
            Some(schema) => match self.env.catalog().relation_named(Some(schema), name)? {
                Some(oid) => Some(oid),
                None => return Ok(None),
            },
        };
        for (levels_up, outer) in level.levels().enumerate() {
            let mut found: Option<Item<'q>> = None;
            for item in outer.namespace.borrow().iter() {
                let matches = match relation {
                    Some(oid) => item.relation == oid && item.alias == name,
                    None => item.alias == name,
                };
                if !item.rel_visible || item.lateral_only && !outer.lateral_active.get() || !matches
                {
                    continue;
                }
                if found.is_some() {
                    let error = err!(AMBIGUOUS_ALIAS, "table reference \"{name}\" is ambiguous");
                    return Err(self.at(error, location));
                }
                if item.lateral_only && !item.lateral_ok {
                    return Err(self.not_lateral(item, location));
                }
                found = Some(*item);
            }
            if let Some(item) = found {
                return Ok(Some((item, u16::try_from(levels_up).unwrap_or(u16::MAX))));
            }
        }
        Ok(None)
    }

    /// A column of an item.
    pub(crate) fn item_column(
        &self,
        level: &Level<'q, '_>,
        item: &Item<'q>,
        levels_up: u16,
        name: &str,
        location: Location,
    ) -> Result<Option<Expr<'q>>> {
        let Some(outer) = level.levels().nth(usize::from(levels_up)) else { return Ok(None) };
        let found = self.column_of(outer, item, name, location)?;
        Ok(found.map(|(target, ty)| self.column_expr(level, target, levels_up, ty, location)))
    }

    /// A whole row of an item.
    pub(crate) fn whole_row(
        &self,
        level: &Level<'q, '_>,
        item: &Item<'q>,
        levels_up: u16,
        location: Location,
    ) -> Result<Expr<'q>> {
        let Some(outer) = level.levels().nth(usize::from(levels_up)) else {
            return Err(Error::internal("a level is missing"));
        };
        let range = outer.range(item.range);
        let oid = match range.kind {
            RangeKind::Relation { row_type, .. } => row_type,
            // A function of one plain column stands for that column.
            RangeKind::Functions { functions: [only], ordinality: false }
                if !only.composite && only.column_count == 1 =>
            {
                let column = item.columns[0];
                return Ok(self.column_expr(level, column.target, levels_up, column.ty, location));
            }
            RangeKind::Functions { functions: [only], ordinality: false } if only.composite => {
                if self.is_complex(only.call.ty.oid)? {
                    only.call.ty.oid
                } else {
                    Oid(oids::RECORD)
                }
            }
            RangeKind::Subquery { view, .. } if view.is_valid() => {
                self.env.catalog().relation(view)?.row_type
            }
            RangeKind::Excluded { relation } => self.env.catalog().relation(relation)?.row_type,
            RangeKind::Join { .. } => return self.join_row(level, item, levels_up, location),
            _ => Oid(oids::RECORD),
        };
        let target =
            ColumnUse { range: item.range, attribute: 0, levels_up: 0, returning: item.returning };
        Ok(self.column_expr(level, target, levels_up, Type::plain(oid), location))
    }

    /// The whole row of a join with an alias.
    fn join_row(
        &self,
        level: &Level<'q, '_>,
        item: &Item<'q>,
        levels_up: u16,
        location: Location,
    ) -> Result<Expr<'q>> {
        let (mut fields, mut names) = (Vec::new(), Vec::new());
        for column in item.columns {
            names.push(column.name);
            fields.push(self.column_expr(level, column.target, levels_up, column.ty, location));
        }
        let kind = ExprKind::Row { fields: self.slice(&fields)?, names: self.slice(&names)? };
        Ok(Expr { kind, ty: Type::plain(Oid(oids::RECORD)), at: byte_of(location) })
    }

    /// 42P01 for a table name that means nothing here.
    #[cold]
    pub(crate) fn missing_item(
        &self,
        level: &Level<'q, '_>,
        name: &str,
        location: Location,
    ) -> Error {
        for (levels_up, outer) in level.levels().enumerate() {
            for (at, range) in outer.ranges.borrow().iter().enumerate() {
                let real = match range.kind {
                    RangeKind::Relation { relation, .. } => {
                        self.env.catalog().relation(relation).map(|r| r.name.clone()).ok()
                    }
                    RangeKind::Cte(_) => None,
                    _ => None,
                };
                let by_real = real.as_deref() == Some(name) && range.alias != name;
                if !by_real && range.alias != name {
                    continue;
                }
                let error = err!(
                    UNDEFINED_TABLE,
                    "invalid reference to FROM-clause entry for table \"{name}\""
                );
                let error = if by_real {
                    error.hint(format!(
                        "Perhaps you meant to reference the table alias \"{}\".",
                        range.alias
                    ))
                } else {
                    let error = error.detail(format!(
                        "There is an entry for table \"{name}\", but it cannot be referenced from \
                         this part of the query."
                    ));
                    let lateral = outer
                        .namespace
                        .borrow()
                        .iter()
                        .any(|item| item.range.0 as usize == at && item.lateral_only);
                    if levels_up > 0 && lateral {
                        error.hint(
                            "To reference that table, you must mark this subquery with LATERAL.",
                        )
                    } else {
                        error
                    }
                };
                return self.at(error, location);
            }
        }
        let error = err!(UNDEFINED_TABLE, "missing FROM-clause entry for table \"{name}\"");
        self.at(error, location)
    }

    /// 42703 for a column that is nowhere; with a hint when one has nearly that name.
    #[cold]
    pub(crate) fn missing_column(
        &self,
        level: &Level<'q, '_>,
        qualifier: Option<&str>,
        name: &str,
        location: Location,
    ) -> Error {
        let error = match qualifier {
            Some(qualifier) => {
                err!(UNDEFINED_COLUMN, "column {qualifier}.{name} does not exist")
            }
            None => err!(UNDEFINED_COLUMN, "column \"{name}\" does not exist"),
        };
        let mut search = Fuzzy::default();
        for (levels_up, outer) in level.levels().enumerate() {
            for (at, range) in outer.ranges.borrow().iter().enumerate() {
                if matches!(range.kind, RangeKind::Join { .. }) {
                    continue;
                }
                let penalty = qualifier.map_or(0, |qualifier| distance(qualifier, range.alias));
                for column in range.columns {
                    search.offer(name, column, range.alias, penalty, (levels_up, at));
                }
            }
            if search.exact.is_some() {
                break;
            }
        }
        let error = match (&search.exact, &search.best[..]) {
            (Some((alias, (levels_up, at))), _) if qualifier.is_none() => {
                let lateral = level.levels().nth(*levels_up).is_some_and(|outer| {
                    let namespace = outer.namespace.borrow();
                    namespace.iter().any(|i| i.range.0 as usize == *at && i.lateral_only)
                });
                let error = error.detail(format!(
                    "There is a column named \"{name}\" in table \"{alias}\", but it cannot be \
                     referenced from this part of the query."
                ));
                if *levels_up > 0 && lateral {
                    error
                        .hint("To reference that column, you must mark this subquery with LATERAL.")
                } else if search.exact_elsewhere {
                    error
                } else {
                    error.hint("To reference that column, you must use a table-qualified name.")
                }
            }
            (_, [(alias, column)]) => error
                .hint(format!("Perhaps you meant to reference the column \"{alias}.{column}\".")),
            (_, [(a, c), (b, d)]) => error.hint(format!(
                "Perhaps you meant to reference the column \"{a}.{c}\" or the column \"{b}.{d}\"."
            )),
            _ => error,
        };
        self.at(error, location)
    }
}

/// The columns whose names are nearest to one that was not found.
#[derive(Default)]
struct Fuzzy {
    best: Vec<(String, String)>,
    best_distance: Option<usize>,
    exact: Option<(String, (usize, usize))>,
    exact_elsewhere: bool,
    given_up: bool,
}

impl Fuzzy {
    fn offer(
        &mut self,
        name: &str,
        column: &str,
        alias: &str,
        penalty: usize,
        place: (usize, usize),
    ) {
        if column.is_empty() {
            return;
        }
        if column == name && penalty == 0 {
            self.exact_elsewhere |= self.exact.is_some();
            self.exact.get_or_insert((alias.to_string(), place));
            return;
        }
        let its = distance(name, column);
        if its > name.chars().count() / 2 {
            return;
        }
        let its = its + penalty;
        let best = self.best_distance.unwrap_or(4);
        if its < best {
            self.best_distance = Some(its);
            self.best = vec![(alias.to_string(), column.to_string())];
            self.given_up = false;
        } else if its == best && self.best_distance.is_some() && !self.given_up {
            self.best.push((alias.to_string(), column.to_string()));
            if self.best.len() > 2 {
                self.best.clear();
                self.given_up = true;
            }
        }
    }
}

/// The number of edits between two names.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let substitute = diagonal + usize::from(x != *y);
            diagonal = row[j + 1];
            row[j + 1] = substitute.min(row[j] + 1).min(row[j + 1] + 1);
        }
    }
    row[b.len()]
}
