//! Operators.

use crate::printer::Printer;
use analyze::tree::{Expr, ExprKind, Query, RowCompareKind, SubLinkKind};
use base::{Oid, Result};
use catalog::quote_identifier;

impl<'q> Printer<'_, 'q, '_> {
    /// The name of an operator, with `OPERATOR()` where the search path finds another.
    pub(crate) fn operator_name(&self, oid: Oid) -> Result<String> {
        let catalog = self.env.catalog();
        let row = catalog.operator(oid)?;
        if catalog.operator_is_visible(oid)? {
            return Ok(row.name.to_string());
        }
        let schema = catalog.namespace(row.namespace)?;
        Ok(format!("OPERATOR({}.{})", quote_identifier(&schema.name), row.name))
    }

    /// An operator with its arguments.
    pub(super) fn operation(&mut self, expr: &Expr<'q>) -> Result<()> {
        match expr.kind {
            ExprKind::Operator { operator, args, .. } => self.operator_call(expr, operator, args),
            ExprKind::ScalarArray { operator, any, left, right, .. } => {
                let name = self.operator_name(operator)?;
                self.enclosed(|printer| {
                    printer.operand(left, expr, true)?;
                    printer.put(&format!(" {name} {} (", if any { "ANY" } else { "ALL" }));
                    printer.operand(right, expr, true)?;
                    // Without it a subquery would be taken for a list of rows.
                    if let ExprKind::SubLink(sublink) = right.kind
                        && matches!(sublink.kind, SubLinkKind::Scalar)
                    {
                        printer.label(right.ty.oid, right.ty.typmod)?;
                    }
                    printer.put(")");
                    Ok(())
                })
            }
            ExprKind::Distinct { args, negated, .. } => {
                if !negated {
                    return self.distinct(expr, args);
                }
                self.enclosed(|printer| {
                    printer.put("NOT ");
                    printer.distinct(expr, args)
                })
            }
            ExprKind::RowCompare { kind, operators, left, right } => {
                if let Some(query) = row_of_subquery(right.iter()) {
                    let name = match operators.first() {
                        Some(first) => self.row_operator(kind, *first)?,
                        None => row_word(kind).to_owned(),
                    };
                    let left: Vec<&Expr<'q>> = left.iter().collect();
                    return self.row_with_subquery(&left, &name, query);
                }
                let name = match operators.first() {
                    Some(first) => self.row_operator(kind, *first)?,
                    None => row_word(kind).to_owned(),
                };
                self.put("(ROW(");
                self.list(left, |printer, field| printer.top(field, true))?;
                self.put(&format!(") {name} ROW("));
                self.list(right, |printer, field| printer.top(field, true))?;
                self.put("))");
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn operator_call(&mut self, expr: &Expr<'q>, operator: Oid, args: &[Expr<'q>]) -> Result<()> {
        let name = self.operator_name(operator)?;
        self.enclosed(|printer| match args {
            [left, right] => {
                printer.operand(left, expr, true)?;
                printer.put(&format!(" {name} "));
                printer.operand(right, expr, true)
            }
            _ => {
                printer.put(&format!("{name} "));
                args.iter().try_for_each(|arg| printer.operand(arg, expr, true))
            }
        })
    }

    /// Comparisons of columns that were written as one of a row with a subquery; false when they
    /// were not.
    pub(super) fn row_comparison(&mut self, parts: &[Expr<'q>]) -> Result<bool> {
        let Some((operator, left, query)) = taken_apart(parts) else { return Ok(false) };
        let name = self.operator_name(operator)?;
        self.row_with_subquery(&left, &name, query)?;
        Ok(true)
    }

    fn row_with_subquery(
        &mut self,
        left: &[&Expr<'q>],
        name: &str,
        query: &'q Query<'q>,
    ) -> Result<()> {
        self.put("((");
        self.list(left, |printer, expr| printer.expression(expr, true))?;
        self.put(&format!(") {name} ("));
        self.query(query, None, false)?;
        self.put("))");
        Ok(())
    }

    fn distinct(&mut self, expr: &Expr<'q>, args: &[Expr<'q>; 2]) -> Result<()> {
        self.enclosed(|printer| {
            printer.operand(&args[0], expr, true)?;
            printer.put(" IS DISTINCT FROM ");
            printer.operand(&args[1], expr, true)
        })
    }

    /// The operator of a comparison of rows, whose columns may be compared by another strategy.
    pub(super) fn row_operator(&self, kind: RowCompareKind, first: Oid) -> Result<String> {
        let row = self.env.catalog().operator(first)?;
        if *row.name == *row_word(kind) || !self.env.catalog().operator_is_visible(first)? {
            return self.operator_name(first);
        }
        Ok(row.name.to_string())
    }
}

type RowComparison<'c, 'q> = (Oid, Vec<&'c Expr<'q>>, &'q Query<'q>);

/// The operator, the row and the subquery that comparisons of columns were made from.
fn taken_apart<'c, 'q>(parts: &'c [Expr<'q>]) -> Option<RowComparison<'c, 'q>> {
    let (mut left, mut right, mut first) = (Vec::new(), Vec::new(), None);
    for part in parts {
        let ExprKind::Operator { operator, args: [a, b], .. } = part.kind else { return None };
        left.push(a);
        right.push(b);
        first = first.or(Some(operator));
    }
    Some((first?, left, row_of_subquery(right.into_iter())?))
}

/// Whether comparisons of columns were written as one of a row with a subquery.
pub(super) fn is_row_comparison(parts: &[Expr<'_>]) -> bool {
    taken_apart(parts).is_some()
}

/// The subquery whose columns some expressions are, all of them and in order.
pub(super) fn row_of_subquery<'c, 'q: 'c>(
    exprs: impl Iterator<Item = &'c Expr<'q>>,
) -> Option<&'q Query<'q>> {
    let (mut found, mut count) = (None, 0i16);
    for expr in exprs {
        let ExprKind::Field { arg, field } = super::strip_implicit(expr).kind else { return None };
        let ExprKind::SubLink(link) = arg.kind else { return None };
        count += 1;
        if !matches!(link.kind, SubLinkKind::Row) || field != count {
            return None;
        }
        found = found.or(Some(link.query));
    }
    let targets = found?.targets.iter().filter(|target| !target.junk).count();
    found.filter(|_| usize::try_from(count) == Ok(targets))
}

fn row_word(kind: RowCompareKind) -> &'static str {
    match kind {
        RowCompareKind::Less => "<",
        RowCompareKind::LessEqual => "<=",
        RowCompareKind::Equal => "=",
        RowCompareKind::GreaterEqual => ">=",
        RowCompareKind::Greater => ">",
        RowCompareKind::NotEqual => "<>",
    }
}
