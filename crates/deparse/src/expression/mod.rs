//! Expressions.
//!
//! How it works: [`Printer::expression`] prints a node without parentheses around it but those
//! that the node itself always has; [`Printer::operand`] adds what the place asks for.
//!
//! Rule: `implicit` is whether a cast at the top of the expression that nobody wrote is shown.
//! Sources: what PostgreSQL 18 prints.

mod call;
mod column;
mod constant;
mod json;
mod operator;
mod parentheses;
mod sublink;
mod syntax;

use crate::printer::{Printer, SMALL_STEP};
use analyze::tree::{
    BooleanTest, CaseArm, CastForm, ColumnUse, Expr, ExprKind, FunctionForm, SqlValue,
    SubscriptStep,
};
use base::Result;
use catalog::rows::TypeKind;
pub(crate) use parentheses::looks_like_function;
use types::oids;

fn explicit(form: CastForm) -> bool {
    form == CastForm::Explicit
}

impl<'q> Printer<'_, 'q, '_> {
    /// An expression.
    pub(crate) fn expression(&mut self, expr: &Expr<'q>, implicit: bool) -> Result<()> {
        base::stack::check_stack_depth()?;
        if let Some(value) = self.plan.and_then(|plan| plan.hooks.constant(expr)) {
            return self.constant(&value, expr.ty, 0);
        }
        match expr.kind {
            ExprKind::Const(value) => self.constant(&value, expr.ty, 0),
            ExprKind::Column(column) => self.column(column, expr.ty, false).map(drop),
            ExprKind::Param(number) => {
                self.parameter(number);
                Ok(())
            }
            ExprKind::Function { .. } => self.function(expr, implicit),
            ExprKind::Operator { .. }
            | ExprKind::ScalarArray { .. }
            | ExprKind::Distinct { .. }
            | ExprKind::RowCompare { .. } => self.operation(expr),
            ExprKind::NullIf { args, .. } => self.call_of("NULLIF", args),
            ExprKind::And(parts) => self.joined(expr, parts, " AND "),
            ExprKind::Or(parts) => self.joined(expr, parts, " OR "),
            ExprKind::Not(arg) if self.plan.is_some() => self.negated(arg),
            ExprKind::Not(arg) => self.enclosed(|printer| {
                printer.put("NOT ");
                printer.operand(arg, expr, false)
            }),
            ExprKind::IsNull { arg, negated, row } => self.is_null(expr, arg, negated, row),
            ExprKind::Boolean { arg, test } => self.enclosed(|printer| {
                printer.operand(arg, expr, false)?;
                printer.put(test_words(test));
                Ok(())
            }),
            ExprKind::Case { operand, arms, otherwise } => self.case(operand, arms, otherwise),
            ExprKind::CaseOperand => {
                // Outside of CASE it is the value that a domain checks.
                self.put("VALUE");
                Ok(())
            }
            ExprKind::Coalesce(args) => self.call_of("COALESCE", args),
            ExprKind::MinMax { greatest, args } => {
                self.call_of(if greatest { "GREATEST" } else { "LEAST" }, args)
            }
            ExprKind::Row { fields, .. } => self.row(expr, fields),
            ExprKind::Field { arg, field } => match field_of_range(arg, field) {
                Some(column) => self.column(column, expr.ty, false).map(drop),
                None => self.field(arg, field),
            },
            ExprKind::Array { elements, .. } => {
                self.put("ARRAY[");
                self.expressions(elements, true)?;
                self.put("]");
                if elements.is_empty() {
                    self.label(expr.ty.oid, -1)?;
                }
                Ok(())
            }
            ExprKind::Subscript { arg, steps, assign } => match assign {
                Some(value) => self.expression(value, implicit),
                None => self.subscript(arg, steps, implicit),
            },
            ExprKind::Relabel { arg, form } | ExprKind::ArrayCast { arg, form, .. } => {
                self.cast(expr, arg, explicit(form) || implicit, expr.ty.typmod)
            }
            ExprKind::ViaText { arg, form } => self.cast(expr, arg, explicit(form) || implicit, -1),
            ExprKind::Domain { arg, form } if !explicit(form) && !implicit => {
                self.expression(arg, false)
            }
            ExprKind::Domain { arg, .. } => self.cast(expr, arg, true, -1),
            ExprKind::Collate(arg) => {
                let name = self.collation_name(expr.ty.collation)?;
                self.enclosed(|printer| {
                    printer.operand(arg, expr, implicit)?;
                    printer.put(" COLLATE ");
                    printer.put(&name);
                    Ok(())
                })
            }
            ExprKind::SubLink(sublink) => {
                match self.plan.and_then(|plan| plan.hooks.subplan(sublink)) {
                    Some(subplan) => self.subplan(sublink, &subplan),
                    None => self.sublink(sublink),
                }
            }
            ExprKind::Aggregate(aggregate) => self.aggregate(aggregate),
            ExprKind::Json(json) => self.json(json, expr, implicit),
            ExprKind::Grouping { items, levels_up } => self.grouping(items, levels_up),
            ExprKind::Window(window) => self.window_call(window),
            ExprKind::SqlValue(value) => {
                self.sql_value(value, expr.ty.typmod);
                Ok(())
            }
            ExprKind::Default => {
                self.put("DEFAULT");
                Ok(())
            }
            ExprKind::CurrentOf { cursor, .. } => {
                self.put("CURRENT OF ");
                self.name(cursor);
                Ok(())
            }
        }
    }

