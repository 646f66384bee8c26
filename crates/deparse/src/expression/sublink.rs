//! Subqueries in expressions.

use crate::plan::SubplanName;
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

    /// A subquery of a plan, by the name of its subplan.
    pub(super) fn subplan(&mut self, sublink: &SubLink<'q>, name: &SubplanName) -> Result<()> {
        let (hashed, initial) = (name.hashed, name.initial);
        let column = |at: usize| format!("{}.col{at}", name.name);
        match sublink.kind {
            SubLinkKind::Exists if initial => self.put(&format!("({}).col1", name.name)),
            SubLinkKind::Exists => self.put(&format!("EXISTS({})", name.name)),
            SubLinkKind::Array if initial => self.put(&format!("({}).col1", name.name)),
            SubLinkKind::Array => self.put(&format!("ARRAY({})", name.name)),
            SubLinkKind::Scalar | SubLinkKind::Row if initial => {
                self.put(&format!("({}).col1", name.name));
            }
            SubLinkKind::Scalar | SubLinkKind::Row => self.put(&format!("({})", name.name)),
            SubLinkKind::Compare { any, kind, operators, left, .. } => {
                self.put(if any { "(ANY " } else { "(ALL " });
                let joined = left.len() > 1;
                self.put(if joined { "(" } else { "" });
                for (at, expr) in left.iter().enumerate() {
                    self.put(if at > 0 { " AND " } else { "" });
                    let operator = match operators.get(at) {
                        Some(operator) => self.row_operator(kind, *operator)?,
                        None => "=".to_owned(),
                    };
                    self.put("(");
                    self.expression(expr, true)?;
                    let word = if hashed { "hashed " } else { "" };
                    let column = column(at + 1).replacen('.', ").", 1);
                    self.put(&format!(" {operator} ({word}{column})"));
                }
                self.put(if joined { "))" } else { ")" });
            }
        }
        Ok(())
    }
}
