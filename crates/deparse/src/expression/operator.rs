//! Operators.

use crate::printer::Printer;
use analyze::tree::{Expr, ExprKind, RowCompareKind, SubLinkKind};
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