    /// An expression where a bare `*` would mean something else than a whole row.
    pub(crate) fn top(&mut self, expr: &Expr<'q>, implicit: bool) -> Result<()> {
        match expr.kind {
            ExprKind::Column(column) => self.column(column, expr.ty, true).map(drop),
            _ => self.expression(expr, implicit),
        }
    }

    /// An expression as part of another.
    pub(crate) fn operand(
        &mut self,
        expr: &Expr<'q>,
        parent: &Expr<'q>,
        implicit: bool,
    ) -> Result<()> {
        let needed = self.style.few_parentheses && !self.is_simple(expr, Some(parent));
        if needed {
            self.put("(");
        }
        self.expression(expr, implicit)?;
        if needed {
            self.put(")");
        }
        Ok(())
    }

    /// In parentheses unless only those that are needed are wanted.
    pub(crate) fn enclosed(&mut self, inner: impl FnOnce(&mut Self) -> Result<()>) -> Result<()> {
        let shown = !self.style.few_parentheses;
        if shown {
            self.put("(");
        }
        inner(self)?;
        if shown {
            self.put(")");
        }
        Ok(())
    }

    fn joined(&mut self, expr: &Expr<'q>, parts: &[Expr<'q>], word: &str) -> Result<()> {
        if self.row_comparison(parts)? {
            return Ok(());
        }
        if self.plan.is_some() {
            let mut flat = Vec::new();
            flatten(expr, parts, &mut flat);
            self.put("(");
            for (at, part) in flat.into_iter().enumerate() {
                self.put(if at > 0 { word } else { "" });
                self.expression(part, false)?;
            }
            self.put(")");
            return Ok(());
        }
        self.enclosed(|printer| {
            for (at, part) in parts.iter().enumerate() {
                if at > 0 {
                    printer.put(word);
                }
                printer.operand(part, expr, false)?;
            }
            Ok(())
        })
    }

    /// The negation of a condition, as planning simplifies it.
    fn negated(&mut self, expr: &Expr<'q>) -> Result<()> {
        let parts = match expr.kind {
            ExprKind::Not(arg) => return self.expression(arg, false),
            ExprKind::And(parts) => Some((parts, " OR ")),
            ExprKind::Or(parts) => Some((parts, " AND ")),
            _ => None,
        };
        if let Some((parts, word)) = parts {
            self.put("(");
            for (at, part) in parts.iter().enumerate() {
                self.put(if at > 0 { word } else { "" });
                self.negated(part)?;
            }
            self.put(")");
            return Ok(());
        }
        let negated = match expr.kind {
            ExprKind::Operator { operator, function, args } => {
                let operator = self.env.catalog().operator(operator)?.negator;
                operator.is_valid().then_some(ExprKind::Operator { operator, function, args })
            }
            ExprKind::ScalarArray { operator, function, any, left, right } => {
                let operator = self.env.catalog().operator(operator)?.negator;
                let any = !any;
                let negated = ExprKind::ScalarArray { operator, function, any, left, right };
                operator.is_valid().then_some(negated)
            }
            ExprKind::IsNull { arg, negated, row: false } => {
                Some(ExprKind::IsNull { arg, negated: !negated, row: false })
            }
            ExprKind::Boolean { arg, test } => {
                Some(ExprKind::Boolean { arg, test: opposite(test) })
            }
            _ => None,
        };
        match negated {
            Some(kind) => self.expression(&Expr { kind, ..*expr }, false),
            None => {
                self.put("(NOT ");
                self.expression(expr, false)?;
                self.put(")");
                Ok(())
            }
        }
    }

    fn call_of(&mut self, name: &str, args: &[Expr<'q>]) -> Result<()> {
        self.put(name);
        self.put("(");
        self.expressions(args, true)?;
        self.put(")");
        Ok(())
    }

    fn is_null(&mut self, expr: &Expr<'q>, arg: &Expr<'q>, negated: bool, row: bool) -> Result<()> {
        let composite = !row && self.is_composite(arg)?;
        self.enclosed(|printer| {
            printer.operand(arg, expr, true)?;
            printer.put(match (composite, negated) {
                (false, false) => " IS NULL",
                (false, true) => " IS NOT NULL",
                (true, false) => " IS NOT DISTINCT FROM NULL",
                (true, true) => " IS DISTINCT FROM NULL",
            });
            Ok(())
        })
    }

    fn is_composite(&self, expr: &Expr<'_>) -> Result<bool> {
        if expr.ty.oid.0 == oids::RECORD {
            return Ok(true);
        }
        let found = self.env.catalog().find_type(expr.ty.oid)?;
        Ok(found.is_some_and(|row| row.kind == TypeKind::Composite))
    }

    fn case(
        &mut self,
        operand: Option<&Expr<'q>>,
        arms: &[CaseArm<'q>],
        otherwise: Option<&Expr<'q>>,
    ) -> Result<()> {
        let gap = if self.style.indented { "" } else { " " };
        self.keyword("CASE", 0, SMALL_STEP, 0);
        if let Some(operand) = operand {
            self.put(" ");
            self.expression(operand, true)?;
        }
        for arm in arms {
            self.put(gap);
            self.keyword("WHEN ", 0, 0, 0);
            let compared = operand.and_then(|_| compared_with_operand(&arm.when));
            self.expression(compared.unwrap_or(&arm.when), false)?;
            self.put(" THEN ");
            self.expression(&arm.then, true)?;
        }
        self.put(gap);
        self.keyword("ELSE ", 0, 0, 0);
        match otherwise {
            Some(otherwise) => self.expression(otherwise, true)?,
            None => {
                self.put("NULL");
                if let Some(first) = arms.first() {
                    self.label(first.then.ty.oid, -1)?;
                }
            }
        }
        self.put(gap);
        self.keyword("END", -SMALL_STEP, 0, 0);
        Ok(())
    }

    fn row(&mut self, expr: &Expr<'q>, fields: &[Expr<'q>]) -> Result<()> {
        self.put("ROW(");
        self.list(fields, |printer, field| printer.top(field, true))?;
        self.put(")");
        if expr.ty.oid.0 != oids::RECORD {
            self.label(expr.ty.oid, -1)?;
        }
        Ok(())
    }

    fn field(&mut self, arg: &Expr<'q>, field: i16) -> Result<()> {
        let bare = matches!(arg.kind, ExprKind::Subscript { .. } | ExprKind::Field { .. });
        self.put(if bare { "" } else { "(" });
        self.expression(arg, true)?;
        self.put(if bare { "" } else { ")" });
        let name = self.field_name(arg, field)?;
        self.put(".");
        self.name(&name);
        Ok(())
    }

    fn field_name(&self, arg: &Expr<'q>, field: i16) -> Result<String> {
        let at = usize::try_from(field - 1).unwrap_or(0);
        if let ExprKind::Row { names, .. } = arg.kind
            && let Some(name) = names.get(at)
        {
            return Ok((*name).to_owned());
        }
        let catalog = self.env.catalog();
        let (base, _) = catalog.base_type(arg.ty.oid, -1)?;
        if let Some(row) = catalog.find_type(base)?
            && row.relation.is_valid()
        {
            let relation = catalog.relation(row.relation)?;
            if let Some(column) = relation.column_at(field) {
                return Ok(column.name.clone());
            }
        }
        if let ExprKind::Column(column) = arg.kind
            && column.attribute == 0
            && let Some(name) = self.column_text(column.range, column.levels_up, field)
        {
            return Ok(name);
        }
        if let ExprKind::Function { function, .. } = arg.kind {
            let proc = catalog.proc(function)?;
            let modes = proc.arg_modes.as_deref().unwrap_or_default();
            let names = proc.arg_names.as_deref().unwrap_or_default();
            let mut out = modes.iter().zip(names).filter(|(mode, _)| {
                use catalog::rows::ArgMode;
                matches!(mode, ArgMode::Out | ArgMode::InOut | ArgMode::Table)
            });
            if let Some((_, name)) = out.nth(at) {
                return Ok(name.to_string());
            }
        }
        Ok(format!("f{field}"))
    }

    fn subscript(
        &mut self,
        arg: &Expr<'q>,
        steps: &[SubscriptStep<'q>],
        implicit: bool,
    ) -> Result<()> {
        let bare = matches!(arg.kind, ExprKind::Column(_) | ExprKind::Field { .. });
        self.put(if bare { "" } else { "(" });
        self.expression(arg, implicit)?;
        self.put(if bare { "" } else { ")" });
        self.subscripts(steps)
    }

    pub(crate) fn subscripts(&mut self, steps: &[SubscriptStep<'q>]) -> Result<()> {
        for step in steps {
            self.put("[");
            match step {
                SubscriptStep::Index(index) => self.expression(index, false)?,
                SubscriptStep::Slice(low, high) => {
                    if let Some(low) = low {
                        self.expression(low, false)?;
                    }
                    self.put(":");
                    if let Some(high) = high {
                        self.expression(high, false)?;
                    }
                }
            }
            self.put("]");
        }
        Ok(())
    }

    /// A cast, shown or not.
    fn cast(&mut self, expr: &Expr<'q>, arg: &Expr<'q>, shown: bool, typmod: i32) -> Result<()> {
        if !shown {
            return self.operand(arg, expr, false);
        }
        match arg.kind {
            // The label says the same again.
            ExprKind::Const(value) if arg.ty.oid == expr.ty.oid && arg.ty.typmod == -1 => {
                self.constant(&value, arg.ty, -1)?;
            }
            _ => self.enclosed(|printer| printer.operand(arg, expr, false))?,
        }
        self.label(expr.ty.oid, typmod)
    }

    fn function(&mut self, expr: &Expr<'q>, implicit: bool) -> Result<()> {
        let ExprKind::Function { function, args, variadic, form, .. } = expr.kind else {
            return Ok(());
        };
        match (form, args) {
            (FunctionForm::ImplicitCast, [arg, ..]) if !implicit => self.operand(arg, expr, false),
            (FunctionForm::ImplicitCast | FunctionForm::ExplicitCast, [arg, rest @ ..]) => {
                // Only a function of a length shows it, and does so for the cast below it, too.
                let typmod = if rest.is_empty() { -1 } else { expr.ty.typmod };
                let below = cast_argument(arg).filter(|_| arg.ty.oid == expr.ty.oid);
                self.cast(expr, below.filter(|_| !rest.is_empty()).unwrap_or(arg), true, typmod)
            }
            _ => {
                let args = self.written(function, args)?;
                let special = form == FunctionForm::SqlSyntax;
                if special && self.sql_syntax(expr, function, args)? {
                    return Ok(());
                }
                self.call(function, args, variadic)
            }
        }
    }

    fn parameter(&mut self, number: u32) {
        let at = (number as usize).checked_sub(1);
        match at.and_then(|at| self.parameters.get(at)).filter(|name| !name.is_empty()).cloned() {
            Some(name) => self.name(&name),
            None => self.put(&format!("${number}")),
        }
    }

    fn sql_value(&mut self, value: SqlValue, typmod: i32) {
        self.put(match value {
            SqlValue::CurrentDate => "CURRENT_DATE",
            SqlValue::CurrentTime => "CURRENT_TIME",
            SqlValue::CurrentTimestamp => "CURRENT_TIMESTAMP",
            SqlValue::LocalTime => "LOCALTIME",
            SqlValue::LocalTimestamp => "LOCALTIMESTAMP",
            SqlValue::CurrentRole => "CURRENT_ROLE",
            SqlValue::CurrentUser => "CURRENT_USER",
            SqlValue::User => "USER",
            SqlValue::SessionUser => "SESSION_USER",
            SqlValue::CurrentCatalog => "CURRENT_CATALOG",
            SqlValue::CurrentSchema => "CURRENT_SCHEMA",
        });
        if typmod >= 0 {
            self.put(&format!("({typmod})"));
        }
    }
}

fn test_words(test: BooleanTest) -> &'static str {
    match test {
        BooleanTest::IsTrue => " IS TRUE",
        BooleanTest::IsNotTrue => " IS NOT TRUE",
        BooleanTest::IsFalse => " IS FALSE",
        BooleanTest::IsNotFalse => " IS NOT FALSE",
        BooleanTest::IsUnknown => " IS UNKNOWN",
        BooleanTest::IsNotUnknown => " IS NOT UNKNOWN",
    }
}

/// A field of a range's whole row is the range's column.
pub(crate) fn field_of_range(arg: &Expr<'_>, field: i16) -> Option<ColumnUse> {
    match arg.kind {
        ExprKind::Column(column) if column.attribute == 0 => {
            Some(ColumnUse { attribute: field, ..column })
        }
        _ => None,
    }
}

/// What a cast casts.
fn cast_argument<'c, 'q>(expr: &'c Expr<'q>) -> Option<&'c Expr<'q>> {
    match &expr.kind {
        ExprKind::Relabel { arg, .. }
        | ExprKind::ViaText { arg, .. }
        | ExprKind::ArrayCast { arg, .. } => Some(arg),
        ExprKind::Function {
            form: FunctionForm::ImplicitCast | FunctionForm::ExplicitCast,
            args: [arg, ..],
            ..
        } => Some(arg),
        _ => None,
    }
}

/// What is under the casts that nobody wrote.
pub(crate) fn strip_implicit<'c, 'q>(expr: &'c Expr<'q>) -> &'c Expr<'q> {
    let implicit = match expr.kind {
        ExprKind::Relabel { form, .. }
        | ExprKind::ViaText { form, .. }
        | ExprKind::ArrayCast { form, .. }
        | ExprKind::Domain { form, .. } => !explicit(form),
        ExprKind::Function { form, .. } => form == FunctionForm::ImplicitCast,
        _ => false,
    };
    let below = match expr.kind {
        ExprKind::Domain { arg, .. } => Some(arg),
        _ => cast_argument(expr),
    };
    match below {
        Some(below) if implicit => strip_implicit(below),
        _ => expr,
    }
}

fn opposite(test: BooleanTest) -> BooleanTest {
    match test {
        BooleanTest::IsTrue => BooleanTest::IsNotTrue,
        BooleanTest::IsNotTrue => BooleanTest::IsTrue,
        BooleanTest::IsFalse => BooleanTest::IsNotFalse,
        BooleanTest::IsNotFalse => BooleanTest::IsFalse,
        BooleanTest::IsUnknown => BooleanTest::IsNotUnknown,
        BooleanTest::IsNotUnknown => BooleanTest::IsUnknown,
    }
}

/// The parts of a connective and of those of its kind in it.
fn flatten<'c, 'q>(expr: &Expr<'q>, parts: &'c [Expr<'q>], out: &mut Vec<&'c Expr<'q>>) {
    for part in parts {
        match (expr.kind, part.kind) {
            (ExprKind::And(_), ExprKind::And(inner)) | (ExprKind::Or(_), ExprKind::Or(inner)) => {
                flatten(expr, inner, out);
            }
            _ => out.push(part),
        }
    }
}

/// What a WHEN of a CASE with an operand compares it with.
fn compared_with_operand<'w, 'q>(when: &'w Expr<'q>) -> Option<&'w Expr<'q>> {
    match when.kind {
        ExprKind::Operator { args: [left, right], .. } if is_case_operand(left) => Some(right),
        _ => None,
    }
}

fn is_case_operand(expr: &Expr<'_>) -> bool {
    matches!(strip_implicit(expr).kind, ExprKind::CaseOperand)
}
