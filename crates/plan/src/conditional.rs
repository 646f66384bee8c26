//! Expressions that run only where they are needed: AND, OR, CASE, COALESCE.

use crate::compile::Compiler;
use crate::planner::{Level, Planner};
use analyze::tree::Expr;
use base::Result;
use expr::{Builder, Condition, Op, Reg};
use types::Datum;

impl<'q, 'p> Planner<'_, 'q, 'p> {
    /// `a AND b`, `a OR b`: later arguments run where the result is still open. A constant that
    /// decides stands for all, and what is behind it is not looked at.
    pub(crate) fn connective(
        &self,
        c: &mut Compiler<'_, 'q, 'p>,
        level: &Level<'_, 'q>,
        args: &[Expr<'q>],
        open: Condition,
        merge: fn(Reg, Reg) -> Op<'p>,
    ) -> Result<Reg> {
        let decides = matches!(open, Condition::NotTrue);
        let mut rest = Vec::with_capacity(args.len());
        for arg in args {
            match self.constant_value(arg)? {
                Some(Datum::Bool(value)) if value == decides => {
                    return c.builder.constant(&Datum::Bool(decides));
                }
                Some(Datum::Bool(_)) => {}
                _ => rest.push(arg),
            }
        }
        if rest.is_empty() {
            return c.builder.constant(&Datum::Bool(!decides));
        }
        let to = c.builder.register()?;
        for (i, arg) in rest.into_iter().enumerate() {
            if i == 0 {
                let first = self.expr(c, level, arg)?;
                c.builder.push(Op::Move(to, first));
                continue;
            }
            self.when(c, to, open, |c| {
                let next = self.expr(c, level, arg)?;
                c.builder.push(merge(to, next));
                Ok(())
            })?;
        }
        Ok(to)
    }

    /// What `body` compiles runs only where `test` meets the condition.
    pub(crate) fn when<'a>(
        &self,
        c: &mut Compiler<'a, 'q, 'p>,
        test: Reg,
        condition: Condition,
        body: impl FnOnce(&mut Compiler<'a, 'q, 'p>) -> Result<()>,
    ) -> Result<()> {
        // The builder is lent to a compiler of its own for the time of the body.
        let (columns, param_base) = (c.columns, c.param_base);
        let mut operands = std::mem::take(&mut c.operands);
        let result = c.builder.when(test, condition, |builder| {
            let lent = std::mem::replace(builder, Builder::new(self.bump));
            let mut inner = Compiler {
                builder: lent,
                columns,
                operands: std::mem::take(&mut operands),
                param_base,
            };
            let result = body(&mut inner);
            *builder = inner.builder;
            operands = inner.operands;
            result
        });
        c.operands = operands;
        result
    }

    pub(crate) fn arms(
        &self,
        c: &mut Compiler<'_, 'q, 'p>,
        level: &Level<'_, 'q>,
        arms: &[analyze::tree::CaseArm<'q>],
        otherwise: Option<&'q Expr<'q>>,
        to: Reg,
    ) -> Result<()> {
        base::stack::check_stack_depth()?;
        let Some((arm, rest)) = arms.split_first() else {
            if let Some(otherwise) = otherwise {
                let value = self.expr(c, level, otherwise)?;
                c.builder.push(Op::Move(to, value));
            }
            return Ok(());
        };
        match self.constant_value(&arm.when)? {
            Some(Datum::Bool(true)) => {
                let value = self.expr(c, level, &arm.then)?;
                c.builder.push(Op::Move(to, value));
                return Ok(());
            }
            Some(_) => return self.arms(c, level, rest, otherwise, to),
            None => {}
        }
        let test = self.expr(c, level, &arm.when)?;
        self.when(c, test, Condition::True, |c| {
            let value = self.expr(c, level, &arm.then)?;
            c.builder.push(Op::Move(to, value));
            Ok(())
        })?;
        if rest.is_empty() && otherwise.is_none() {
            return Ok(());
        }
        self.when(c, test, Condition::NotTrue, |c| self.arms(c, level, rest, otherwise, to))
    }

    pub(crate) fn coalesce(
        &self,
        c: &mut Compiler<'_, 'q, 'p>,
        level: &Level<'_, 'q>,
        args: &[Expr<'q>],
    ) -> Result<Reg> {
        let mut open = Vec::with_capacity(args.len());
        for arg in args {
            let value = self.constant_value(arg)?;
            if !matches!(value, Some(Datum::Null)) {
                open.push(arg);
            }
            if value.is_some_and(|value| !value.is_null()) {
                break;
            }
        }
        let to = c.builder.register()?;
        for (i, arg) in open.into_iter().enumerate() {
            if i == 0 {
                let first = self.expr(c, level, arg)?;
                c.builder.push(Op::Move(to, first));
                continue;
            }
            self.when(c, to, Condition::Null, |c| {
                let next = self.expr(c, level, arg)?;
                c.builder.push(Op::Move(to, next));
                Ok(())
            })?;
        }
        Ok(to)
    }
}
