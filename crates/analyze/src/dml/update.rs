//! UPDATE, DELETE, SET, RETURNING.

use super::{Assigned, Changed};
use crate::coerce::Context;
use crate::scope::{Clause, Item, Level};
use crate::select::{NONE, empty_query};
use crate::tree::{
    ColumnUse, Command, Expr, ExprKind, FromItem, Query, ReturningRow, SubscriptStep, SystemColumn,
    Target, Type,
};
use crate::{Analyzer, location_of};
use base::{Error, Oid, Result, err};
use catalog::relation::Column;
use catalog::rows::Identity;
use parse::{
    DeleteStmt, Expression, Indirection, Location, ResTarget, ReturningClause, UpdateStmt,
};
use types::oids;

const TID_EQUAL_OPERATOR: Oid = Oid(387);
const TID_EQUAL: Oid = Oid(1292);

impl<'q> Analyzer<'q, '_> {
    pub(crate) fn update(
        &self,
        stmt: &UpdateStmt<'_>,
        parent: Option<&Level<'q, '_>>,
    ) -> Result<Query<'q>> {
        let level = Level::new(parent);
        let ctes = self.with_clause(&level, stmt.with)?;
        let changed = self.changed(&level, &stmt.relation, Command::Update, false)?;
        let from = self.with_target(&level, &changed, stmt.from)?;
        let assigned = self.assignments(&level, &changed, stmt.assignments)?;
        let filter = self.change_filter(&level, &changed, stmt.filter)?;
        let filter = changed.all_filters(self, filter)?;
        let returning = self.returning(&level, &changed, stmt.returning)?;
        let query = Query {
            from: self.slice(&from)?,
            filter,
            targets: self.slice(&assigned.targets)?,
            assignments: self.slice(&assigned.assignments)?,
            result_relation: Some(changed.range),
            view_checks: changed.checks(self)?,
            changed_views: changed.views(self)?,
            returning,
            ctes: self.finish_ctes(&level, ctes)?,
            recursive: stmt.with.is_some_and(|with| with.recursive),
            ..empty_query(Command::Update)
        };
        self.finish(&level, query)
    }

    pub(crate) fn delete(
        &self,
        stmt: &DeleteStmt<'_>,
        parent: Option<&Level<'q, '_>>,
    ) -> Result<Query<'q>> {
        let level = Level::new(parent);
        let ctes = self.with_clause(&level, stmt.with)?;
        let changed = self.changed(&level, &stmt.relation, Command::Delete, false)?;
        let from = self.with_target(&level, &changed, stmt.using)?;
        let filter = self.change_filter(&level, &changed, stmt.filter)?;
        let filter = changed.all_filters(self, filter)?;
        let returning = self.returning(&level, &changed, stmt.returning)?;
        let query = Query {
            from: self.slice(&from)?,
            filter,
            result_relation: Some(changed.range),
            changed_views: changed.views(self)?,
            returning,
            ctes: self.finish_ctes(&level, ctes)?,
            recursive: stmt.with.is_some_and(|with| with.recursive),
            ..empty_query(Command::Delete)
        };
        self.finish(&level, query)
    }

    /// WHERE, or WHERE CURRENT OF.
    fn change_filter(
        &self,
        level: &Level<'q, '_>,
        changed: &Changed<'q>,
        filter: Option<&parse::Expression<'_>>,
    ) -> Result<Option<&'q Expr<'q>>> {
        let Some(parse::Expression::CurrentOf { cursor }) = filter else {
            return self.filter(level, filter, Clause::Where);
        };
        if changed.view.is_some() {
            return Err(Error::unsupported("WHERE CURRENT OF on a view is not implemented"));
        }
        let ty = Type::plain(Oid(oids::TID));
        let row = ColumnUse {
            range: changed.range,
            attribute: SystemColumn::Ctid as i16,
            levels_up: 0,
            returning: ReturningRow::Default,
        };
        let row = Expr { kind: ExprKind::Column(row), ty, at: None };
        let relation = changed.relation.oid;
        let kind = ExprKind::CurrentOf { cursor: self.text(cursor)?, relation };
        let args = self.slice(&[row, Expr { kind, ty, at: None }])?;
        let kind = ExprKind::Operator { operator: TID_EQUAL_OPERATOR, function: TID_EQUAL, args };
        self.alloc(Expr { kind, ty: Type::plain(crate::coerce::BOOL), at: None }).map(Some)
    }

    /// FROM beside the changed relation, to which FROM itself cannot refer.
    fn with_target(
        &self,
        level: &Level<'q, '_>,
        changed: &Changed<'q>,
        from: &[parse::TableRef<'_>],
    ) -> Result<Vec<FromItem<'q>>> {
        let item = Item { lateral_only: true, lateral_ok: false, ..changed.item };
        level.namespace.replace(vec![item]);
        self.analyze_from(level, from)
    }

    /// SET.
    pub(crate) fn assignments(
        &self,
        level: &Level<'q, '_>,
        changed: &Changed<'q>,
        list: &[parse::Assignment<'_>],
    ) -> Result<Assigned<'q>> {
        let mut assigned = Assigned::default();
        for assignment in list {
            match assignment {
                parse::Assignment::Single(target) => {
                    let Some(value) = target.value else {
                        return Err(Error::internal("an assignment without a value"));
                    };
                    let value = self.expression(level, value, Clause::UpdateSource)?;
                    self.set_column_to(level, changed, target, value, &mut assigned)?;
                }
                parse::Assignment::Multiple { targets, source } => {
                    let values = self.assigned_row(level, source)?;
                    if values.len() != targets.len() {
                        let error =
                            err!(SYNTAX_ERROR, "number of columns does not match number of values");
                        return Err(self.at(error, source.location()));
                    }
                    for (target, value) in targets.iter().zip(values) {
                        self.set_column_to(level, changed, target, value, &mut assigned)?;
                    }
                }
            }
        }
        Ok(assigned)
    }

    fn assigned_row(
        &self,
        level: &Level<'q, '_>,
        source: &Expression<'_>,
    ) -> Result<Vec<Expr<'q>>> {
        let before = level.clause.replace(Clause::UpdateSource);
        let values = match source {
            Expression::Row { args, .. } => self.expand_row(level, args),
            Expression::SubLink(link) if link.kind == parse::SubLinkKind::Scalar => {
                self.assigned_query(level, link)
            }
            other => {
                let error = err!(
                    FEATURE_NOT_SUPPORTED,
                    "source for a multiple-column UPDATE item must be a sub-SELECT or ROW() \
                     expression"
                );
                Err(self.at(error, other.location()))
            }
        };
        level.clause.set(before);
        values
    }

    fn set_column_to(
        &self,
        level: &Level<'q, '_>,
        changed: &Changed<'q>,
        target: &ResTarget<'_>,
        value: Expr<'q>,
        assigned: &mut Assigned<'q>,
    ) -> Result<()> {
        let column = self.target_column(changed, target, true)?;
        if let Some(view) = &changed.view {
            view.check_column(&column, "update")?;
        }
        let is_default = matches!(value.kind, ExprKind::Default);
        if column.generated.is_some() {
            if is_default {
                return Ok(());
            }
            return Err(err!(
                GENERATED_ALWAYS,
                "column \"{}\" can only be updated to DEFAULT",
                column.name
            )
            .detail(format!("Column \"{}\" is a generated column.", column.name)));
        }
        if column.identity == Some(Identity::Always) && !is_default {
            return Err(err!(
                GENERATED_ALWAYS,
                "column \"{}\" can only be updated to DEFAULT",
                column.name
            )
            .detail(format!(
                "Column \"{}\" is an identity column defined as GENERATED ALWAYS.",
                column.name
            )));
        }
        let known = assigned.assignments.iter().find(|a| a.attribute == column.attribute);
        if let Some(known) = known {
            let known = known.target as usize;
            if target.indirection.is_empty() {
                return Err(err!(
                    SYNTAX_ERROR,
                    "multiple assignments to same column \"{}\"",
                    column.name
                ));
            }
            // A second element of the same array is set in the result of the first.
            let base = assigned.targets[known].expr;
            assigned.targets[known].expr = self.set_part(level, &column, base, target, value)?;
            return Ok(());
        }
        let value = if is_default && target.indirection.is_empty() {
            self.column_default(&changed.relation, &column)?
        } else if target.indirection.is_empty() {
            self.assign(&column, value)?
        } else {
            let source = ColumnUse {
                range: changed.range,
                attribute: column.attribute,
                levels_up: 0,
                returning: ReturningRow::Default,
            };
            let (oid, typmod) = (column.type_oid, column.typmod);
            let ty = Type { oid, typmod, collation: column.collation };
            let base = self.column_expr(level, source, 0, ty, Location::NONE);
            self.set_part(level, &column, base, target, value)?
        };
        assigned.push(column.attribute, value, self.text(&column.name)?);
        Ok(())
    }

    /// `SET a[i] = value`.
    pub(crate) fn set_part(
        &self,
        level: &Level<'q, '_>,
        column: &Column,
        base: Expr<'q>,
        target: &ResTarget<'_>,
        value: Expr<'q>,
    ) -> Result<Expr<'q>> {
        if matches!(value.kind, ExprKind::Default) {
            let what = match target.indirection.first() {
                Some(Indirection::Field(_) | Indirection::Star) => "a subfield",
                _ => "an array element",
            };
            let error = err!(FEATURE_NOT_SUPPORTED, "cannot set {what} to DEFAULT");
            return Err(self.at(error, target.location));
        }
        let fields = target.indirection.iter();
        if fields.clone().any(|s| matches!(s, Indirection::Field(_) | Indirection::Star)) {
            let into = super::part::Part {
                name: &column.name,
                oid: column.type_oid,
                typmod: column.typmod,
                base,
                location: target.location,
            };
            return self.assign_part(level, into, target.indirection, value);
        }
        let (container, _) = self.env.catalog().base_type(column.type_oid, -1)?;
        if matches!(container.0, oids::INT2VECTOR | oids::OIDVECTOR) {
            let array = self.array_type(self.type_row(container)?.element)?;
            let (from, to) = (self.type_name(array)?, self.type_name(container)?);
            let error = err!(CANNOT_COERCE, "cannot cast type {from} to {to}");
            return Err(self.at(error, target.location));
        }
        let slice = fields.clone().any(|step| matches!(step, Indirection::Slice(..)));
        let mut steps: Vec<SubscriptStep<'q>> = Vec::new();
        for step in fields {
            steps.push(self.subscript_step(level, step, container, slice)?);
        }
        let element = self.element_type(container)?;
        self.need_subscripts(container, target.location)?;
        let wanted = if slice || !element.is_valid() { container } else { element };
        let location = location_of(&value);
        let cast = self.coerce_to_target(value, wanted, -1, Context::Assignment, location)?;
        let Some(cast) = cast else {
            let (to, from) = (self.type_name(wanted)?, self.type_name(value.ty.oid)?);
            let error = err!(
                DATATYPE_MISMATCH,
                "subscripted assignment to \"{}\" requires type {to} but expression is of type \
                 {from}",
                column.name
            )
            .hint("You will need to rewrite or cast the expression.");
            return Err(self.at(error, target.location));
        };
        let kind = ExprKind::Subscript {
            arg: self.alloc(base)?,
            steps: self.slice(&steps)?,
            assign: Some(self.alloc(cast)?),
        };
        if container == base.ty.oid {
            return Ok(Expr { kind, ty: base.ty, at: cast.at });
        }
        let changed = Expr { kind, ty: self.typed(container, -1)?, at: cast.at };
        self.back_to_domain(changed, column.type_oid, column.typmod)
    }

    /// RETURNING, where OLD and NEW name the two rows.
    pub(crate) fn returning(
        &self,
        level: &Level<'q, '_>,
        changed: &Changed<'q>,
        clause: Option<&ReturningClause<'_>>,
    ) -> Result<&'q [Target<'q>]> {
        let Some(clause) = clause else { return Ok(&[]) };
        let mut names: [Option<&'q str>; 2] = [None, None];
        for alias in clause.aliases {
            let twice = names.iter().flatten().any(|name| *name == alias.name);
            let slot = &mut names[usize::from(!alias.old)];
            if slot.is_some() {
                let word = if alias.old { "OLD" } else { "NEW" };
                let error = err!(SYNTAX_ERROR, "{word} cannot be specified multiple times");
                return Err(self.at(error, alias.location));
            }
            let taken = level.namespace.borrow().iter().any(|item| item.alias == alias.name);
            if taken || twice {
                let error =
                    err!(DUPLICATE_ALIAS, "table name \"{}\" specified more than once", alias.name);
                return Err(self.at(error, alias.location));
            }
            *slot = Some(self.text(alias.name)?);
        }
        for (at, (word, row)) in
            [("old", ReturningRow::Old), ("new", ReturningRow::New)].into_iter().enumerate()
        {
            let name = match names[at] {
                Some(name) => name,
                None if level.namespace.borrow().iter().any(|item| item.alias == word) => continue,
                None => word,
            };
            let item = self.returning_item(changed, name, row)?;
            level.namespace.borrow_mut().push(item);
        }
        let mut targets = self.target_list(level, clause.targets, Clause::Returning)?;
        self.resolve_targets(&mut targets)?;
        self.slice(&targets)
    }

    fn returning_item(
        &self,
        changed: &Changed<'q>,
        alias: &'q str,
        returning: ReturningRow,
    ) -> Result<Item<'q>> {
        let target = &changed.item;
        let mut columns: Vec<crate::scope::Column<'q>> = Vec::new();
        for column in target.columns {
            let mut column = *column;
            column.target.returning = returning;
            if let Some(view) = &changed.view {
                // Of a view, OLD and NEW have the columns that are columns of the table.
                let Some(attribute) = view.attribute_of(column.name) else { continue };
                column.target.range = changed.range;
                column.target.attribute = attribute;
            }
            columns.push(column);
        }
        Ok(Item {
            alias,
            relation: NONE,
            columns: self.slice(&columns)?,
            rel_visible: true,
            cols_visible: false,
            returning,
            ..*target
        })
    }
}
