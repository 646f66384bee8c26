//! When two bound expressions say the same.

use crate::Analyzer;
use crate::stored::same_text;
use crate::tree::Expr;

impl<'q> Analyzer<'q, '_> {
    /// Whether two expressions are the same but for where they stand in the text.
    pub(crate) fn same(&self, a: &Expr<'q>, b: &Expr<'q>) -> bool {
        a.ty == b.ty
            && std::mem::discriminant(&a.kind) == std::mem::discriminant(&b.kind)
            && same_text(a, b)
    }
}
