//! Bound expressions to programs.

use crate::operations::{self as op, boolean_test};
use crate::planner::{Columns, Level, Planner, Var};
use crate::same::same;
use analyze::tree::{ColumnUse, Expr, ExprKind, FunctionForm, RangeKind, SubscriptStep, Type};
use base::{Error, Oid, Result};
use catalog::rows::{Proc, Ref, Volatility};
use expr::{
    Body, Builder, Condition, Inputs, Op, Operation, Program, Reg, Runner, ScalarFn, Site, SqlType,
    Value,
};
use types::{Datum, oids};

/// The language of functions that are bound in the registry.
const INTERNAL: Oid = Oid(12);

/// One program while it is built.
pub(crate) struct Compiler<'a, 'q, 'p> {
    pub(crate) builder: Builder<'p>,
    /// What the input's columns are.
    pub(crate) columns: &'a Columns<'q>,
    /// The values of the CASE operands that are open, innermost last.
    pub(crate) operands: Vec<Reg>,
    /// Parameters are columns from this one on: casts of a subquery's columns.
    pub(crate) param_base: Option<u16>,
}

impl<'a, 'q, 'p> Compiler<'a, 'q, 'p> {
    pub(crate) fn new(builder: Builder<'p>, columns: &'a Columns<'q>) -> Compiler<'a, 'q, 'p> {
        Compiler { builder, columns, operands: Vec::new(), param_base: None }
    }
}

pub(crate) fn sql_type(ty: Type) -> SqlType {
    SqlType { oid: ty.oid, typmod: ty.typmod }
}

impl<'e, 'q, 'p> Planner<'e, 'q, 'p> {
    /// A program of some expressions over columns.
    pub(crate) fn program<'x>(
        &self,
        level: &Level<'_, 'q>,
        columns: &Columns<'q>,
        exprs: impl IntoIterator<Item = &'x Expr<'q>>,
    ) -> Result<Program<'p>>
    where
        'q: 'x,
    {
        let mut compiler = Compiler::new(Builder::new(self.bump), columns);
        let (mut results, mut noted) = (Vec::new(), Vec::new());
        let noting = self.is_noting();
        for expr in exprs {
            results.push(self.expr(&mut compiler, level, expr)?);
            if noting {
                noted.push(Some((expr, level.id)));
            }
        }
        let program = compiler.builder.finish(&results)?;
        self.note_program(&program, 0, noted);
        Ok(program)
    }

    /// A register with the value of an expression.
    pub(crate) fn expr(
        &self,
        c: &mut Compiler<'_, 'q, 'p>,
        level: &Level<'_, 'q>,
        expr: &Expr<'q>,
    ) -> Result<Reg> {
        base::stack::check_stack_depth()?;
        if let Some((_, column)) = c.columns.exprs.iter().find(|(other, _)| same(other, expr)) {
            return c.builder.input(*column);
        }
        if let Some(value) = self.constant_value(expr)? {
            return c.builder.constant(&value);
        }
        self.computed(c, level, expr)
    }

