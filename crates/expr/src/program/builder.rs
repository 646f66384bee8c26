//! Building programs.

use super::{Condition, Op, Operation, Program, Reg};
use crate::kernel;
use crate::{ScalarFn, Site};
use base::{Oid, Result, err};
use memory::Bump;
use types::Datum;

/// Builds one program in a context.
pub struct Builder<'p> {
    bump: &'p Bump,
    ops: Vec<Op<'p>>,
    registers: u16,
    caches: u16,
    volatile: bool,
    constant: bool,
    params: u16,
    depth: u32,
    /// Columns that are in registers for all rows.
    inputs: Vec<(u16, Reg)>,
}

impl<'p> Builder<'p> {
    /// A builder of a program that lives in `bump`.
    pub fn new(bump: &'p Bump) -> Builder<'p> {
        Builder {
            bump,
            ops: Vec::new(),
            registers: 0,
            caches: 0,
            volatile: false,
            constant: true,
            params: 0,
            depth: 0,
            inputs: Vec::new(),
        }
    }

    /// The context that the program lives in.
    pub fn bump(&self) -> &'p Bump {
        self.bump
    }

    /// A register that nobody uses yet; NULL until it is written.
    ///
    /// # Errors
    /// 54001 when there are too many.
    pub fn register(&mut self) -> Result<Reg> {
        self.registers = self
            .registers
            .checked_add(1)
            .ok_or_else(|| err!(STATEMENT_TOO_COMPLEX, "expression is too complex"))?;
        Ok(Reg(self.registers - 1))
    }

    fn cache(&mut self) -> u16 {
        self.caches = self.caches.saturating_add(1);
        self.caches - 1
    }

    /// Adds an operation as it is.
    pub fn push(&mut self, op: Op<'p>) {
        self.ops.push(op);
    }

    /// A constant, copied into the context.
    ///
    /// # Errors
    /// 53200 and those of [`Builder::register`].
    pub fn constant(&mut self, value: &Datum<'_>) -> Result<Reg> {
        let value = match *value {
            Datum::Text(text) => Datum::Text(self.bump.alloc_str(text)?),
            Datum::Bytes(bytes) => Datum::Bytes(self.bump.alloc_bytes(bytes)?),
            Datum::Null => Datum::Null,
            Datum::Bool(v) => Datum::Bool(v),
            Datum::Char(v) => Datum::Char(v),
            Datum::Int2(v) => Datum::Int2(v),
            Datum::Int4(v) => Datum::Int4(v),
            Datum::Int8(v) => Datum::Int8(v),
            Datum::Oid(v) => Datum::Oid(v),
            Datum::Float4(v) => Datum::Float4(v),
            Datum::Float8(v) => Datum::Float8(v),
            Datum::Decimal { mantissa, scale } => Datum::Decimal { mantissa, scale },
            Datum::Fixed16(v) => Datum::Fixed16(v),
        };
        let to = self.register()?;
        self.push(Op::Const(to, value));
        Ok(to)
    }

    /// A column of the input.
    ///
    /// # Errors
    /// Those of [`Builder::register`].
    pub fn input(&mut self, column: u16) -> Result<Reg> {
        self.constant = false;
        if let Some((_, reg)) = self.inputs.iter().find(|(other, _)| *other == column) {
            return Ok(*reg);
        }
        let to = self.register()?;
        self.push(Op::Input(to, column));
        if self.depth == 0 {
            self.inputs.push((column, to));
        }
        Ok(to)
    }

    /// A parameter, counted from 0.
    ///
    /// # Errors
    /// Those of [`Builder::register`].
    pub fn param(&mut self, param: u16) -> Result<Reg> {
        let to = self.register()?;
        self.params = self.params.max(param.saturating_add(1));
        self.push(Op::Param(to, param));
        Ok(to)
    }

    /// A function call; `prosrc` finds the kernel, if there is one.
    ///
    /// # Errors
    /// 53200 and those of [`Builder::register`].
    pub fn call(
        &mut self,
        prosrc: &str,
        function: ScalarFn,
        strict: bool,
        volatile: bool,
        site: Site<'_>,
        args: &[Reg],
    ) -> Result<Reg> {
        self.volatile |= volatile;
        let to = self.register()?;
        let kernel = if strict { kernel::find(prosrc, site.collation) } else { None };
        let site = self.site(site)?;
        let args = self.bump.alloc_slice_copy(args)?;
        let cache = self.cache();
        self.push(Op::Call { to, args, function, strict, kernel, site, cache });
        Ok(to)
    }

    fn site(&self, site: Site<'_>) -> Result<&'p Site<'p>> {
        let args = self.bump.alloc_slice_copy(site.args)?;
        Ok(self.bump.alloc(Site { args, ..site })?)
    }

    /// An operation that is no function.
    ///
    /// # Errors
    /// 53200 and those of [`Builder::register`].
    pub fn operation(
        &mut self,
        operation: &'p dyn Operation,
        site: Site<'_>,
        args: &[Reg],
    ) -> Result<Reg> {
        let to = self.register()?;
        let site = self.site(site)?;
        let args = self.bump.alloc_slice_copy(args)?;
        let cache = self.cache();
        self.push(Op::Operation { to, args, operation, site, cache });
        Ok(to)
    }

    /// A program over each element of an array.
    ///
    /// # Errors
    /// 53200 and those of [`Builder::register`].
    pub fn map(&mut self, array: Reg, element: Program<'p>, element_type: Oid) -> Result<Reg> {
        self.volatile |= element.volatile;
        self.params = self.params.max(element.params);
        let to = self.register()?;
        let element = &*self.bump.alloc(element)?;
        let cache = self.cache();
        self.push(Op::Map { to, array, element, element_type, cache });
        Ok(to)
    }

    /// A subplan.
    ///
    /// # Errors
    /// 53200 and those of [`Builder::register`].
    pub fn subplan(&mut self, subplan: u16, args: &[Reg], volatile: bool) -> Result<Reg> {
        self.volatile |= volatile;
        let to = self.register()?;
        let args = self.bump.alloc_slice_copy(args)?;
        self.push(Op::Subplan { to, args, subplan });
        Ok(to)
    }

    /// What `body` adds runs only for rows where `test` meets the condition.
    ///
    /// # Errors
    /// Those of `body`; 54001 when it is too long.
    pub fn when(
        &mut self,
        test: Reg,
        condition: Condition,
        body: impl FnOnce(&mut Builder<'p>) -> Result<()>,
    ) -> Result<()> {
        let at = self.ops.len();
        self.push(Op::When { test, condition, len: 0 });
        self.depth += 1;
        let result = body(self);
        self.depth -= 1;
        result?;
        let len = u16::try_from(self.ops.len() - at - 1)
            .map_err(|_| err!(STATEMENT_TOO_COMPLEX, "expression is too complex"))?;
        self.ops[at] = Op::When { test, condition, len };
        Ok(())
    }

    /// Marks the program as one that must run row by row.
    pub fn set_volatile(&mut self) {
        self.volatile = true;
    }

    /// The finished program.
    ///
    /// # Errors
    /// 53200.
    pub fn finish(self, results: &[Reg]) -> Result<Program<'p>> {
        Ok(Program {
            ops: self.bump.alloc_slice_copy(&self.ops)?,
            registers: self.registers,
            caches: self.caches,
            results: self.bump.alloc_slice_copy(results)?,
            volatile: self.volatile,
            constant: self.constant,
            params: self.params,
        })
    }
}
