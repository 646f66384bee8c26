//! INSERT, UPDATE, DELETE.
//!
//! DEFAULT, and columns that INSERT does not name, become the columns' default expressions here;
//! generated columns are left to the executor.

mod conflict;
mod part;
mod update;
mod view;

pub use view::view_obstacle;

use crate::coerce::{Context, UNKNOWN};
use crate::from::ROW_EXCLUSIVE;
use crate::scope::{Clause, Item, Level, system_column};
use crate::select::{NONE, empty_query};
use crate::target::Targets;
use crate::tree::{
    Assignment, ChangedView, ColumnUse, Command, Expr, ExprKind, FromItem, FunctionForm,
    Overriding, Query, Range, RangeId, RangeKind, ReturningRow, Target, Type, ViewCheck,
};
use crate::{Analyzer, location_of};
use base::{Error, Oid, Result, err};
use catalog::columns::{index, pg_class, pg_depend};
use catalog::relation::{Column, Relation};
use catalog::rows::{Identity, RelationKind};
use catalog::store::Value;
use parse::{InsertStmt, Location, RangeVar, ResTarget, SelectStmt};
use std::sync::Arc;
use types::{Datum, oids};

/// `nextval(regclass)`
const NEXTVAL: Oid = Oid(1574);

/// The relation that a statement changes.
pub(crate) struct Changed<'q> {
    pub(crate) relation: Arc<Relation>,
    pub(crate) range: RangeId,
    pub(crate) item: Item<'q>,
    /// The view through which it is changed.
    pub(crate) view: Option<view::ViewTarget<'q>>,
}

impl<'q> Changed<'q> {
    /// What the statement calls it.
    fn name(&self) -> &str {
        self.view.as_ref().map_or(&self.relation.name, view::ViewTarget::name)
    }

    fn column(&self, name: &str) -> Option<Column> {
        match &self.view {
            Some(view) => view.column(&self.relation, name),
            None => self.relation.column(name).cloned(),
        }
    }

    /// The conditions of views, and the statement's own.
    pub(crate) fn all_filters(
        &self,
        analyzer: &Analyzer<'q, '_>,
        own: Option<&'q Expr<'q>>,
    ) -> Result<Option<&'q Expr<'q>>> {
        let Some(view) = &self.view else { return Ok(own) };
        let all: Vec<Expr<'q>> = view.filters.iter().copied().chain(own.copied()).collect();
        match all.as_slice() {
            [] => Ok(None),
            [only] => analyzer.alloc(*only).map(Some),
            all => {
                let kind = ExprKind::And(analyzer.slice(all)?);
                let ty = Type::plain(crate::coerce::BOOL);
                analyzer.alloc(Expr { kind, ty, at: None }).map(Some)
            }
        }
    }

    pub(crate) fn views(&self, analyzer: &Analyzer<'q, '_>) -> Result<&'q [ChangedView]> {
        match &self.view {
            Some(view) => analyzer.slice(&view.views),
            None => Ok(&[]),
        }
    }

    pub(crate) fn checks(&self, analyzer: &Analyzer<'q, '_>) -> Result<&'q [ViewCheck<'q>]> {
        match &self.view {
            Some(view) => analyzer.slice(&view.checks),
            None => Ok(&[]),
        }
    }
}

/// Targets and where they go.
#[derive(Default)]
pub(crate) struct Assigned<'q> {
    pub(crate) targets: Targets<'q>,
    pub(crate) assignments: Vec<Assignment>,
}

impl<'q> Assigned<'q> {
    pub(crate) fn push(&mut self, attribute: i16, expr: Expr<'q>, name: &'q str) {
        let target = u32::try_from(self.targets.len()).unwrap_or(u32::MAX);
        self.targets.push(Target { expr, name, junk: false, origin: None });
        self.assignments.push(Assignment { attribute, target });
    }
}

