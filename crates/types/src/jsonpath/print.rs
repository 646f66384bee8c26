//! A path as text.

use super::{BinaryOp, Chain, Item, LEVEL_LAST, Path, RegexFlags, UnaryOp};
use crate::json::write_string;

struct Printer {
    out: Vec<u8>,
    /// Brackets around operands with accessors, which the shown text leaves out.
    exact: bool,
}

/// A path as text.
pub(super) fn path(path: &Path, exact: bool) -> String {
    let mut printer = Printer { out: Vec::new(), exact };
    if !path.lax {
        printer.text("strict ");
    }
    printer.chain(&path.chain, true);
    String::from_utf8(printer.out).unwrap_or_default()
}

fn priority(item: &Item) -> u8 {
    match item {
        Item::Binary(op, ..) => match op {
            BinaryOp::Or => 0,
            BinaryOp::And => 1,
            BinaryOp::Add | BinaryOp::Sub => 3,
            BinaryOp::Mul | BinaryOp::Div | BinaryOp::Mod => 4,
            _ => 2,
        },
        Item::Unary(UnaryOp::Plus | UnaryOp::Minus, _) => 5,
        _ => 6,
    }
}

/// Whether brackets may stand around it.
fn is_operation(item: &Item) -> bool {
    matches!(
        item,
        Item::Binary(..) | Item::Unary(UnaryOp::Plus | UnaryOp::Minus, _) | Item::LikeRegex { .. }
    )
}

impl Printer {
    fn text(&mut self, text: &str) {
        self.out.extend_from_slice(text.as_bytes());
    }

    fn string(&mut self, text: &str) {
        write_string(text, &mut self.out);
    }

    /// A chain; brackets around its first item if that is an operation.
    fn chain(&mut self, chain: &Chain, brackets: bool) {
        let Some((first, rest)) = chain.split_first() else { return };
        let followed = !rest.is_empty();
        let brackets = is_operation(first) && (brackets || self.exact && followed);
        // A predicate without brackets of its own cannot have accessors.
        let outer = self.exact
            && followed
            && matches!(first, Item::Unary(UnaryOp::Not | UnaryOp::IsUnknown | UnaryOp::Exists, _));
        if brackets || outer {
            self.text("(");
        }
        self.first(first, followed);
        if brackets || outer {
            self.text(")");
        }
        for item in rest {
            self.accessor(item);
        }
    }

    fn operand(&mut self, chain: &Chain, operation: &Item) {
        let brackets = chain.first().is_some_and(|first| priority(first) <= priority(operation));
        self.chain(chain, brackets);
    }

    fn first(&mut self, item: &Item, followed: bool) {
        match item {
            Item::Null => self.text("null"),
            Item::Bool(true) => self.text("true"),
            Item::Bool(false) => self.text("false"),
            Item::Number(number) => {
                if followed {
                    self.text("(");
                }
                number.format_into(&mut self.out);
                if followed {
                    self.text(")");
                }
            }
            Item::String(text) => self.string(text),
            Item::Variable(name) => {
                self.text("$");
                self.string(name);
            }
            Item::Root => self.text("$"),
            Item::Current => self.text("@"),
            Item::Last => self.text("last"),
            Item::Binary(op, left, right) => {
                self.operand(left, item);
                self.text(" ");
                self.text(op.symbol());
                self.text(" ");
                self.operand(right, item);
            }
            Item::Unary(op, operand) => self.unary(*op, operand, item),
            Item::LikeRegex { value, pattern, flags } => {
                self.operand(value, item);
                self.text(" like_regex ");
                self.string(pattern);
                self.flags(*flags);
            }
            // Of an accessor alone only the parts are shown; the parser makes none.
            _ => self.accessor(item),
        }
    }

    fn unary(&mut self, op: UnaryOp, operand: &Chain, item: &Item) {
        match op {
            UnaryOp::Plus | UnaryOp::Minus => {
                self.text(if op == UnaryOp::Plus { "+" } else { "-" });
                self.operand(operand, item);
            }
            UnaryOp::Not => {
                self.text("!(");
                self.chain(operand, false);
                self.text(")");
            }
            UnaryOp::IsUnknown => {
                self.text("(");
                self.chain(operand, false);
                self.text(") is unknown");
            }
            UnaryOp::Exists => {
                self.text("exists (");
                self.chain(operand, false);
                self.text(")");
            }
        }
    }

    fn flags(&mut self, flags: RegexFlags) {
        if flags == RegexFlags::default() {
            return;
        }
        self.text(" flag \"");
        for (set, letter) in [
            (flags.ignore_case, "i"),
            (flags.dot_all, "s"),
            (flags.lines, "m"),
            (flags.expanded, "x"),
            (flags.quote, "q"),
        ] {
            if set {
                self.text(letter);
            }
        }
        self.text("\"");
    }

    fn accessor(&mut self, item: &Item) {
        match item {
            Item::Key(key) => {
                self.text(".");
                self.string(key);
            }
            Item::AnyKey => self.text(".*"),
            Item::AnyArray => self.text("[*]"),
            Item::Index(subscripts) => {
                self.text("[");
                for (i, (from, to)) in subscripts.iter().enumerate() {
                    if i > 0 {
                        self.text(",");
                    }
                    self.chain(from, false);
                    if let Some(to) = to {
                        self.text(" to ");
                        self.chain(to, false);
                    }
                }
                self.text("]");
            }
            Item::AnyLevel { first, last } => self.any_level(*first, *last),
            Item::Filter(predicate) => {
                self.text("?(");
                self.chain(predicate, false);
                self.text(")");
            }
            Item::Method(method, args) => {
                self.text(".");
                self.text(method.name());
                self.text("(");
                for (i, arg) in args.iter().enumerate() {
                    if i > 0 {
                        self.text(",");
                    }
                    self.first(arg, false);
                }
                self.text(")");
            }
            _ => self.first(item, false),
        }
    }

    fn any_level(&mut self, first: u32, last: u32) {
        let level = |level: u32| match level {
            LEVEL_LAST => "last".to_owned(),
            level => level.to_string(),
        };
        let text = match (first, last) {
            (0, LEVEL_LAST) => ".**".to_owned(),
            (first, last) if first == last => format!(".**{{{}}}", level(first)),
            (first, last) => format!(".**{{{} to {}}}", level(first), level(last)),
        };
        self.text(&text);
    }
}
