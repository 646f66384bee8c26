//! References to columns and fields.

use crate::coerce::RECORD;
use crate::scope::{Item, Level};
use crate::tree::{Expr, ExprKind, Query, Range, RangeKind, Type};
use crate::{Analyzer, byte_of};
use base::{Error, Result, err};
use parse::{Expression, Field, Location};

impl<'q> Analyzer<'q, '_> {
    pub(super) fn column_ref(
        &self,
        level: &Level<'q, '_>,
        fields: &[Field<'_>],
        location: Location,
    ) -> Result<Expr<'q>> {
        if let Some(message) = no_columns(level) {
            let error = Error::new(base::SqlState::FEATURE_NOT_SUPPORTED, message);
            return Err(self.at(error, location));
        }
        match *fields {
            [Field::Name(name)] => self.bare_name(level, name, location),
            [Field::Name(table), field] => self.qualified(level, None, table, field, location),
            [Field::Name(schema), Field::Name(table), field] => {
                self.qualified(level, Some(schema), table, field, location)
            }
            [Field::Name(database), Field::Name(schema), Field::Name(table), field] => {
                if database != self.env.database_name() {
                    let error = err!(
                        FEATURE_NOT_SUPPORTED,
                        "cross-database references are not implemented: {}",
                        shown(fields)
                    );
                    return Err(self.at(error, location));
                }
                self.qualified(level, Some(schema), table, field, location)
            }
            _ => {
                let error = err!(
                    SYNTAX_ERROR,
                    "improper qualified name (too many dotted names): {}",
                    shown(fields)
                );
                Err(self.at(error, location))
            }
        }
    }

    fn bare_name(&self, level: &Level<'q, '_>, name: &str, location: Location) -> Result<Expr<'q>> {
        if let Some(column) = self.find_column(level, name, location)? {
            return Ok(column);
        }
        if name == "value"
            && let Some(ty) = level.domain_value.get()
        {
            return Ok(Expr { kind: ExprKind::CaseOperand, ty, at: byte_of(location) });
        }
        // A table's name alone is its whole row.
        if let Some((item, levels_up)) = self.find_item(level, None, name, location)? {
            return self.whole_row(level, &item, levels_up, location);
        }
        Err(self.missing_column(level, None, name, location))
    }

    fn qualified(
        &self,
        level: &Level<'q, '_>,
        schema: Option<&str>,
        table: &str,
        field: Field<'_>,
        location: Location,
    ) -> Result<Expr<'q>> {
        let Some((item, levels_up)) = self.find_item(level, schema, table, location)? else {
            // `column.field` is an error unless it is written `(column).field`.
            return Err(self.missing_item(level, table, location));
        };
        let Field::Name(name) = field else {
            return self.whole_row(level, &item, levels_up, location);
        };
        if let Some(column) = self.item_column(level, &item, levels_up, name, location)? {
            return Ok(column);
        }
        // `table.function` calls a function of the row.
        let row = self.whole_row(level, &item, levels_up, location)?;
        if let Some(call) = self.call_of_row(level, row, name, location)? {
            return Ok(call);
        }
        Err(self.missing_column(level, Some(table), name, location))
    }

    /// The fields of a row expression: `t.*` among them stands for all columns.
    pub(crate) fn expand_row(
        &self,
        level: &Level<'q, '_>,
        args: &[Expression<'_>],
    ) -> Result<Vec<Expr<'q>>> {
        let mut values = Vec::with_capacity(args.len());
        for arg in args {
            match *arg {
                Expression::ColumnRef { fields, location }
                    if fields.last() == Some(&Field::Star) =>
                {
                    for (value, _) in self.expand_star(level, fields, location)? {
                        values.push(value);
                    }
                }
                _ => values.push(self.transform(level, arg)?),
            }
        }
        Ok(values)
    }

    /// The columns that `*`, `t.*` or `s.t.*` stands for, with their names.
    pub(crate) fn expand_star(
        &self,
        level: &Level<'q, '_>,
        fields: &[Field<'_>],
        location: Location,
    ) -> Result<Vec<(Expr<'q>, &'q str)>> {
        let names: Vec<&str> = fields
            .iter()
            .filter_map(|field| match field {
                Field::Name(name) => Some(*name),
                Field::Star => None,
            })
            .collect();
        let (schema, table) = match names[..] {
            [] => return self.expand_all(level, location),
            [table] => (None, table),
            [schema, table] => (Some(schema), table),
            [database, schema, table] => {
                self.check_database(database, &names).map_err(|e| self.at(e, location))?;
                (Some(schema), table)
            }
            _ => {
                let error = err!(
                    SYNTAX_ERROR,
                    "improper qualified name (too many dotted names): {}",
                    shown(fields)
                );
                return Err(self.at(error, location));
            }
        };
        let Some((item, levels_up)) = self.find_item(level, schema, table, location)? else {
            return Err(self.missing_item(level, table, location));
        };
        Ok(self.expand_item(level, &item, levels_up, location))
    }

    fn expand_all(
        &self,
        level: &Level<'q, '_>,
        location: Location,
    ) -> Result<Vec<(Expr<'q>, &'q str)>> {
        let mut columns = Vec::new();
        let mut any = false;
        let namespace = level.namespace.borrow().clone();
        for item in namespace.iter().filter(|item| item.cols_visible && !item.lateral_only) {
            any = true;
            columns.extend(self.expand_item(level, item, 0, location));
        }
        if !any {
            let error = err!(SYNTAX_ERROR, "SELECT * with no tables specified is not valid");
            return Err(self.at(error, location));
        }
        Ok(columns)
    }

    pub(crate) fn expand_item(
        &self,
        level: &Level<'q, '_>,
        item: &Item<'q>,
        levels_up: u16,
        location: Location,
    ) -> Vec<(Expr<'q>, &'q str)> {
        let starred = item.columns.len().saturating_sub(item.beyond_star);
        let visible = item.columns.iter().take(starred).filter(|c| !c.name.is_empty());
        visible
            .map(|column| {
                let target = column.target;
                let expr = self.column_expr(level, target, levels_up, column.ty, location);
                (expr, column.name)
            })
            .collect()
    }

    /// `(value).name`: a column of a composite value, or a function of it.
    pub(crate) fn field_or_function(
        &self,
        level: &Level<'q, '_>,
        value: Expr<'q>,
        name: &str,
        location: Location,
    ) -> Result<Expr<'q>> {
        if let Some(field) = self.field(level, value, name)? {
            return Ok(field);
        }
        if let Some(call) = self.call_of_row(level, value, name, location)? {
            return Ok(call);
        }
        let oid = value.ty.oid;
        if let ExprKind::Column(target) = value.kind
            && target.attribute == 0
            && let Some(outer) = level.levels().nth(usize::from(target.levels_up))
        {
            let alias = outer.range(target.range).alias;
            let error = err!(UNDEFINED_COLUMN, "column {alias}.{name} does not exist");
            return Err(self.at(error, location));
        }
        let error = if self.is_complex(oid)? {
            let type_name = self.type_name(oid)?;
            err!(UNDEFINED_COLUMN, "column \"{name}\" not found in data type {type_name}")
        } else if oid == RECORD {
            err!(UNDEFINED_COLUMN, "could not identify column \"{name}\" in record data type")
        } else {
            let type_name = self.type_name(oid)?;
            err!(
                WRONG_OBJECT_TYPE,
                "column notation .{name} applied to type {type_name}, which is not a composite type"
            )
        };
        Err(self.at(error, location))
    }

    /// A field of a composite value.
    pub(crate) fn field(
        &self,
        level: &Level<'q, '_>,
        value: Expr<'q>,
        name: &str,
    ) -> Result<Option<Expr<'q>>> {
        let Some(fields) = self.row_fields(level, &value)? else { return Ok(None) };
        let Some(at) = fields.iter().position(|(its, _)| its == name && !its.is_empty()) else {
            return Ok(None);
        };
        let field = i16::try_from(at + 1).unwrap_or(i16::MAX);
        let kind = ExprKind::Field { arg: self.alloc(value)?, field };
        Ok(Some(Expr { kind, ty: fields[at].1, at: value.at }))
    }

    /// The fields of a composite value, dropped columns with an empty name.
    pub(crate) fn row_fields(
        &self,
        level: &Level<'q, '_>,
        value: &Expr<'q>,
    ) -> Result<Option<Vec<(String, Type)>>> {
        if value.ty.oid == RECORD {
            return self.record_fields(level, value);
        }
        if !self.is_complex(value.ty.oid)? {
            return Ok(None);
        }
        let row = self.type_row(self.base_type(value.ty.oid)?)?;
        let relation = self.env.catalog().relation(row.relation)?;
        let columns = relation.columns.iter().map(|column| {
            let name = if column.dropped { String::new() } else { column.name.clone() };
            let ty =
                Type { oid: column.type_oid, typmod: column.typmod, collation: column.collation };
            (name, ty)
        });
        Ok(Some(columns.collect()))
    }

    /// The fields of an anonymous row whose origin is known.
    fn record_fields(
        &self,
        level: &Level<'q, '_>,
        value: &Expr<'q>,
    ) -> Result<Option<Vec<(String, Type)>>> {
        let ExprKind::Column(target) = value.kind else { return self.own_fields(value) };
        let Some(outer) = level.levels().nth(usize::from(target.levels_up)) else {
            return Ok(None);
        };
        let range = outer.range(target.range);
        if target.attribute == 0 {
            return Ok(Some(range_fields(&range)));
        }
        match range.kind {
            RangeKind::Subquery { query, .. } => self.query_fields(query, target.attribute),
            RangeKind::Cte(cte) => {
                let owner = outer.levels().nth(usize::from(cte.levels_up));
                let query = owner.and_then(|owner| {
                    owner.ctes.borrow().get(cte.index as usize).and_then(|entry| entry.query)
                });
                match query {
                    Some(query) => self.query_fields(query, target.attribute),
                    None => Ok(None),
                }
            }
            RangeKind::Join { columns, .. } => {
                let at = usize::try_from(target.attribute - 1).unwrap_or(usize::MAX);
                match columns.get(at) {
                    Some(column) => self.record_fields(outer, column),
                    None => Ok(None),
                }
            }
            _ => Ok(None),
        }
    }

    /// The fields of a row that tells them itself.
    fn own_fields(&self, value: &Expr<'q>) -> Result<Option<Vec<(String, Type)>>> {
        match value.kind {
            ExprKind::Row { fields, names } => {
                let fields = fields.iter().zip(names);
                Ok(Some(fields.map(|(field, name)| (name.to_string(), field.ty)).collect()))
            }
            ExprKind::Function { .. } => self.output_columns(value),
            _ => Ok(None),
        }
    }

    /// The fields of a column of a finished query that is an anonymous row.
    fn query_fields(
        &self,
        query: &'q Query<'q>,
        attribute: i16,
    ) -> Result<Option<Vec<(String, Type)>>> {
        base::stack::check_stack_depth()?;
        let at = usize::try_from(attribute - 1).unwrap_or(usize::MAX);
        let column = crate::sublink::result_columns(query).nth(at);
        let Some(column) = column else { return Ok(None) };
        let ExprKind::Column(inner) = column.expr.kind else {
            return self.own_fields(&column.expr);
        };
        let range = match query.ranges.get(inner.range.0 as usize) {
            Some(range) if inner.levels_up == 0 => range,
            _ => return Ok(None),
        };
        if inner.attribute == 0 {
            return Ok(Some(range_fields(range)));
        }
        match range.kind {
            RangeKind::Subquery { query, .. } => self.query_fields(query, inner.attribute),
            RangeKind::Cte(cte) if cte.levels_up == 0 => match query.ctes.get(cte.index as usize) {
                Some(cte) => self.query_fields(cte.query, inner.attribute),
                None => Ok(None),
            },
            _ => Ok(None),
        }
    }
}

fn range_fields(range: &Range<'_>) -> Vec<(String, Type)> {
    let columns = range.columns.iter().zip(range.types);
    columns.map(|(name, ty)| (name.to_string(), *ty)).collect()
}

/// Where no column may be named at all.
fn no_columns(level: &Level<'_, '_>) -> Option<&'static str> {
    use crate::scope::Clause;
    match level.clause.get() {
        Clause::Default => Some("cannot use column reference in DEFAULT expression"),
        Clause::PartitionBound => Some("cannot use column reference in partition bound expression"),
        _ => None,
    }
}

fn shown(fields: &[Field<'_>]) -> String {
    let parts: Vec<&str> = fields
        .iter()
        .map(|field| match field {
            Field::Name(name) => name,
            Field::Star => "*",
        })
        .collect();
    parts.join(".")
}
