//! Subqueries in expressions.

use crate::printer::Printer;
use analyze::tree::{SubLink, SubLinkKind};
use base::Result;

impl<'q> Printer<'_, 'q, '_> {
    pub(super) fn sublink(&mut self, sublink: &SubLink<'q>) -> Result<()> {
        let mut doubled = true;
        match sublink.kind {
            SubLinkKind::Array => {
                self.put("ARRAY(");
                doubled = false;
            }
            SubLinkKind::Scalar | SubLinkKind::Row => {
                self.put("(");
                doubled = false;
            }
            SubLinkKind::Exists => self.put("(EXISTS "),
            SubLinkKind::Compare { any, kind, operators, left, .. } => {
                self.put("(");
                match left {
                    [only] => self.expression(only, true)?,
                    _ => {
                        self.put("(");
                        self.expressions(left, true)?;
                        self.put(")");
                    }
                }
                let name = match operators.first() {
                    Some(first) => self.row_operator(kind, *first)?,
                    None => "=".to_owned(),
                };
                match (any, &*name) {
                    (true, "=") => self.put(" IN "),
                    (true, _) => self.put(&format!(" {name} ANY ")),
                    (false, _) => self.put(&format!(" {name} ALL ")),
                }
            }
        }
        if doubled {
            self.put("(");
        }
        self.query(sublink.query, None, false)?;
        self.put(if doubled { "))" } else { ")" });
        Ok(())
    }
}