impl<'q> Analyzer<'q, '_> {
    /// Opens the relation that a statement changes.
    pub(crate) fn changed(
        &self,
        level: &Level<'q, '_>,
        name: &RangeVar<'_>,
        command: Command,
        merging: bool,
    ) -> Result<Changed<'q>> {
        let relation = self.open_relation(level, name, ROW_EXCLUSIVE)?;
        let what = match relation.kind {
            RelationKind::Table | RelationKind::PartitionedTable => None,
            RelationKind::View => {
                return self.changed_view(level, name, relation, command, merging);
            }
            RelationKind::MaterializedView => Some("materialized view"),
            RelationKind::Sequence => Some("sequence"),
            RelationKind::Toast => Some("TOAST relation"),
            _ => Some("relation"),
        };
        if let Some(what) = what {
            return Err(err!(WRONG_OBJECT_TYPE, "cannot change {what} \"{}\"", relation.name));
        }
        let (range, item) = self.add_relation(level, &relation, name, ROW_EXCLUSIVE, false)?;
        Ok(Changed { relation, range, item, view: None })
    }

    pub(crate) fn insert(
        &self,
        stmt: &InsertStmt<'_>,
        parent: Option<&Level<'q, '_>>,
    ) -> Result<Query<'q>> {
        let level = Level::new(parent);
        let ctes = self.with_clause(&level, stmt.with)?;
        let changed = self.changed(&level, &stmt.relation, Command::Insert, false)?;
        if changed.view.is_some() && stmt.on_conflict.is_some() {
            return Err(Error::unsupported("ON CONFLICT with a view is not supported yet"));
        }
        let overriding = match stmt.overriding {
            parse::Overriding::NotSet => Overriding::None,
            parse::Overriding::UserValue => Overriding::User,
            parse::Overriding::SystemValue => Overriding::System,
        };
        let columns = self.insert_columns(&changed, stmt.columns)?;
        let mut from = Vec::new();
        let mut assigned = match stmt.source {
            None => Assigned::default(),
            Some(select) if is_single_row(select) => {
                let before = level.clause.replace(Clause::ValuesSingle);
                let row = self.expand_row(&level, select.values[0]);
                level.clause.set(before);
                self.insert_row(&level, &changed, &columns, stmt.columns, row?, overriding)?
            }
            Some(select) if is_plain_values(select) && !has_parts(stmt.columns) => {
                self.insert_values(&level, &changed, &columns, stmt, select, overriding, &mut from)?
            }
            Some(select) => {
                self.insert_select(&level, &changed, &columns, stmt, select, overriding, &mut from)?
            }
        };
        let written = u32::try_from(assigned.assignments.len()).unwrap_or(u32::MAX);
        self.missing_defaults(&changed.relation, &mut assigned)?;
        let on_conflict = match stmt.on_conflict {
            Some(clause) => Some(self.alloc(self.on_conflict(&level, &changed, clause)?)?),
            None => None,
        };
        level.namespace.replace(vec![changed.item]);
        let returning = self.returning(&level, &changed, stmt.returning)?;
        let query = Query {
            from: self.slice(&from)?,
            targets: self.slice(&assigned.targets)?,
            assignments: self.slice(&assigned.assignments)?,
            written,
            result_relation: Some(changed.range),
            overriding,
            on_conflict,
            view_checks: changed.checks(self)?,
            changed_views: changed.views(self)?,
            returning,
            ctes: self.finish_ctes(&level, ctes)?,
            recursive: stmt.with.is_some_and(|with| with.recursive),
            ..empty_query(Command::Insert)
        };
        self.finish(&level, query)
    }

    /// The target columns of INSERT: those that are named, else all.
    pub(crate) fn insert_columns(
        &self,
        changed: &Changed<'q>,
        named: &[ResTarget<'_>],
    ) -> Result<Vec<Column>> {
        if named.is_empty() {
            return Ok(match &changed.view {
                Some(view) => view.all(&changed.relation),
                None => changed.relation.live_columns().cloned().collect(),
            });
        }
        let mut columns: Vec<Column> = Vec::with_capacity(named.len());
        for target in named {
            let column = self.target_column(changed, target, false)?;
            let parts = named.iter().filter(|other| other.name == target.name);
            let whole = parts.clone().any(|other| other.indirection.is_empty());
            if whole && columns.iter().any(|old| old.attribute == column.attribute) {
                let error =
                    err!(DUPLICATE_COLUMN, "column \"{}\" specified more than once", column.name);
                return Err(self.at(error, target.location));
            }
            columns.push(column);
        }
        Ok(columns)
    }

    fn target_column(
        &self,
        changed: &Changed<'q>,
        target: &ResTarget<'_>,
        is_set: bool,
    ) -> Result<Column> {
        let name = target.name.unwrap_or_default();
        if let Some(column) = changed.column(name) {
            return Ok(column);
        }
        let error = if is_set && system_column(name).is_some() {
            err!(FEATURE_NOT_SUPPORTED, "cannot assign to system column \"{name}\"")
        } else {
            err!(
                UNDEFINED_COLUMN,
                "column \"{name}\" of relation \"{}\" does not exist",
                changed.name()
            )
        };
        let qualified = is_set && !target.indirection.is_empty() && name == changed.item.alias;
        let error = match qualified {
            true => error.hint("SET target columns cannot be qualified with the relation name."),
            false => error,
        };
        Err(self.at(error, target.location))
    }

    /// 42601 when a row does not fit the columns.
    fn check_width(
        &self,
        values: &[Expr<'q>],
        columns: &[Column],
        named: &[ResTarget<'_>],
    ) -> Result<()> {
        if let Some(extra) = values.get(columns.len()) {
            let error = err!(SYNTAX_ERROR, "INSERT has more expressions than target columns");
            return Err(self.at_expr(error, extra));
        }
        if let Some(column) = named.get(values.len()) {
            let error = err!(SYNTAX_ERROR, "INSERT has more target columns than expressions");
            return Err(self.at(error, column.location));
        }
        Ok(())
    }

    pub(crate) fn insert_row(
        &self,
        level: &Level<'q, '_>,
        changed: &Changed<'q>,
        columns: &[Column],
        named: &[ResTarget<'_>],
        values: Vec<Expr<'q>>,
        overriding: Overriding,
    ) -> Result<Assigned<'q>> {
        self.check_width(&values, columns, named)?;
        let mut assigned = Assigned::default();
        for (at, (column, value)) in columns.iter().zip(values).enumerate() {
            let part = named.get(at).filter(|target| !target.indirection.is_empty());
            if let Some(target) = part {
                self.insert_part(level, column, target, value, &mut assigned)?;
                continue;
            }
            let value = self.inserted(changed, column, value, overriding)?;
            if let Some(value) = value {
                assigned.push(column.attribute, value, self.text(&column.name)?);
            }
        }
        Ok(assigned)
    }

    /// The value that INSERT puts into a column; none for generated columns.
    fn inserted(
        &self,
        changed: &Changed<'q>,
        column: &Column,
        value: Expr<'q>,
        overriding: Overriding,
    ) -> Result<Option<Expr<'q>>> {
        let relation = &changed.relation;
        if let Some(view) = &changed.view {
            view.check_column(column, "insert into")?;
        }
        let is_default = matches!(value.kind, ExprKind::Default);
        if column.generated.is_some() {
            if is_default {
                return Ok(None);
            }
            return Err(err!(
                GENERATED_ALWAYS,
                "cannot insert a non-DEFAULT value into column \"{}\"",
                column.name
            )
            .detail(format!("Column \"{}\" is a generated column.", column.name)));
        }
        if column.identity.is_some() && overriding == Overriding::User || is_default {
            return self.column_default(relation, column).map(Some);
        }
        if column.identity == Some(Identity::Always) && overriding != Overriding::System {
            return Err(err!(
                GENERATED_ALWAYS,
                "cannot insert a non-DEFAULT value into column \"{}\"",
                column.name
            )
            .detail(format!(
                "Column \"{}\" is an identity column defined as GENERATED ALWAYS.",
                column.name
            ))
            .hint("Use OVERRIDING SYSTEM VALUE to override."));
        }
        self.assign(column, value).map(Some)
    }

    /// The value as one of the column's type.
    pub(crate) fn assign(&self, column: &Column, value: Expr<'q>) -> Result<Expr<'q>> {
        let location = location_of(&value);
        let cast = self.coerce_to_target(
            value,
            column.type_oid,
            column.typmod,
            Context::Assignment,
            location,
        )?;
        match cast {
            Some(cast) => Ok(cast),
            None => {
                let (to, from) = (self.type_name(column.type_oid)?, self.type_name(value.ty.oid)?);
                let error = err!(
                    DATATYPE_MISMATCH,
                    "column \"{}\" is of type {to} but expression is of type {from}",
                    column.name
                )
                .hint("You will need to rewrite or cast the expression.");
                Err(self.at(error, location))
            }
        }
    }

    /// The default of a column, of its type; NULL when it has none.
    pub(crate) fn column_default(&self, relation: &Relation, column: &Column) -> Result<Expr<'q>> {
        let ty = Type { oid: column.type_oid, typmod: column.typmod, collation: column.collation };
        if column.identity.is_some() && column.default.is_none() {
            let next = self.identity_value(relation, column)?;
            let cast = self.coerce_to_target(
                next,
                ty.oid,
                ty.typmod,
                Context::Assignment,
                Location::NONE,
            )?;
            return cast.ok_or_else(|| Error::internal("an identity column is no integer"));
        }
        let row = self.type_row(column.type_oid)?;
        let stored = column.default.as_ref().or(row.default.as_ref());
        let value = match stored {
            Some(stored) => *crate::stored::analyze_stored(self.bump, self.env, stored)?,
            None => Expr { kind: ExprKind::Const(Datum::Null), ty: Type::plain(UNKNOWN), at: None },
        };
        let cast =
            self.coerce_to_target(value, ty.oid, ty.typmod, Context::Assignment, Location::NONE)?;
        cast.ok_or_else(|| Error::internal("a default does not fit its column"))
    }

    /// `nextval` of the sequence behind an identity column.
    fn identity_value(&self, relation: &Relation, column: &Column) -> Result<Expr<'q>> {
        let key = [
            Value::Oid(pg_class::RELATION),
            Value::Oid(relation.oid),
            Value::Int4(i32::from(column.attribute)),
        ];
        let mut sequence = None;
        let store = self.env.catalog().store();
        store.find(index::PG_DEPEND_REFERENCE_INDEX, &key, &mut |_, row| {
            let internal = row.char(pg_depend::DEPTYPE)? == b'i';
            if internal && row.oid(pg_depend::CLASSID)? == pg_class::RELATION {
                sequence = Some(row.oid(pg_depend::OBJID)?);
            }
            Ok(())
        })?;
        let Some(sequence) = sequence else {
            return Err(err!(
                INTERNAL_ERROR,
                "no owned sequence found for column \"{}\" of relation \"{}\"",
                column.name,
                relation.name
            ));
        };
        let name = Expr {
            kind: ExprKind::Const(Datum::Oid(sequence.0)),
            ty: Type::plain(Oid(oids::REGCLASS)),
            at: None,
        };
        let kind = ExprKind::Function {
            function: NEXTVAL,
            args: self.slice(&[name])?,
            variadic: false,
            returns_set: false,
            form: FunctionForm::Identity,
        };
        Ok(Expr { kind, ty: Type::plain(Oid(oids::INT8)), at: None })
    }

    /// Adds the defaults of the columns that INSERT does not name.
    pub(crate) fn missing_defaults(
        &self,
        relation: &Relation,
        assigned: &mut Assigned<'q>,
    ) -> Result<()> {
        for column in relation.live_columns() {
            let given = assigned.assignments.iter().any(|a| a.attribute == column.attribute);
            if given || column.generated.is_some() {
                continue;
            }
            let has_default = column.default.is_some()
                || column.identity.is_some()
                || self.type_row(column.type_oid)?.kind == catalog::rows::TypeKind::Domain;
            if has_default {
                let value = self.column_default(relation, column)?;
                assigned.push(column.attribute, value, self.text(&column.name)?);
            }
        }
        Ok(())
    }

    fn insert_values(
        &self,
        level: &Level<'q, '_>,
        changed: &Changed<'q>,
        columns: &[Column],
        stmt: &InsertStmt<'_>,
        select: &SelectStmt<'_>,
        overriding: Overriding,
        from: &mut Vec<FromItem<'q>>,
    ) -> Result<Assigned<'q>> {
        let mut rows: Vec<Vec<Expr<'q>>> = Vec::with_capacity(select.values.len());
        let mut width = None;
        for row in select.values {
            let values = self.values_row(level, row, width)?;
            width = Some(values.len());
            if rows.is_empty() {
                self.check_width(&values, columns, stmt.columns)?;
            }
            let mut cast = Vec::with_capacity(values.len());
            for (column, value) in columns.iter().zip(values) {
                let value = self.inserted(changed, column, value, overriding)?;
                cast.push(match value {
                    Some(value) => value,
                    // A generated column: nobody reads the value.
                    None => Expr {
                        kind: ExprKind::Const(Datum::Null),
                        ty: self.typed(column.type_oid, column.typmod)?,
                        at: None,
                    },
                });
            }
            rows.push(cast);
        }
        let used = &columns[..width.unwrap_or(0).min(columns.len())];
        let types: Vec<Type> = used
            .iter()
            .map(|column| Type {
                oid: column.type_oid,
                typmod: column.typmod,
                collation: column.collation,
            })
            .collect();
        let (item, targets) = self.values_range(level, &rows, &types)?;
        level.namespace.borrow_mut().pop();
        from.push(item);
        let mut assigned = Assigned::default();
        for (column, target) in used.iter().zip(targets) {
            if column.generated.is_none() {
                assigned.push(column.attribute, target.expr, self.text(&column.name)?);
            }
        }
        Ok(assigned)
    }

    fn insert_select(
        &self,
        level: &Level<'q, '_>,
        changed: &Changed<'q>,
        columns: &[Column],
        stmt: &InsertStmt<'_>,
        select: &SelectStmt<'_>,
        overriding: Overriding,
        from: &mut Vec<FromItem<'q>>,
    ) -> Result<Assigned<'q>> {
        let inner = Level::new(Some(level));
        let query = self.select_at(&inner, select, false)?;
        let query = self.alloc(query)?;
        let visible: Vec<&Target<'q>> = crate::sublink::result_columns(query).collect();
        let (mut names, mut types) = (Vec::new(), Vec::new());
        for target in &visible {
            names.push(target.name);
            types.push(target.expr.ty);
        }
        let range = Range {
            kind: RangeKind::Subquery { query, view: NONE },
            alias: "*SELECT*",
            alias_given: false,
            aliased: 0,
            columns: self.slice(&names)?,
            types: self.slice(&types)?,
            lateral: false,
            in_from: true,
        };
        let id = level.add_range(range);
        from.push(FromItem::Range(id));
        let mut values = Vec::with_capacity(visible.len());
        for (at, target) in visible.iter().enumerate() {
            let literal = matches!(target.expr.kind, ExprKind::Const(_) | ExprKind::Param(_));
            if target.expr.ty.oid == UNKNOWN && literal {
                // The column decides the type of the literal.
                values.push(target.expr);
                continue;
            }
            let column = ColumnUse {
                range: id,
                attribute: i16::try_from(at + 1).unwrap_or(i16::MAX),
                levels_up: 0,
                returning: ReturningRow::Default,
            };
            let kind = ExprKind::Column(column);
            values.push(Expr { kind, ty: target.expr.ty, at: target.expr.at });
        }
        self.insert_row(level, changed, columns, stmt.columns, values, overriding)
    }
}

/// VALUES without anything around it.
fn is_plain_values(select: &SelectStmt<'_>) -> bool {
    !select.values.is_empty()
        && select.sort.is_empty()
        && select.offset.is_none()
        && select.limit.is_none()
        && select.locking.is_empty()
        && select.with.is_none()
}

fn has_parts(named: &[ResTarget<'_>]) -> bool {
    named.iter().any(|target| !target.indirection.is_empty())
}

fn is_single_row(select: &SelectStmt<'_>) -> bool {
    is_plain_values(select) && select.values.len() == 1
}
