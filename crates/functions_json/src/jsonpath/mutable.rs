//! Whether the answer of a path depends on the session's time zone.
//!
//! Comparing moments of which one has a time zone and the other has none does, and so does every
//! method that makes a moment of a given type.

use functions_time::template_has_zone;
use types::jsonpath::{BinaryOp, Item, Method, Path};
use types::oids;

/// What is known of the moments that an item gives.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Moments {
    None,
    WithoutZone,
    WithZone,
    /// The value decides.
    Unknown,
}

struct Walk<'w> {
    /// The variables and the types of their values.
    variables: &'w [(&'w str, u32)],
    current: Moments,
    lax: bool,
    mutable: bool,
}

/// Whether a path can give other answers in another time zone; variables come with their types.
pub fn is_mutable(path: &Path, variables: &[(&str, u32)]) -> bool {
    let mut walk = Walk { variables, current: Moments::None, lax: path.lax, mutable: false };
    walk.chain(&path.chain);
    walk.mutable
}

impl Walk<'_> {
    fn chain(&mut self, chain: &[Item]) -> Moments {
        let mut status = Moments::None;
        for item in chain {
            if self.mutable {
                break;
            }
            status = self.item(item, status);
        }
        status
    }

    fn item(&mut self, item: &Item, status: Moments) -> Moments {
        match item {
            Item::Current => self.current,
            Item::Variable(name) => self.variable(name),
            Item::Filter(predicate) => {
                let kept = std::mem::replace(&mut self.current, status);
                self.chain(predicate);
                self.current = kept;
                status
            }
            Item::Binary(op, left, right) => {
                let (left, right) = (self.chain(left), self.chain(right));
                let compares = !op.is_arithmetic()
                    && !matches!(op, BinaryOp::And | BinaryOp::Or | BinaryOp::StartsWith);
                let both = left != Moments::None && right != Moments::None;
                let unknown = left == Moments::Unknown || right == Moments::Unknown;
                self.mutable |= compares && both && (unknown || left != right);
                status
            }
            Item::Unary(_, operand) | Item::LikeRegex { value: operand, .. } => {
                self.chain(operand);
                status
            }
            Item::Index(subscripts) => {
                for (from, to) in subscripts {
                    if let Some(to) = to {
                        self.chain(to);
                    }
                    self.chain(from);
                }
                if self.lax { status } else { Moments::None }
            }
            Item::AnyArray if self.lax => status,
            Item::AnyLevel { first: 0, .. } => status,
            Item::Method(method, args) => self.method(*method, args),
            Item::Null | Item::Bool(_) | Item::Number(_) | Item::String(_) | Item::Root => status,
            _ => Moments::None,
        }
    }

    fn variable(&self, name: &str) -> Moments {
        let found = self.variables.iter().find(|(known, _)| *known == name);
        match found.map(|(_, type_oid)| *type_oid) {
            Some(oids::DATE | oids::TIME | oids::TIMESTAMP) => Moments::WithoutZone,
            Some(oids::TIMETZ | oids::TIMESTAMPTZ) => Moments::WithZone,
            _ => Moments::None,
        }
    }

    fn method(&mut self, method: Method, args: &[Item]) -> Moments {
        match (method, args.first()) {
            (Method::Datetime, Some(Item::String(template))) => {
                if template_has_zone(template) {
                    Moments::WithZone
                } else {
                    Moments::WithoutZone
                }
            }
            (Method::Datetime, _) => Moments::Unknown,
            (
                Method::Time
                | Method::Date
                | Method::Timestamp
                | Method::TimeTz
                | Method::TimestampTz,
                _,
            ) => {
                self.mutable = true;
                Moments::WithoutZone
            }
            _ => Moments::None,
        }
    }
}
