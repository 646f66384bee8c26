//! Subqueries in expressions.

use crate::coerce::{BOOL, RECORD};
use crate::scope::Level;
use crate::tree::{Expr, ExprKind, Query, RowCompareKind, SubLink, SubLinkKind, Target, Type};
use crate::{Analyzer, byte_of, location_of};
use base::{Error, Result, SqlState, err};
use parse::{Expression, Location, Statement};

impl<'q> Analyzer<'q, '_> {
    fn sub_query(
        &self,
        level: &Level<'q, '_>,
        query: &parse::SelectStmt<'_>,
        location: Location,
    ) -> Result<&'q Query<'q>> {
        if let Some(message) = level.clause.get().no_subquery() {
            let error = Error::new(SqlState::FEATURE_NOT_SUPPORTED, message);
            return Err(self.at(error, location));
        }
        level.has_sublinks.set(true);
        self.statement(&Statement::Select(query), Some(level))
    }

    pub(crate) fn sub_link(
        &self,
        level: &Level<'q, '_>,
        link: &parse::SubLink<'_>,
    ) -> Result<Expr<'q>> {
        use parse::SubLinkKind as P;
        let query = self.sub_query(level, link.query, link.location)?;
        let at = byte_of(link.location);
        let make = |kind, ty| -> Result<Expr<'q>> {
            let link = self.alloc(SubLink { kind, query })?;
            Ok(Expr { kind: ExprKind::SubLink(link), ty, at })
        };
        match link.kind {
            P::Exists => make(SubLinkKind::Exists, Type::plain(BOOL)),
            P::Scalar => {
                let target = self.single_column(query, link.location)?;
                make(SubLinkKind::Scalar, target.expr.ty)
            }
            P::Array => {
                let target = self.single_column(query, link.location)?;
                let element = target.expr.ty.oid;
                let mut array = self.array_type(element)?;
                if !array.is_valid() && self.element_type(element)?.is_valid() {
                    array = element;
                }
                if !array.is_valid() {
                    let name = self.type_name(element)?;
                    let error =
                        err!(UNDEFINED_OBJECT, "could not find array type for data type {name}");
                    return Err(self.at(error, link.location));
                }
                let ty = Type { oid: array, typmod: -1, collation: target.expr.ty.collation };
                make(SubLinkKind::Array, ty)
            }
            P::Any | P::All => {
                let Some(test) = link.test else {
                    return Err(Error::internal("ANY without a left side"));
                };
                let left = self.transform(level, test)?;
                let name: &[&str] = if link.operator.is_empty() { &["="] } else { link.operator };
                let any = link.kind == P::Any;
                let kind = self.compare_link(name, any, left, query, link.location)?;
                let mut link = make(kind, Type::plain(BOOL))?;
                link.at = byte_of(location_of(&left).leftmost(location_of(&link)));
                Ok(link)
            }
        }
    }

    fn single_column(&self, query: &'q Query<'q>, location: Location) -> Result<&'q Target<'q>> {
        let mut columns = result_columns(query);
        match (columns.next(), columns.next()) {
            (Some(only), None) => Ok(only),
            _ => {
                let error = err!(SYNTAX_ERROR, "subquery must return only one column");
                Err(self.at(error, location))
            }
        }
    }

    /// `left op ANY (query)`, column by column.
    fn compare_link(
        &self,
        name: &[&str],
        any: bool,
        left: Expr<'q>,
        query: &'q Query<'q>,
        location: Location,
    ) -> Result<SubLinkKind<'q>> {
        let lefts: &[Expr<'q>] = match &left.kind {
            ExprKind::Row { fields, .. } if left.ty.oid == RECORD => fields,
            _ => &[left],
        };
        let columns: Vec<&Target<'q>> = result_columns(query).collect();
        self.same_width(lefts.len(), columns.len(), location)?;
        let (mut operators, mut functions) = (Vec::new(), Vec::new());
        let (mut cast_lefts, mut casts) = (Vec::new(), Vec::new());
        let mut any_cast = false;
        for (at, (left, column)) in lefts.iter().zip(&columns).enumerate() {
            let number = u32::try_from(at + 1).unwrap_or(u32::MAX);
            let place = Expr { kind: ExprKind::Param(number), ty: column.expr.ty, at: None };
            let made = self.make_operator(name, Some(*left), place, location)?;
            if made.ty.oid != BOOL {
                let type_name = self.type_name(made.ty.oid)?;
                let error = err!(
                    DATATYPE_MISMATCH,
                    "row comparison operator must yield type boolean, not type {type_name}"
                );
                return Err(self.at(error, location));
            }
            if let ExprKind::Operator { operator, function, args: [a, b] } = made.kind {
                operators.push(operator);
                functions.push(function);
                cast_lefts.push(*a);
                any_cast |= !matches!(b.kind, ExprKind::Param(_));
                casts.push(*b);
            }
        }
        // One column may be compared by any operator; only of equality the kind matters then.
        let kind = match self.row_compare_kind(name, &operators, location) {
            Err(_) if operators.len() == 1 => RowCompareKind::NotEqual,
            kind => kind?,
        };
        Ok(SubLinkKind::Compare {
            any,
            kind,
            operators: self.slice(&operators)?,
            functions: self.slice(&functions)?,
            left: self.slice(&cast_lefts)?,
            casts: if any_cast { self.slice(&casts)? } else { &[] },
        })
    }

    fn same_width(&self, left: usize, right: usize, location: Location) -> Result<()> {
        let error = match left.cmp(&right) {
            std::cmp::Ordering::Less => err!(SYNTAX_ERROR, "subquery has too many columns"),
            std::cmp::Ordering::Greater => err!(SYNTAX_ERROR, "subquery has too few columns"),
            std::cmp::Ordering::Equal => return Ok(()),
        };
        Err(self.at(error, location))
    }

    /// `(a, b) op (SELECT …)`.
    pub(crate) fn row_sub_link(
        &self,
        level: &Level<'q, '_>,
        name: &[&str],
        left: &Expression<'_>,
        link: &parse::SubLink<'_>,
        location: Location,
    ) -> Result<Expr<'q>> {
        let query = self.sub_query(level, link.query, link.location)?;
        let left = self.transform(level, left)?;
        let ExprKind::Row { fields, .. } = left.kind else {
            return Err(Error::internal("a row is none"));
        };
        let rights = self.row_of(query, link.location)?;
        self.same_width(fields.len(), rights.len(), location)?;
        self.row_compare(name, fields, &rights, location)
    }

    /// The columns of a subquery that yields one row, as expressions.
    pub(crate) fn row_of(&self, query: &'q Query<'q>, location: Location) -> Result<Vec<Expr<'q>>> {
        let link = self.alloc(SubLink { kind: SubLinkKind::Row, query })?;
        let row = self.alloc(Expr {
            kind: ExprKind::SubLink(link),
            ty: Type::plain(RECORD),
            at: byte_of(location),
        })?;
        let columns = result_columns(query).enumerate();
        Ok(columns
            .map(|(at, column)| Expr {
                kind: ExprKind::Field {
                    arg: row,
                    field: i16::try_from(at + 1).unwrap_or(i16::MAX),
                },
                ty: column.expr.ty,
                at: byte_of(location),
            })
            .collect())
    }

    /// The subquery of a row assignment.
    pub(crate) fn assigned_query(
        &self,
        level: &Level<'q, '_>,
        link: &parse::SubLink<'_>,
    ) -> Result<Vec<Expr<'q>>> {
        let query = self.sub_query(level, link.query, link.location)?;
        self.row_of(query, link.location)
    }
}

/// The columns that a query yields: RETURNING's for a data-modifying one.
pub(crate) fn result_columns<'q>(query: &'q Query<'q>) -> impl Iterator<Item = &'q Target<'q>> {
    let targets = match query.command {
        crate::tree::Command::Select => query.targets,
        _ => query.returning,
    };
    targets.iter().filter(|target| !target.junk)
}
