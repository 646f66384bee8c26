//! Joins.

use super::Placed;
use crate::Analyzer;
use crate::scope::{Clause, Column, Item, Level};
use crate::tree::{
    ColumnUse, Expr, ExprKind, FromItem, JoinKind, Range, RangeId, RangeKind, ReturningRow, Type,
};
use base::{Result, err};
use parse::{Expression, JoinExpr, Location};

impl<'q> Analyzer<'q, '_> {
    pub(super) fn join(&self, level: &Level<'q, '_>, join: &JoinExpr<'_>) -> Result<Placed<'q>> {
        let kind = match join.kind {
            parse::JoinKind::Inner => JoinKind::Inner,
            parse::JoinKind::Left => JoinKind::Left,
            parse::JoinKind::Full => JoinKind::Full,
            parse::JoinKind::Right => JoinKind::Right,
        };
        let left = self.place_item(level, &join.left)?;
        // The right side may look to the left with LATERAL.
        let lateral_ok = matches!(kind, JoinKind::Inner | JoinKind::Left);
        let before = level.namespace.borrow().len();
        level.namespace.borrow_mut().extend(left.names.iter().map(|item| Item {
            lateral_only: true,
            lateral_ok,
            ..*item
        }));
        let right = self.place_item(level, &join.right);
        level.namespace.borrow_mut().truncate(before);
        let right = right?;
        self.no_conflicts(&left.names, &right.names)?;
        let using = self.using_names(join, &left.whole, &right.whole)?;
        let merged = self.merge_columns(level, kind, &using, &left.whole, &right.whole)?;
        let on = match (&merged[..], join.condition) {
            ([], None) => None,
            ([], Some(condition)) => {
                Some(self.join_condition(level, condition, &left.names, &right.names)?)
            }
            _ => {
                let mut parts = Vec::new();
                for column in &merged {
                    parts.push(self.coerce_boolean(column.equal, "JOIN/USING")?);
                }
                Some(match parts[..] {
                    [only] => only,
                    _ => self.combine(&parts, true, Location::NONE)?,
                })
            }
        };
        self.finish_join(level, join, kind, (left, right), (&using, &merged), on)
    }

    /// The columns of USING, or those that NATURAL finds.
    fn using_names(
        &self,
        join: &JoinExpr<'_>,
        left: &Item<'q>,
        right: &Item<'q>,
    ) -> Result<Vec<&'q str>> {
        let mut using: Vec<&'q str> = Vec::new();
        if join.natural {
            for column in left.columns.iter().filter(|column| !column.name.is_empty()) {
                if right.columns.iter().any(|other| other.name == column.name) {
                    using.push(column.name);
                }
            }
            return Ok(using);
        }
        for name in join.using {
            if using.contains(name) {
                return Err(err!(
                    DUPLICATE_COLUMN,
                    "column name \"{name}\" appears more than once in USING clause"
                ));
            }
            using.push(self.text(name)?);
        }
        Ok(using)
    }

    fn merge_columns(
        &self,
        level: &Level<'q, '_>,
        kind: JoinKind,
        using: &[&'q str],
        left: &Item<'q>,
        right: &Item<'q>,
    ) -> Result<Vec<Merged<'q>>> {
        let find = |item: &Item<'q>, name: &str, side: &str| -> Result<usize> {
            let mut places =
                item.columns.iter().enumerate().filter(|(_, column)| column.name == name);
            match (places.next(), places.next()) {
                (Some((at, _)), None) => Ok(at),
                (None, _) => Err(err!(
                    UNDEFINED_COLUMN,
                    "column \"{name}\" specified in USING clause does not exist in {side} table"
                )),
                _ => Err(err!(
                    AMBIGUOUS_COLUMN,
                    "common column name \"{name}\" appears more than once in {side} table"
                )),
            }
        };
        let mut merged = Vec::new();
        for name in using {
            let (l, r) = (find(left, name, "left")?, find(right, name, "right")?);
            let column = |item: &Item<'q>, at: usize| {
                let column = item.columns[at];
                self.column_expr(level, column.target, 0, column.ty, Location::NONE)
            };
            let (a, b) = (column(left, l), column(right, r));
            let equal = self.make_operator(&["="], Some(a), b, Location::NONE)?;
            let mut both = [a, b];
            let oid = self.coerce_all_common(&mut both, "JOIN/USING")?;
            let typmod = self.common_typmod(&[a, b], oid);
            let [ca, cb] = both;
            let value = match kind {
                // The side that needs no cast is the cheaper one.
                JoinKind::Inner if !is_column(&ca) && is_column(&cb) => cb,
                JoinKind::Inner | JoinKind::Left => ca,
                JoinKind::Right => cb,
                JoinKind::Full => Expr {
                    kind: ExprKind::Coalesce(self.slice(&[ca, cb])?),
                    ty: Type { oid, typmod, collation: self.result_collation(oid, &[ca, cb])? },
                    at: None,
                },
            };
            merged.push(Merged { name, left: l, right: r, value, equal });
        }
        Ok(merged)
    }

    fn join_condition(
        &self,
        level: &Level<'q, '_>,
        condition: &Expression<'_>,
        left: &[Item<'q>],
        right: &[Item<'q>],
    ) -> Result<Expr<'q>> {
        let both: Vec<Item<'q>> = left.iter().chain(right).copied().collect();
        let before = level.namespace.replace(both);
        let condition = self.expression(level, condition, Clause::JoinOn);
        level.namespace.replace(before);
        self.coerce_boolean(condition?, "JOIN/ON")
    }

    fn finish_join(
        &self,
        level: &Level<'q, '_>,
        join: &JoinExpr<'_>,
        kind: JoinKind,
        (left, right): (Placed<'q>, Placed<'q>),
        (using, merged): (&[&'q str], &[Merged<'q>]),
        on: Option<Expr<'q>>,
    ) -> Result<Placed<'q>> {
        let id = RangeId(u32::try_from(level.ranges.borrow().len()).unwrap_or(u32::MAX));
        let (mut columns, mut values) = (Vec::new(), Vec::new());
        for column in merged {
            let attribute = i16::try_from(columns.len() + 1).unwrap_or(i16::MAX);
            let target =
                ColumnUse { range: id, attribute, levels_up: 0, returning: ReturningRow::Default };
            columns.push(Column { name: column.name, target, ty: column.value.ty });
            values.push(column.value);
        }
        let sides = [(&left.whole, 0), (&right.whole, 1)];
        for (whole, side) in sides {
            for (at, column) in whole.columns.iter().enumerate() {
                let used =
                    merged.iter().any(|m| if side == 0 { m.left == at } else { m.right == at });
                if used || column.name.is_empty() {
                    continue;
                }
                columns.push(*column);
                let target = column.target;
                let kind = ExprKind::Column(target);
                values.push(Expr { kind, ty: column.ty, at: None });
            }
        }
        let mut names: Vec<&'q str> = columns.iter().map(|column| column.name).collect();
        let types: Vec<Type> = columns.iter().map(|column| column.ty).collect();
        let alias = join.alias.as_ref();
        self.alias_columns(&mut names, alias, alias.map_or("unnamed_join", |alias| alias.name))?;
        for (column, name) in columns.iter_mut().zip(&names) {
            column.name = name;
        }
        let shown = self.text(alias.map_or("unnamed_join", |alias| alias.name))?;
        let using_alias =
            join.using_alias.as_ref().map(|alias| self.text(alias.name)).transpose()?;
        let range = Range {
            kind: RangeKind::Join {
                kind,
                columns: self.slice(&values)?,
                merged: u32::try_from(merged.len()).unwrap_or(u32::MAX),
                using_alias,
            },
            alias: shown,
            alias_given: alias.is_some(),
            aliased: super::aliased(alias),
            columns: self.slice(&names)?,
            types: self.slice(&types)?,
            lateral: false,
            in_from: true,
        };
        let id = level.add_range(range);
        let whole = Item {
            columns: self.slice(&columns)?,
            rel_visible: alias.is_some(),
            ..self.item(id, &range)?
        };
        let mut brought = Vec::new();
        if alias.is_none() {
            let sides = left.names.iter().chain(&right.names);
            brought.extend(sides.map(|item| Item { cols_visible: false, ..*item }));
        }
        if let Some(name) = using_alias {
            let item = Item {
                alias: name,
                columns: self.slice(&columns[..merged.len()])?,
                rel_visible: true,
                cols_visible: false,
                ..whole
            };
            self.no_conflicts(&left.names, &[item])?;
            self.no_conflicts(&right.names, &[item])?;
            brought.push(item);
        }
        brought.push(whole);
        let from = FromItem::Join {
            kind,
            left: self.alloc(left.from)?,
            right: self.alloc(right.from)?,
            on: on.map(|on| self.alloc(on)).transpose()?,
            range: id,
            using: self.slice(using)?,
            natural: join.natural,
        };
        Ok(Placed { from, whole, names: brought })
    }
}

/// A column of USING.
struct Merged<'q> {
    name: &'q str,
    /// Its places on both sides.
    left: usize,
    right: usize,
    value: Expr<'q>,
    equal: Expr<'q>,
}

fn is_column(expr: &Expr<'_>) -> bool {
    matches!(expr.kind, ExprKind::Column(_))
}
