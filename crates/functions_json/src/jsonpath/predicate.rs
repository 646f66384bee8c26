//! Predicates: true, false, or unknown.

use super::evaluate::{Evaluator, Found, Status};
use super::moment;
use super::value::Value;
use base::{Error, Result};
use functions_text::PathPattern;
use memory::Account;
use memory::collections::Charged;
use std::cmp::Ordering;
use types::Numeric;
use types::jsonpath::{BinaryOp, Chain, Item, RegexFlags, UnaryOp};

/// True, false, or unknown.
type Truth = Option<bool>;

impl<'v> Evaluator<'_, 'v> {
    /// The truth of a predicate.
    pub(super) fn truth(&mut self, item: &'v Item, value: Value<'v>) -> Result<Truth> {
        base::stack::check_stack_depth()?;
        match item {
            Item::Binary(BinaryOp::And, left, right) => {
                let left = self.truth_of(left, value)?;
                if left == Some(false) {
                    return Ok(left);
                }
                let right = self.truth_of(right, value)?;
                Ok(if right == Some(true) { left } else { right })
            }
            Item::Binary(BinaryOp::Or, left, right) => {
                let left = self.truth_of(left, value)?;
                if left == Some(true) {
                    return Ok(left);
                }
                let right = self.truth_of(right, value)?;
                Ok(if right == Some(false) { left } else { right })
            }
            Item::Unary(UnaryOp::Not, operand) => Ok(self.truth_of(operand, value)?.map(|b| !b)),
            Item::Unary(UnaryOp::IsUnknown, operand) => {
                Ok(Some(self.truth_of(operand, value)?.is_none()))
            }
            Item::Unary(UnaryOp::Exists, operand) => self.exists(operand, value),
            Item::Binary(BinaryOp::StartsWith, whole, initial) => {
                self.pairs(whole, Some((initial, false)), value, |_, whole, initial| {
                    Ok(match (whole, initial) {
                        (Value::String(whole), Value::String(initial)) => {
                            Some(whole.as_bytes().starts_with(initial.as_bytes()))
                        }
                        _ => None,
                    })
                })
            }
            Item::Binary(op, left, right) => {
                self.pairs(left, Some((right, true)), value, |this, a, b| this.compare(*op, a, b))
            }
            Item::LikeRegex { value: text, pattern, flags } => {
                let pattern = compile(pattern, *flags, self.bump.account())?;
                self.pairs(text, None, value, |_, text, _| {
                    Ok(match text {
                        Value::String(text) => Some(pattern.is_match(text)),
                        _ => None,
                    })
                })
            }
            _ => Err(Error::internal("a jsonpath item that is no predicate")),
        }
    }

    fn truth_of(&mut self, chain: &'v Chain, value: Value<'v>) -> Result<Truth> {
        match chain.as_slice() {
            [item] => self.truth(item, value),
            _ => Err(Error::internal("boolean jsonpath item cannot have next item")),
        }
    }

    fn exists(&mut self, operand: &'v Chain, value: Value<'v>) -> Result<Truth> {
        if self.lax {
            let status = self.silenced(|this| this.chain(operand, value, &mut Found::Ignored))?;
            return Ok(match status {
                Status::Error => None,
                status => Some(status == Status::Found),
            });
        }
        let values = self.silenced(|this| this.values(operand, value, false))?;
        Ok(values.map(|values| !values.is_empty()))
    }

    /// Whether any pair of values satisfies a test; in strict mode all pairs are tried.
    fn pairs(
        &mut self,
        left: &'v Chain,
        right: Option<(&'v Chain, bool)>,
        value: Value<'v>,
        test: impl Fn(&Self, Value<'v>, Value<'v>) -> Result<Truth>,
    ) -> Result<Truth> {
        let Some(lefts) = self.silenced(|this| this.values(left, value, true))? else {
            return Ok(None);
        };
        let rights = match right {
            None => {
                let mut alone = Charged::new(self.bump.account().clone(), "JsonpathFound");
                alone.push(Value::Null)?;
                alone
            }
            Some((right, unwrap)) => {
                match self.silenced(|this| this.values(right, value, unwrap))? {
                    Some(rights) => rights,
                    None => return Ok(None),
                }
            }
        };
        let (mut unknown, mut found) = (false, false);
        for a in lefts.iter() {
            for b in rights.iter() {
                match test(self, *a, *b)? {
                    None if !self.lax => return Ok(None),
                    None => unknown = true,
                    Some(true) if self.lax => return Ok(Some(true)),
                    Some(true) => found = true,
                    Some(false) => {}
                }
            }
        }
        Ok(match (found, unknown) {
            (true, _) => Some(true),
            (_, true) => None,
            _ => Some(false),
        })
    }

    fn compare(&self, op: BinaryOp, a: Value<'v>, b: Value<'v>) -> Result<Truth> {
        let order = match (a, b) {
            (Value::Null, Value::Null) => Ordering::Equal,
            (Value::Null, _) | (_, Value::Null) => return Ok(Some(op == BinaryOp::NotEqual)),
            (Value::Bool(a), Value::Bool(b)) => a.cmp(&b),
            (Value::Number(a), Value::Number(b)) => {
                Numeric::from_datum(&a)?.compare(Numeric::from_datum(&b)?)
            }
            (Value::String(a), Value::String(b)) => a.as_bytes().cmp(b.as_bytes()),
            (Value::Moment(a), Value::Moment(b)) => {
                match moment::compare(a, b, self.manner.zoned, self.host.io().env)? {
                    Some(order) => order,
                    None => return Ok(None),
                }
            }
            _ => return Ok(None),
        };
        Ok(Some(match op {
            BinaryOp::Equal => order.is_eq(),
            BinaryOp::NotEqual => order.is_ne(),
            BinaryOp::Less => order.is_lt(),
            BinaryOp::Greater => order.is_gt(),
            BinaryOp::LessOrEqual => order.is_le(),
            _ => order.is_ge(),
        }))
    }
}

/// Checks the pattern of a like_regex; `account` pays for it meanwhile.
///
/// # Errors
/// 2201B, 53200
pub fn check_pattern(pattern: &str, flags: RegexFlags, account: &Account) -> Result<()> {
    compile(pattern, flags, account).map(drop)
}

fn compile(pattern: &str, flags: RegexFlags, account: &Account) -> Result<PathPattern> {
    let plain = flags.quote;
    PathPattern::new(
        pattern,
        flags.ignore_case,
        plain || flags.dot_all,
        flags.lines && !plain,
        plain,
        account,
    )
}
