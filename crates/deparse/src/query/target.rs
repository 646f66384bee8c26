//! Result columns.

use crate::expression::{field_of_range, strip_implicit};
use crate::printer::{Printer, SMALL_STEP, STEP};
use analyze::tree::{ExprKind, Target};
use base::Result;

impl<'q> Printer<'_, 'q, '_> {
    /// The result columns of SELECT and of RETURNING, with the names that they do not have by
    /// themselves.
    pub(super) fn targets(&mut self, targets: &[Target<'q>]) -> Result<()> {
        let mut multiline = false;
        for (at, target) in targets.iter().filter(|target| !target.junk).enumerate() {
            self.put(if at == 0 { " " } else { ", " });
            let printed = self.apart(|printer| {
                // The casts to the types of a set operation belong to the operation.
                let expr = match printer.frame.in_set_operation {
                    true => strip_implicit(&target.expr),
                    false => &target.expr,
                };
                let column = match expr.kind {
                    ExprKind::Column(column) => Some(column),
                    ExprKind::Field { arg, field } => field_of_range(arg, field),
                    _ => None,
                };
                let own = match column {
                    Some(column) => printer.column(column, expr.ty, true)?,
                    None => {
                        printer.expression(expr, true)?;
                        (!printer.frame.names_visible).then(|| "?column?".to_owned())
                    }
                };
                let result = printer.frame.results.and_then(|names| names.get(at));
                let result = result.map_or(target.name, String::as_str);
                if own.as_deref() != Some(result) {
                    printer.put(" AS ");
                    printer.name(result);
                }
                Ok(())
            })?;
            self.broken(&printed, at > 0, multiline);
            multiline = printed.strip_prefix('\n').unwrap_or(&printed).contains('\n');
            self.put(&printed);
        }
        Ok(())
    }

    /// Breaks the line before an item of a list where the item does not fit.
    pub(super) fn broken(&mut self, item: &str, may: bool, must: bool) {
        if !self.style.indented || self.style.wrap < 0 {
            return;
        }
        if item.starts_with('\n') {
            self.trim_spaces();
            return;
        }
        let line = self.text.rsplit('\n').next().map_or(0, str::len);
        let wrap = usize::try_from(self.style.wrap).unwrap_or(0);
        if may && (line + item.len() > wrap || must) {
            self.keyword("", -STEP, STEP, SMALL_STEP);
        }
    }
}
