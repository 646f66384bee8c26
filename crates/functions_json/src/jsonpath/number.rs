//! Arithmetic.

use super::evaluate::{Evaluator, Found, Status, fail};
use super::value::Value;
use base::Result;
use types::Numeric;
use types::jsonpath::{BinaryOp, Chain, Item, UnaryOp};

impl<'v> Evaluator<'_, 'v> {
    /// An operator over two single numbers.
    pub(super) fn arithmetic(
        &mut self,
        op: BinaryOp,
        left: &'v Chain,
        right: &'v Chain,
        chain: &'v [Item],
        value: Value<'v>,
        found: &mut Found<'v>,
    ) -> Result<Status> {
        let Some(lefts) = self.values(left, value, true)? else { return Ok(Status::Error) };
        let Some(rights) = self.values(right, value, true)? else { return Ok(Status::Error) };
        let [Value::Number(a)] = &lefts[..] else {
            fail!(
                self,
                SINGLETON_SQL_JSON_ITEM_REQUIRED,
                "left operand of jsonpath operator {} is not a single numeric value",
                op.symbol()
            );
        };
        let [Value::Number(b)] = &rights[..] else {
            fail!(
                self,
                SINGLETON_SQL_JSON_ITEM_REQUIRED,
                "right operand of jsonpath operator {} is not a single numeric value",
                op.symbol()
            );
        };
        let (a, b) = (Numeric::from_datum(a)?.load(), Numeric::from_datum(b)?.load());
        let result = match op {
            BinaryOp::Add => a.add(&b),
            BinaryOp::Sub => a.sub(&b),
            BinaryOp::Mul => a.mul(&b),
            BinaryOp::Div => a.div(&b),
            _ => a.rem(&b),
        };
        let number = match result {
            Ok(number) => number,
            Err(error) => return self.silence(|| error),
        };
        if chain.len() == 1 && found.is_ignored() {
            return Ok(Status::Found);
        }
        let number = Value::number(&number, &self.bump)?;
        self.next(chain, number, found)
    }

    /// A sign before each number of a sequence.
    pub(super) fn signed(
        &mut self,
        op: UnaryOp,
        operand: &'v Chain,
        chain: &'v [Item],
        value: Value<'v>,
        found: &mut Found<'v>,
    ) -> Result<Status> {
        let Some(values) = self.values(operand, value, true)? else { return Ok(Status::Error) };
        let wanted = chain.len() > 1 || !found.is_ignored();
        let mut status = Status::NotFound;
        for value in values.iter().copied() {
            let Value::Number(number) = value else {
                if !wanted {
                    continue;
                }
                fail!(
                    self,
                    SQL_JSON_NUMBER_NOT_FOUND,
                    "operand of unary jsonpath operator {} is not a numeric value",
                    if op == UnaryOp::Plus { "+" } else { "-" }
                );
            };
            if !wanted {
                return Ok(Status::Found);
            }
            let value = match op {
                UnaryOp::Minus => {
                    Value::number(&Numeric::from_datum(&number)?.load().neg(), &self.bump)?
                }
                _ => value,
            };
            match self.next(chain, value, found)? {
                Status::Error => return Ok(Status::Error),
                Status::Found if found.is_ignored() => return Ok(Status::Found),
                Status::Found => status = Status::Found,
                Status::NotFound => {}
            }
        }
        Ok(status)
    }
}