    fn list(
        &self,
        c: &mut Compiler<'_, 'q, 'p>,
        level: &Level<'_, 'q>,
        exprs: &[Expr<'q>],
    ) -> Result<Vec<Reg>> {
        exprs.iter().map(|expr| self.expr(c, level, expr)).collect()
    }

    #[expect(clippy::too_many_lines, reason = "one arm for each kind of expression")]
    fn computed(
        &self,
        c: &mut Compiler<'_, 'q, 'p>,
        level: &Level<'_, 'q>,
        expr: &Expr<'q>,
    ) -> Result<Reg> {
        use ExprKind as K;
        match expr.kind {
            K::Const(value) => c.builder.constant(&value),
            K::Column(column) => self.column_use(c, level, &column),
            K::Param(number) => {
                if let Some(base) = c.param_base {
                    return c.builder.input(base + number as u16 - 1);
                }
                let param = u16::try_from(number - 1).unwrap_or(u16::MAX);
                c.builder.param(param)
            }
            K::Function { function, args, variadic, returns_set, form } => {
                if returns_set {
                    return Err(Error::unsupported(
                        "a set-returning function inside another expression is not supported yet",
                    ));
                }
                if let (FunctionForm::Identity, [sequence]) = (form, args) {
                    return self.identity_value(c, level, function, sequence, expr.ty);
                }
                self.call(c, level, function, args, expr.ty, variadic)
            }
            K::Operator { function, args, .. } => {
                self.call(c, level, function, args, expr.ty, false)
            }
            K::ScalarArray { function, any, left, right, .. } => {
                let (scalar, strict) = self.scalar_function(function)?;
                let args = [self.expr(c, level, left)?, self.expr(c, level, right)?];
                let operation =
                    self.operation(op::ScalarArray { function: scalar, strict, any })?;
                let types = [sql_type(left.ty), sql_type(left.ty)];
                let site = self.site(function, &types, expr.ty, left.ty.collation);
                c.builder.operation(operation, site, &args)
            }
            K::Distinct { function, args, negated, .. } => {
                let [a, b] = [self.expr(c, level, &args[0])?, self.expr(c, level, &args[1])?];
                let equal = self.call_registers(c, function, &args[..], &[a, b], expr.ty)?;
                let to = c.builder.register()?;
                c.builder.push(Op::Distinct { to, a, b, equal, negated });
                Ok(to)
            }
            K::NullIf { function, args, .. } => {
                let [a, b] = [self.expr(c, level, &args[0])?, self.expr(c, level, &args[1])?];
                let equal = self.call_registers(c, function, &args[..], &[a, b], expr.ty)?;
                let to = c.builder.register()?;
                c.builder.push(Op::Move(to, a));
                c.builder.when(equal, Condition::True, |b| {
                    let null = b.constant(&Datum::Null)?;
                    b.push(Op::Move(to, null));
                    Ok(())
                })?;
                Ok(to)
            }
            K::And(args) => self.connective(c, level, args, Condition::NotFalse, Op::And),
            K::Or(args) => self.connective(c, level, args, Condition::NotTrue, Op::Or),
            K::Not(arg) => {
                let from = self.expr(c, level, arg)?;
                let to = c.builder.register()?;
                c.builder.push(Op::Not(to, from));
                Ok(to)
            }
            K::IsNull { arg, negated, row } => {
                let from = self.expr(c, level, arg)?;
                if row {
                    let operation = self.operation(op::RowIsNull { negated })?;
                    return c.builder.operation(operation, Site::UNKNOWN, &[from]);
                }
                let test = if negated { Condition::NotNull } else { Condition::Null };
                let to = c.builder.register()?;
                c.builder.push(Op::Test(to, from, test));
                Ok(to)
            }
            K::Boolean { arg, test } => {
                let mut from = self.expr(c, level, arg)?;
                let (condition, negate) = boolean_test(test);
                if negate {
                    let negated = c.builder.register()?;
                    c.builder.push(Op::Not(negated, from));
                    from = negated;
                }
                let to = c.builder.register()?;
                c.builder.push(Op::Test(to, from, condition));
                Ok(to)
            }
            K::Case { operand, arms, otherwise } => {
                if let Some(operand) = operand {
                    let value = self.expr(c, level, operand)?;
                    c.operands.push(value);
                    let constant = self.constant_value(operand)?;
                    self.case_operands.borrow_mut().push(constant);
                }
                let to = c.builder.register()?;
                let result = self.arms(c, level, arms, otherwise, to);
                if operand.is_some() {
                    c.operands.pop();
                    self.case_operands.borrow_mut().pop();
                }
                result?;
                Ok(to)
            }
            K::CaseOperand => {
                c.operands.last().copied().ok_or_else(|| Error::internal("an operand outside CASE"))
            }
            K::Coalesce(args) => self.coalesce(c, level, args),
            K::MinMax { greatest, args } => {
                let registers = self.list(c, level, args)?;
                let type_oid = self.compare_type(expr.ty.oid)?;
                let operation = self.operation(op::MinMax { greatest, type_oid })?;
                c.builder.operation(operation, Site::UNKNOWN, &registers)
            }
            K::Row { fields, .. } => {
                let registers = self.list(c, level, fields)?;
                let types: Vec<SqlType> = fields.iter().map(|field| sql_type(field.ty)).collect();
                let operation = self.operation(op::RowValue)?;
                let site = self.site(Oid::INVALID, &types, expr.ty, Oid::INVALID);
                c.builder.operation(operation, site, &registers)
            }
            K::RowCompare { kind, operators, left, right } => {
                let mut registers = self.list(c, level, left)?;
                registers.extend(self.list(c, level, right)?);
                let types: Vec<Type> = left.iter().map(|field| field.ty).collect();
                self.row_compare(&mut c.builder, kind, operators, &types, expr.ty, &registers)
            }
            K::Field { arg, field } => {
                let from = self.expr(c, level, arg)?;
                c.builder.operation(self.operation(op::Field(field))?, Site::UNKNOWN, &[from])
            }
            K::Array { elements, nested } => {
                let registers = self.list(c, level, elements)?;
                let element = self.element_type(expr.ty.oid)?;
                let operation = self.operation(op::ArrayValue { element, nested })?;
                c.builder.operation(operation, Site::UNKNOWN, &registers)
            }
            K::Subscript { arg, steps, assign } => self.subscript(c, level, arg, steps, assign),
            K::Relabel { arg, .. } => {
                let from = self.expr(c, level, arg)?;
                if !self.changes_variant(arg.ty.oid, expr.ty.oid)? {
                    return Ok(from);
                }
                c.builder.operation(self.operation(op::SameBits)?, Site::UNKNOWN, &[from])
            }
            K::Collate(arg) => self.expr(c, level, arg),
            K::ViaText { arg, .. } => {
                let from = self.expr(c, level, arg)?;
                let operation = self.operation(op::ViaText)?;
                let types = [sql_type(arg.ty)];
                let site = self.site(Oid::INVALID, &types, expr.ty, Oid::INVALID);
                c.builder.operation(operation, site, &[from])
            }
            K::ArrayCast { arg, element, .. } => {
                let array = self.expr(c, level, arg)?;
                let none = Columns::default();
                let mut inner = Compiler::new(Builder::new(self.bump), &none);
                let value = inner.builder.input(0)?;
                inner.operands.push(value);
                let result = self.expr(&mut inner, level, element)?;
                let program = inner.builder.finish(&[result])?;
                c.builder.map(array, program, self.element_type(expr.ty.oid)?)
            }
            K::Domain { arg, .. } => {
                let value = self.expr(c, level, arg)?;
                self.domain(c, level, expr.ty.oid, expr.ty.oid, value)
            }
            K::SubLink(link) => self.sublink(c, level, link, expr.ty),
            K::Aggregate(aggregate) if aggregate.levels_up > 0 => {
                let owner = level.up(aggregate.levels_up)?;
                let address: *const () = std::ptr::from_ref(aggregate).cast();
                let known = owner.substitutes.borrow().iter().find(|s| s.0 == address).map(|s| s.1);
                let var =
                    known.ok_or_else(|| Error::internal("an outer aggregate nobody computes"))?;
                self.var(c, owner, var)
            }
            K::Aggregate(aggregate) => self.computed_below(c, std::ptr::from_ref(aggregate).cast()),
            K::Window(call) => self.computed_below(c, std::ptr::from_ref(call).cast()),
            K::Grouping { items, .. } => self.grouping_bits(c, items),
            K::SqlValue(which) => {
                let (convert, round) = op::time_functions(which);
                let find = |name: Option<&str>| {
                    name.map(|name| self.env.registry().scalar(name)).transpose()
                };
                let operation =
                    op::CurrentValue { which, convert: find(convert)?, round: find(round)? };
                let site = self.site(Oid::INVALID, &[], expr.ty, Oid::INVALID);
                c.builder.operation(self.operation(operation)?, site, &[])
            }
            K::Json(json) => self.json(c, level, json, expr.ty),
            K::Default => Err(Error::internal("DEFAULT was not replaced")),
            K::CurrentOf { cursor, relation } => {
                let cursor = self.bump.alloc_str(cursor)?;
                let operation = self.operation(op::CurrentOf { cursor, relation })?;
                let site = self.site(Oid::INVALID, &[], expr.ty, Oid::INVALID);
                c.builder.operation(operation, site, &[])
            }
        }
    }

    /// A call that a node below computed: a column.
    fn computed_below(&self, c: &mut Compiler<'_, 'q, 'p>, call: *const ()) -> Result<Reg> {
        match c.columns.calls.iter().find(|(other, _)| std::ptr::eq(*other, call)) {
            Some((_, column)) => c.builder.input(*column),
            None => Err(Error::internal("an aggregate or window call outside its node")),
        }
    }

    /// `GROUPING(...)`: one bit for each item, 1 where the row's set has it not.
    fn grouping_bits(&self, c: &mut Compiler<'_, 'q, 'p>, items: &[u32]) -> Result<Reg> {
        let Some((column, sets)) = c.columns.grouping else {
            return c.builder.constant(&Datum::Int4(0));
        };
        let bits = self.bump.alloc_slice_fill_iter(sets.iter().map(|set| {
            items.iter().fold(0, |bits, item| bits << 1 | i32::from(!set.items.contains(item)))
        }))?;
        let number = c.builder.input(column)?;
        c.builder.operation(self.operation(op::GroupingBits { bits })?, Site::UNKNOWN, &[number])
    }

    fn subscript(
        &self,
        c: &mut Compiler<'_, 'q, 'p>,
        level: &Level<'_, 'q>,
        arg: &Expr<'q>,
        steps: &[SubscriptStep<'q>],
        assign: Option<&'q Expr<'q>>,
    ) -> Result<Reg> {
        if arg.ty.oid.0 == oids::JSONB {
            return self.jsonb_subscript(c, level, arg, steps, assign);
        }
        if arg.ty.oid.0 == oids::NAME {
            return self.name_subscript(c, level, arg, steps);
        }
        let mut registers = vec![self.expr(c, level, arg)?];
        let (mut slices, mut given) = (0u32, 0u64);
        for (i, step) in steps.iter().enumerate() {
            let bounds = match step {
                SubscriptStep::Index(index) => [Some(index), None],
                SubscriptStep::Slice(lower, upper) => {
                    slices |= 1 << i;
                    [lower.as_ref(), upper.as_ref()]
                }
            };
            for (side, bound) in bounds.into_iter().enumerate() {
                if let Some(bound) = bound {
                    given |= 1 << (i * 2 + side);
                    registers.push(self.expr(c, level, bound)?);
                }
            }
        }
        if let Some(value) = assign {
            registers.push(self.expr(c, level, value)?);
        }
        let operation = self.operation(op::Subscript {
            slices,
            given,
            steps: steps.len(),
            assign: assign.is_some(),
            element: self.element_type(arg.ty.oid)?,
        })?;
        c.builder.operation(operation, Site::UNKNOWN, &registers)
    }

    /// `name[0]`: a name is an array of 64 bytes.
    fn name_subscript(
        &self,
        c: &mut Compiler<'_, 'q, 'p>,
        level: &Level<'_, 'q>,
        arg: &Expr<'q>,
        steps: &[SubscriptStep<'q>],
    ) -> Result<Reg> {
        let mut registers = vec![self.expr(c, level, arg)?];
        let slice = steps.iter().any(|step| matches!(step, SubscriptStep::Slice(..)));
        for step in steps {
            if let SubscriptStep::Index(index) = step {
                registers.push(self.expr(c, level, index)?);
            }
        }
        let operation = self.operation(op::NameSubscript { slice })?;
        c.builder.operation(operation, Site::UNKNOWN, &registers)
    }

    /// `j['a'][1]`, step by step.
    fn jsonb_subscript(
        &self,
        c: &mut Compiler<'_, 'q, 'p>,
        level: &Level<'_, 'q>,
        arg: &Expr<'q>,
        steps: &[SubscriptStep<'q>],
        assign: Option<&'q Expr<'q>>,
    ) -> Result<Reg> {
        let mut value = self.expr(c, level, arg)?;
        if let Some(assign) = assign {
            return self.jsonb_assignment(c, level, (arg, value), steps, assign);
        }
        for step in steps {
            let SubscriptStep::Index(index) = step else {
                return Err(base::err!(
                    DATATYPE_MISMATCH,
                    "jsonb subscript does not support slices"
                ));
            };
            let key = self.expr(c, level, index)?;
            let operation = self.operation(functions_json::JsonbSubscript)?;
            value = c.builder.operation(operation, Site::UNKNOWN, &[value, key])?;
        }
        Ok(value)
    }

    /// `j['a'][1] = value`.
    fn jsonb_assignment(
        &self,
        c: &mut Compiler<'_, 'q, 'p>,
        level: &Level<'_, 'q>,
        (arg, container): (&Expr<'q>, Reg),
        steps: &[SubscriptStep<'q>],
        value: &'q Expr<'q>,
    ) -> Result<Reg> {
        let (mut registers, mut types) = (vec![container], vec![SqlType::plain(arg.ty.oid)]);
        for step in steps {
            let SubscriptStep::Index(index) = step else {
                return Err(Error::internal("a slice of jsonb"));
            };
            registers.push(self.expr(c, level, index)?);
            types.push(sql_type(index.ty));
        }
        registers.push(self.expr(c, level, value)?);
        types.push(SqlType::plain(arg.ty.oid));
        let name = "jsonb_subscript_handler";
        let function = self.env.registry().scalar(name)?;
        let site = self.site(Oid::INVALID, &types, arg.ty, Oid::INVALID);
        c.builder.call(name, function, false, false, site, &registers)
    }

    /// The checks of a domain and of the domains under it, in the name of `shown`.
    pub(crate) fn domain(
        &self,
        c: &mut Compiler<'_, 'q, 'p>,
        level: &Level<'_, 'q>,
        domain: Oid,
        shown: Oid,
        value: Reg,
    ) -> Result<Reg> {
        let row = self.catalog().type_(domain)?;
        if row.base_type == Oid::INVALID {
            return Ok(value);
        }
        let value = self.domain(c, level, row.base_type, shown, value)?;
        let checks = self.catalog().domain_checks(domain)?;
        if checks.is_empty() && !row.not_null {
            return Ok(value);
        }
        let mut registers = vec![value];
        let mut names = Vec::new();
        for check in checks.iter() {
            let base = Some((row.base_type, row.typmod));
            let expr = analyze::analyze_stored_value(self.trees, self.env, &check.check, base)?;
            c.operands.push(value);
            let result = self.expr(c, level, expr);
            c.operands.pop();
            registers.push(result?);
            names.push(&*self.bump.alloc_str(&check.name)?);
        }
        let operation = self.operation(op::DomainCheck {
            domain: self.bump.alloc_str(&self.catalog().format_type(shown, None)?)?,
            not_null: row.not_null,
            names: self.bump.alloc_slice_copy(&names)?,
        })?;
        c.builder.operation(operation, Site::UNKNOWN, &registers)
    }

    fn column_use(
        &self,
        c: &mut Compiler<'_, 'q, 'p>,
        level: &Level<'_, 'q>,
        column: &ColumnUse,
    ) -> Result<Reg> {
        let owner = level.up(column.levels_up)?;
        let mut var = owner.var(column.range.0, column.attribute);
        if column.returning != analyze::tree::ReturningRow::Default {
            // The halves of a modified row are told apart by ranges beyond the query's own.
            let half = if column.returning == analyze::tree::ReturningRow::Old { 1 } else { 2 };
            let other = Var { range: u32::MAX - half, ..var };
            if column.attribute == 0 {
                return self.whole_half(c, owner, var, other.range);
            }
            if let Some(expr) = self.virtual_of(owner, var.range, column.attribute, other.range)? {
                return self.expr(c, owner, expr);
            }
            if c.columns.var(other).is_some() {
                var = other;
            }
        }
        self.var(c, owner, var)
    }

    pub(crate) fn var(
        &self,
        c: &mut Compiler<'_, 'q, 'p>,
        owner: &Level<'_, 'q>,
        var: Var,
    ) -> Result<Reg> {
        if let Some(column) = c.columns.var(var) {
            return c.builder.input(column);
        }
        if let Some(range) = owner.query.ranges.get(var.range as usize) {
            if var.attribute == 0 {
                return self.whole_row(c, owner, var);
            }
            if let RangeKind::Join { columns, .. } = range.kind {
                let at = usize::try_from(var.attribute - 1).unwrap_or(usize::MAX);
                let expr =
                    columns.get(at).ok_or_else(|| Error::internal("a join has no such column"))?;
                return self.expr(c, owner, expr);
            }
        }
        if let Some(value) = self.virtual_value(c, owner, var)? {
            return Ok(value);
        }
        let param = self.param_of(owner, var)?;
        c.builder.param(param)
    }

    /// The old or the new row of RETURNING as one value; NULL when there is none.
    fn whole_half(
        &self,
        c: &mut Compiler<'_, 'q, 'p>,
        owner: &Level<'_, 'q>,
        var: Var,
        half: u32,
    ) -> Result<Reg> {
        let range = &owner.query.ranges[var.range as usize];
        let (mut registers, mut types) = (Vec::new(), Vec::new());
        for (i, ty) in range.types.iter().enumerate() {
            let attribute = i16::try_from(i + 1).unwrap_or(i16::MAX);
            match c.columns.var(Var { range: half, attribute, ..var }) {
                Some(column) if ty.oid != Oid::INVALID => {
                    registers.push(c.builder.input(column)?);
                    types.push(sql_type(*ty));
                }
                _ => {
                    registers.push(c.builder.constant(&Datum::Null)?);
                    types.push(SqlType::plain(Oid(oids::INT4)));
                }
            }
        }
        let row_type = match range.kind {
            RangeKind::Relation { row_type, .. } => row_type,
            _ => Oid(oids::RECORD),
        };
        let site = self.site(Oid::INVALID, &types, Type::plain(row_type), Oid::INVALID);
        c.builder.operation(self.operation(op::RowOrNull)?, site, &registers)
    }

    /// A row of a range as one value; NULL if all that is read of the range is missing.
    fn whole_row(
        &self,
        c: &mut Compiler<'_, 'q, 'p>,
        owner: &Level<'_, 'q>,
        var: Var,
    ) -> Result<Reg> {
        let range = &owner.query.ranges[var.range as usize];
        let (mut registers, mut types) = (Vec::new(), Vec::new());
        for (i, ty) in range.types.iter().enumerate() {
            if ty.oid == Oid::INVALID {
                // A dropped column keeps its place.
                registers.push(c.builder.constant(&Datum::Null)?);
                types.push(SqlType::plain(Oid(oids::INT4)));
                continue;
            }
            let attribute = i16::try_from(i + 1).unwrap_or(i16::MAX);
            registers.push(self.var(c, owner, Var { attribute, ..var })?);
            types.push(sql_type(*ty));
        }
        let ty = match range.kind {
            RangeKind::Relation { row_type, .. } => Type::plain(row_type),
            _ => crate::range::anonymous_row(range.columns, range.types),
        };
        let site = self.site(Oid::INVALID, &types, ty, Oid::INVALID);
        c.builder.operation(self.operation(op::RowValue)?, site, &registers)
    }

    fn call(
        &self,
        c: &mut Compiler<'_, 'q, 'p>,
        level: &Level<'_, 'q>,
        function: Oid,
        args: &[Expr<'q>],
        result: Type,
        variadic: bool,
    ) -> Result<Reg> {
        let registers = self.list(c, level, args)?;
        self.call_of(c, function, args, &registers, result, variadic)
    }

    /// `nextval` without its questions.
    fn identity_value(
        &self,
        c: &mut Compiler<'_, 'q, 'p>,
        level: &Level<'_, 'q>,
        function: Oid,
        sequence: &Expr<'q>,
        result: Type,
    ) -> Result<Reg> {
        let body: ScalarFn =
            |cx, args| cx.host.identity_value(args[0].oid().map(Oid)?).map(Datum::Int8);
        let register = self.expr(c, level, sequence)?;
        let types = [sql_type(sequence.ty)];
        let site = self.site(function, &types, result, Oid::INVALID);
        c.builder.call("", body, true, true, site, &[register])
    }

    fn call_registers(
        &self,
        c: &mut Compiler<'_, 'q, 'p>,
        function: Oid,
        args: &[Expr<'q>],
        registers: &[Reg],
        result: Type,
    ) -> Result<Reg> {
        self.call_of(c, function, args, registers, result, false)
    }

    fn call_of(
        &self,
        c: &mut Compiler<'_, 'q, 'p>,
        function: Oid,
        args: &[Expr<'q>],
        registers: &[Reg],
        result: Type,
        variadic: bool,
    ) -> Result<Reg> {
        let proc = self.catalog().proc(function)?;
        let types: Vec<SqlType> = args.iter().map(|arg| sql_type(arg.ty)).collect();
        let collation = input_collation(args);
        let site = Site { variadic, ..self.site(function, &types, result, collation) };
        let volatile = proc.volatility == Volatility::Volatile;
        match self.bound_body(&proc) {
            Some(Body::Scalar(body)) => {
                let source = if proc.language == INTERNAL { &proc.source } else { "" };
                return c.builder.call(source, body, proc.strict, volatile, site, registers);
            }
            _ if proc.language == INTERNAL => return Err(missing(&proc)),
            _ => {}
        }
        if volatile {
            c.builder.set_volatile();
        }
        let operation = self.operation(op::HostCall { strict: proc.strict })?;
        c.builder.operation(operation, site, registers)
    }

    /// The function behind an operator or a call, and whether it is strict.
    pub(crate) fn scalar_function(&self, function: Oid) -> Result<(ScalarFn, bool)> {
        let proc = self.catalog().proc(function)?;
        match self.bound_body(&proc) {
            Some(Body::Scalar(body)) => Ok((body, proc.strict)),
            _ if proc.language == INTERNAL => Err(missing(&proc)),
            _ => {
                let call: ScalarFn =
                    |cx, args| cx.host.call(cx.site.function, cx.site.collation, args, cx.bump);
                Ok((call, proc.strict))
            }
        }
    }

    /// What is bound to a function: by its `prosrc`, or by its number if it is defined in SQL.
    pub(crate) fn bound_body(&self, proc: &Proc) -> Option<Body> {
        let registry = self.env.registry();
        let found = match proc.language {
            INTERNAL => registry.find(&proc.source),
            _ => registry.numbered(proc.oid),
        };
        found.map(|found| found.body)
    }

    pub(crate) fn site<'s>(
        &self,
        function: Oid,
        args: &'s [SqlType],
        result: Type,
        collation: Oid,
    ) -> Site<'s> {
        Site { function, args, result: sql_type(result), collation, variadic: false }
    }

    pub(crate) fn operation<T: Operation + 'p>(&self, operation: T) -> Result<&'p dyn Operation> {
        Ok(&*self.bump.alloc(operation)?)
    }

    /// The type of an array type's elements.
    pub(crate) fn element_type(&self, array: Oid) -> Result<Oid> {
        let row = self.catalog().type_(self.compare_type(array)?)?;
        Ok(row.element)
    }

    /// Whether a value takes another variant of [`Datum`] when it is relabelled: among the types
    /// of equal bits that is so between integer and oid with its kin.
    fn changes_variant(&self, from: Oid, to: Oid) -> Result<bool> {
        let is_integer = |oid| Ok::<bool, Error>(self.compare_type(oid)? == Oid(oids::INT4));
        Ok(from != to && is_integer(from)? != is_integer(to)?)
    }

    /// The value of an expression that is made of constants and immutable functions only.
    ///
    /// # Errors
    /// Those of the functions, as PostgreSQL raises them at planning (engine rule 4).
    pub(crate) fn constant_value(&self, expr: &Expr<'q>) -> Result<Option<Datum<'q>>> {
        match expr.kind {
            ExprKind::Const(value) => Ok(Some(value)),
            ExprKind::CaseOperand => Ok(self.case_operands.borrow().last().copied().flatten()),
            ExprKind::Relabel { arg, .. } => {
                let changes = self.changes_variant(arg.ty.oid, expr.ty.oid)?;
                let value = self.constant_value(arg)?;
                Ok(value.map(|value| if changes { op::same_bits(value) } else { value }))
            }
            ExprKind::Collate(arg) => self.constant_value(arg),
            ExprKind::Function { function, args, returns_set: false, variadic, .. } => {
                self.constant_call(expr, function, args, variadic)
            }
            ExprKind::Operator { function, args, .. } => {
                self.constant_call(expr, function, args, false)
            }
            _ => Ok(None),
        }
    }

    fn constant_call(
        &self,
        expr: &Expr<'q>,
        function: Oid,
        args: &'q [Expr<'q>],
        variadic: bool,
    ) -> Result<Option<Datum<'q>>> {
        let mut values = Vec::with_capacity(args.len());
        for arg in args {
            match self.constant_value(arg)? {
                Some(value) => values.push(value),
                None => return Ok(None),
            }
        }
        let proc = self.catalog().proc(function)?;
        if proc.strict && values.iter().any(Datum::is_null) {
            return Ok(Some(Datum::Null));
        }
        let in_sql = proc.language != INTERNAL && self.bound_body(&proc).is_none();
        if proc.volatility != Volatility::Immutable || in_sql {
            return Ok(None);
        }
        let none = Columns::default();
        let scratch = Builder::new(self.bump);
        let mut compiler = Compiler::new(scratch, &none);
        let mut registers = Vec::new();
        for value in &values {
            registers.push(compiler.builder.constant(value)?);
        }
        let result = self.call_of(&mut compiler, function, args, &registers, expr.ty, variadic)?;
        let program = compiler.builder.finish(&[result])?;
        let cx = Value { bump: self.bump, host: self.env.host(), params: &[], subplans: None };
        let value = program.eval_one(&mut Runner::new(), &cx, Inputs::Row(&[]));
        let value = value.map_err(|error| match proc.language {
            INTERNAL => error,
            // PostgreSQL runs the function's text here; in rows it is part of the expression.
            _ => error.context(format!("SQL function \"{}\" statement 1", proc.name)),
        })?;
        Ok(Some(value.copy_to(&self.trees)?))
    }
}

fn missing(proc: &Ref<Proc>) -> Error {
    Error::unsupported(format!("function {}({}) is not supported yet", proc.name, proc.source))
}

/// The collation that a call compares by: that of the first argument that has one.
fn input_collation(args: &[Expr<'_>]) -> Oid {
    args.iter().map(|arg| arg.ty.collation).find(|oid| oid.is_valid()).unwrap_or(Oid::INVALID)
}
