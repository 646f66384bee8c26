//! Expressions: one method a kind of syntax.

mod call;
mod compare;
mod json;
mod json_query;
mod reference;
mod value;

use crate::coerce::{BOOL, CATEGORY_STRING, Context, INT4, RECORD, TEXT, UNKNOWN};
use crate::scope::{Clause, Level};
use crate::tree::{
    BooleanTest, CaseArm, ColumnUse, Expr, ExprKind, MERGE_ACTION, ReturningRow, SqlValue,
    SubscriptStep, Type,
};
use crate::{Analyzer, byte_of, location_of};
use base::{Error, Oid, Result, err};
use parse::{CaseWhen, Expression, Indirection, Location, SqlValueFunction, TypeName};
use types::oids;

impl<'q> Analyzer<'q, '_> {
    /// Analyses an expression that stands in a clause.
    pub(crate) fn expression(
        &self,
        level: &Level<'q, '_>,
        expression: &Expression<'_>,
        clause: Clause,
    ) -> Result<Expr<'q>> {
        let before = level.clause.replace(clause);
        let result = self.transform(level, expression);
        level.clause.set(before);
        result
    }

    /// Analyses a part of an expression, in the clause of the whole.
    pub(crate) fn transform(
        &self,
        level: &Level<'q, '_>,
        expression: &Expression<'_>,
    ) -> Result<Expr<'q>> {
        base::stack::check_stack_depth()?;
        use Expression as E;
        match *expression {
            E::ColumnRef { fields, location } => self.column_ref(level, fields, location),
            E::ParamRef { number, location } => self.param_ref(number, location),
            E::Const { value, location } => self.constant(value, location),
            E::TypeCast { arg, type_name, location } => {
                self.type_cast(level, arg, type_name, location)
            }
            E::Collate { arg, collation, location } => {
                self.collate(level, arg, collation, location)
            }
            E::Operator { name, left, right, location } => {
                self.operation(level, name, left, right, location)
            }
            E::OperatorAny { name, all, left, right, location } => {
                let left = self.transform(level, left)?;
                let right = self.transform(level, right)?;
                self.make_scalar_array(name, !all, left, right, location)
            }
            E::Distinct { negated, left, right, location } => {
                self.distinct(level, negated, left, right, location)
            }
            E::NullIf { left, right, location } => self.null_if(level, left, right, location),
            E::In { negated, left, list, location } => {
                self.in_list(level, negated, left, list, location)
            }
            E::Like { name, left, right, location, .. } => {
                let left = self.transform(level, left)?;
                let right = self.transform(level, right)?;
                self.make_operator(name, Some(left), right, location)
            }
            E::Between { negated, symmetric, left, low, high, location } => {
                self.between(level, (negated, symmetric), left, (low, high), location)
            }
            E::And { args, location } => self.boolean_args(level, args, "AND", location),
            E::Or { args, location } => self.boolean_args(level, args, "OR", location),
            E::Not { arg, location } => {
                let arg = self.transform(level, arg)?;
                let arg = self.coerce_boolean(arg, "NOT")?;
                Ok(Expr {
                    kind: ExprKind::Not(self.alloc(arg)?),
                    ty: Type::plain(BOOL),
                    at: byte_of(location),
                })
            }
            E::FuncCall(call) => self.function_call(level, call),
            E::Indirection { arg, steps } => {
                let value = self.transform(level, arg)?;
                self.indirection(level, value, steps, arg.location())
            }
            E::SubLink(link) => self.sub_link(level, link),
            _ => self.special(level, expression),
        }
    }

    /// The expressions that have syntax of their own.
    fn special(&self, level: &Level<'q, '_>, expression: &Expression<'_>) -> Result<Expr<'q>> {
        use Expression as E;
        match *expression {
            E::Array { elements, location } => self.array(level, elements, None, location),
            E::Row { args, location, .. } => self.row(level, args, location),
            E::Case { arg, whens, default, location } => {
                self.case(level, arg, whens, default, location)
            }
            E::Coalesce { args, location } => {
                let args = self.transform_all(level, args)?;
                self.same_type(level, args, "COALESCE", location)
            }
            E::MinMax { greatest, args, location } => {
                let args = self.transform_all(level, args)?;
                let construct = if greatest { "GREATEST" } else { "LEAST" };
                self.same_type(level, args, construct, location)
            }
            E::SqlValueFunction { function, typmod, location } => {
                self.value_function(function, typmod, location)
            }
            E::NullTest { arg, negated, location } => self.null_test(level, arg, negated, location),
            E::BooleanTest { arg, test, location } => self.boolean_test(level, arg, test, location),
            E::Grouping { args, location } => self.grouping_call(level, args, location),
            E::NamedArg { name, location, .. } => {
                let error = err!(SYNTAX_ERROR, "named argument \"{name}\" stands outside a call");
                Err(self.at(error, location))
            }
            E::Default { location } => self.default(level, location),
            E::CurrentOf { .. } => Err(Error::internal("CURRENT OF outside UPDATE and DELETE")),
            E::MergeAction { location } => {
                let found = level
                    .levels()
                    .enumerate()
                    .find_map(|(up, outer)| outer.merge_target.get().map(|range| (up, range)));
                let Some((up, range)) = found else {
                    let error = err!(
                        SYNTAX_ERROR,
                        "MERGE_ACTION() can only be used in the RETURNING list of a MERGE command"
                    );
                    return Err(self.at(error, location));
                };
                let column = ColumnUse {
                    range,
                    attribute: MERGE_ACTION,
                    levels_up: u16::try_from(up).unwrap_or(u16::MAX),
                    returning: ReturningRow::Default,
                };
                let ty = self.typed(TEXT, -1)?;
                Ok(Expr { kind: ExprKind::Column(column), ty, at: byte_of(location) })
            }
            E::Json(json) => self.json(level, json),
            E::Other { what, location } => {
                let error = Error::unsupported(format!("{what} is not supported yet"));
                Err(self.at(error, location))
            }
            _ => Err(Error::internal("an expression was missed")),
        }
    }

    pub(crate) fn transform_all(
        &self,
        level: &Level<'q, '_>,
        expressions: &[Expression<'_>],
    ) -> Result<Vec<Expr<'q>>> {
        expressions.iter().map(|expression| self.transform(level, expression)).collect()
    }

    fn default(&self, level: &Level<'q, '_>, location: Location) -> Result<Expr<'q>> {
        if matches!(
            level.clause.get(),
            Clause::UpdateSource | Clause::ValuesSingle | Clause::Values
        ) {
            // Who knows the target column gives it a type or an error.
            return Ok(Expr {
                kind: ExprKind::Default,
                ty: Type::plain(UNKNOWN),
                at: byte_of(location),
            });
        }
        let error = err!(SYNTAX_ERROR, "DEFAULT is not allowed in this context");
        Err(self.at(error, location))
    }

    fn boolean_args(
        &self,
        level: &Level<'q, '_>,
        args: &[Expression<'_>],
        name: &str,
        location: Location,
    ) -> Result<Expr<'q>> {
        let mut parts = Vec::with_capacity(args.len());
        for arg in args {
            let arg = self.transform(level, arg)?;
            parts.push(self.coerce_boolean(arg, name)?);
        }
        let location = parts.first().map_or(location, |p| location.leftmost(location_of(p)));
        let parts = self.slice(&parts)?;
        let kind = if name == "AND" { ExprKind::And(parts) } else { ExprKind::Or(parts) };
        Ok(Expr { kind, ty: Type::plain(BOOL), at: byte_of(location) })
    }

    fn boolean_test(
        &self,
        level: &Level<'q, '_>,
        arg: &Expression<'_>,
        test: parse::BooleanTest,
        location: Location,
    ) -> Result<Expr<'q>> {
        use parse::BooleanTest as P;
        let (test, construct) = match test {
            P::IsTrue => (BooleanTest::IsTrue, "IS TRUE"),
            P::IsNotTrue => (BooleanTest::IsNotTrue, "IS NOT TRUE"),
            P::IsFalse => (BooleanTest::IsFalse, "IS FALSE"),
            P::IsNotFalse => (BooleanTest::IsNotFalse, "IS NOT FALSE"),
            P::IsUnknown => (BooleanTest::IsUnknown, "IS UNKNOWN"),
            P::IsNotUnknown => (BooleanTest::IsNotUnknown, "IS NOT UNKNOWN"),
        };
        let arg = self.transform(level, arg)?;
        let arg = self.coerce_boolean(arg, construct)?;
        let at = byte_of(location.leftmost(location_of(&arg)));
        Ok(Expr {
            kind: ExprKind::Boolean { arg: self.alloc(arg)?, test },
            ty: Type::plain(BOOL),
            at,
        })
    }

    /// An explicit cast.
    fn type_cast(
        &self,
        level: &Level<'q, '_>,
        arg: &Expression<'_>,
        name: &TypeName<'_>,
        location: Location,
    ) -> Result<Expr<'q>> {
        if name.setof {
            let error = err!(SYNTAX_ERROR, "cannot cast to a set");
            return Err(self.at(error, name.location));
        }
        let (target, typmod) = self.resolve_type(name)?;
        let location = if location == Location::NONE { name.location } else { location };
        let value = match *arg {
            Expression::Array { elements, location } => {
                let (base, _) = self.env.catalog().base_type(target, typmod)?;
                let element = self.element_type(base)?;
                let wanted = element.is_valid().then_some((base, element, typmod));
                self.array(level, elements, wanted, location)?
            }
            _ => self.transform(level, arg)?,
        };
        let cast = self.coerce_to_target(value, target, typmod, Context::Explicit, location)?;
        let at = location.leftmost(location_of(&value)).leftmost(name.location);
        match cast {
            Some(cast) => Ok(Expr { at: byte_of(at), ..cast }),
            None => {
                let (from, to) = (self.type_name(value.ty.oid)?, self.type_name(target)?);
                let error = err!(CANNOT_COERCE, "cannot cast type {from} to {to}");
                Err(self.at(error, location))
            }
        }
    }

    fn collate(
        &self,
        level: &Level<'q, '_>,
        arg: &Expression<'_>,
        collation: &[&str],
        location: Location,
    ) -> Result<Expr<'q>> {
        let arg = self.transform(level, arg)?;
        if arg.ty.oid != UNKNOWN && !self.type_row(arg.ty.oid)?.collation.is_valid() {
            let name = self.type_name(arg.ty.oid)?;
            let error = err!(DATATYPE_MISMATCH, "collations are not supported by type {name}");
            return Err(self.at(error, location));
        }
        let oid = self.find_collation(collation, location)?;
        let ty = Type { collation: oid, ..arg.ty };
        let at = byte_of(location.leftmost(location_of(&arg)));
        Ok(Expr { kind: ExprKind::Collate(self.alloc(arg)?), ty, at })
    }

    /// The collation of a name.
    pub(crate) fn find_collation(&self, name: &[&str], location: Location) -> Result<Oid> {
        let (schema, bare) = crate::function::split_name(name)?;
        match self.env.catalog().collation_named(schema, bare)? {
            Some(row) => Ok(row.oid),
            None => {
                let error = err!(
                    UNDEFINED_OBJECT,
                    "collation \"{}\" for encoding \"UTF8\" does not exist",
                    name.join(".")
                );
                Err(self.at(error, location))
            }
        }
    }

    fn case(
        &self,
        level: &Level<'q, '_>,
        arg: Option<&Expression<'_>>,
        whens: &[CaseWhen<'_>],
        default: Option<&Expression<'_>>,
        location: Location,
    ) -> Result<Expr<'q>> {
        let mut operand = None;
        if let Some(arg) = arg {
            let mut value = self.transform(level, arg)?;
            // A literal is text, so that it is the same in each comparison.
            if value.ty.oid == UNKNOWN {
                value = self.coerce_common(value, TEXT, "CASE")?;
            }
            operand = Some(value);
        }
        let (mut conditions, mut results) = (Vec::new(), Vec::new());
        for when in whens {
            let mut condition = self.transform(level, when.condition)?;
            if let Some(operand) = operand {
                let place = Expr { kind: ExprKind::CaseOperand, ty: operand.ty, at: None };
                condition = self.make_operator(&["="], Some(place), condition, when.location)?;
            }
            conditions.push(self.coerce_boolean(condition, "CASE/WHEN")?);
            results.push(self.transform(level, when.result)?);
        }
        let otherwise = match default {
            Some(default) => self.transform(level, default)?,
            None => self.constant(parse::Constant::Null, Location::NONE)?,
        };
        // PostgreSQL looks at ELSE first.
        let mut values = vec![otherwise];
        values.extend(results);
        let target = self.common_type(&values, Some("CASE"))?.unwrap_or(TEXT);
        for (at, value) in values.iter_mut().enumerate() {
            let construct = if at == 0 { "CASE/ELSE" } else { "CASE/WHEN" };
            *value = self.coerce_common(*value, target, construct)?;
        }
        self.no_sets(level, &values, "CASE")?;
        let typmod = self.common_typmod(&values, target);
        let collation = self.result_collation(target, &values)?;
        let otherwise = self.alloc(values[0])?;
        let arms: Vec<CaseArm<'q>> = conditions
            .into_iter()
            .zip(&values[1..])
            .map(|(when, then)| CaseArm { when, then: *then })
            .collect();
        let kind = ExprKind::Case {
            operand: operand.map(|operand| self.alloc(operand)).transpose()?,
            arms: self.slice(&arms)?,
            otherwise: Some(otherwise),
        };
        Ok(Expr { kind, ty: Type { oid: target, typmod, collation }, at: byte_of(location) })
    }

    /// COALESCE, GREATEST, LEAST.
    fn same_type(
        &self,
        level: &Level<'q, '_>,
        mut args: Vec<Expr<'q>>,
        construct: &str,
        location: Location,
    ) -> Result<Expr<'q>> {
        let target = self.coerce_all_common(&mut args, construct)?;
        self.no_sets(level, &args, construct)?;
        let typmod = self.common_typmod(&args, target);
        let collation = self.result_collation(target, &args)?;
        let args = self.slice(&args)?;
        let kind = match construct {
            "COALESCE" => ExprKind::Coalesce(args),
            _ => {
                if self.find_sort_operators(target)?.is_none() {
                    let name = self.type_name(target)?;
                    return Err(err!(
                        UNDEFINED_FUNCTION,
                        "could not identify a comparison function for type {name}"
                    ));
                }
                ExprKind::MinMax { greatest: construct == "GREATEST", args }
            }
        };
        Ok(Expr { kind, ty: Type { oid: target, typmod, collation }, at: byte_of(location) })
    }

    /// 0A000 for set-returning calls where evaluation may be skipped.
    fn no_sets(&self, level: &Level<'q, '_>, args: &[Expr<'q>], what: &str) -> Result<()> {
        if !level.has_target_sets.get() {
            return Ok(());
        }
        for arg in args {
            if crate::walk::returns_set(arg) {
                let error = err!(
                    FEATURE_NOT_SUPPORTED,
                    "set-returning functions are not allowed in {what}"
                )
                .hint(
                    "You might be able to move the set-returning function into a LATERAL FROM item.",
                );
                return Err(self.at_expr(error, arg));
            }
        }
        Ok(())
    }

    fn value_function(
        &self,
        function: SqlValueFunction,
        typmod: i32,
        location: Location,
    ) -> Result<Expr<'q>> {
        use SqlValueFunction as F;
        let (value, oid) = match function {
            F::CurrentDate => (SqlValue::CurrentDate, oids::DATE),
            F::CurrentTime => (SqlValue::CurrentTime, oids::TIMETZ),
            F::CurrentTimestamp => (SqlValue::CurrentTimestamp, oids::TIMESTAMPTZ),
            F::LocalTime => (SqlValue::LocalTime, oids::TIME),
            F::LocalTimestamp => (SqlValue::LocalTimestamp, oids::TIMESTAMP),
            F::CurrentRole => (SqlValue::CurrentRole, oids::NAME),
            F::CurrentUser => (SqlValue::CurrentUser, oids::NAME),
            F::User => (SqlValue::User, oids::NAME),
            F::SessionUser => (SqlValue::SessionUser, oids::NAME),
            F::CurrentCatalog => (SqlValue::CurrentCatalog, oids::NAME),
            F::CurrentSchema => (SqlValue::CurrentSchema, oids::NAME),
        };
        let ty = self.typed(Oid(oid), typmod.min(6))?;
        Ok(Expr { kind: ExprKind::SqlValue(value), ty, at: byte_of(location) })
    }

    /// `ARRAY[…]`; `wanted` has the array type, element type and modifier of a cast around it.
    fn array(
        &self,
        level: &Level<'q, '_>,
        elements: &[Expression<'_>],
        wanted: Option<(Oid, Oid, i32)>,
        location: Location,
    ) -> Result<Expr<'q>> {
        let mut values = Vec::with_capacity(elements.len());
        let mut nested = false;
        for element in elements {
            let value = match *element {
                Expression::Array { elements, location } => {
                    nested = true;
                    self.array(level, elements, wanted, location)?
                }
                _ => {
                    let value = self.transform(level, element)?;
                    // The vectors of the catalogs are elements, not rows of a matrix.
                    nested |= !matches!(value.ty.oid.0, oids::INT2VECTOR | oids::OIDVECTOR)
                        && self.element_type(value.ty.oid)?.is_valid();
                    value
                }
            };
            values.push(value);
        }
        let (array, element) = match wanted {
            Some((array, element, _)) => (array, if nested { array } else { element }),
            None => self.array_of(&values, nested, location)?,
        };
        for value in &mut values {
            *value = match wanted {
                Some((_, _, typmod)) => {
                    let at = location_of(value);
                    let context = Context::Explicit;
                    match self.coerce_to_target(*value, element, typmod, context, at)? {
                        Some(cast) => cast,
                        None => {
                            let (from, to) =
                                (self.type_name(value.ty.oid)?, self.type_name(element)?);
                            let error = err!(CANNOT_COERCE, "cannot cast type {from} to {to}");
                            return Err(self.at(error, at));
                        }
                    }
                }
                None => self.coerce_common(*value, element, "ARRAY")?,
            };
        }
        let collation = self.result_collation(array, &values)?;
        let kind = ExprKind::Array { elements: self.slice(&values)?, nested };
        Ok(Expr { kind, ty: Type { oid: array, typmod: -1, collation }, at: byte_of(location) })
    }

    /// The array type and the type of the listed values.
    fn array_of(
        &self,
        values: &[Expr<'q>],
        nested: bool,
        location: Location,
    ) -> Result<(Oid, Oid)> {
        if values.is_empty() {
            let error = err!(INDETERMINATE_DATATYPE, "cannot determine type of empty array")
                .hint("Explicitly cast to the desired type, for example ARRAY[]::integer[].");
            return Err(self.at(error, location));
        }
        let common = self.common_type(values, Some("ARRAY"))?.unwrap_or(TEXT);
        if nested {
            let array = self.base_type(common)?;
            if !self.element_type(array)?.is_valid() {
                let name = self.type_name(common)?;
                let error =
                    err!(UNDEFINED_OBJECT, "could not find element type for data type {name}");
                return Err(self.at(error, location));
            }
            return Ok((array, common));
        }
        let array = self.array_type(common)?;
        if !array.is_valid() {
            let name = self.type_name(common)?;
            let error = err!(UNDEFINED_OBJECT, "could not find array type for data type {name}");
            return Err(self.at(error, location));
        }
        Ok((array, common))
    }

    fn row(
        &self,
        level: &Level<'q, '_>,
        args: &[Expression<'_>],
        location: Location,
    ) -> Result<Expr<'q>> {
        let fields = self.expand_row(level, args)?;
        if fields.len() > base::limits::TARGET_COLUMNS_MAX {
            let error = err!(
                TOO_MANY_COLUMNS,
                "ROW expressions can have at most {} entries",
                base::limits::TARGET_COLUMNS_MAX
            );
            return Err(self.at(error, location));
        }
        let names: Vec<String> = (1..=fields.len()).map(|n| format!("f{n}")).collect();
        let kind = ExprKind::Row { fields: self.slice(&fields)?, names: self.texts(&names)? };
        Ok(Expr { kind, ty: Type::plain(RECORD), at: byte_of(location) })
    }

    /// Field selection and subscripts.
    pub(crate) fn indirection(
        &self,
        level: &Level<'q, '_>,
        mut value: Expr<'q>,
        steps: &[Indirection<'_>],
        location: Location,
    ) -> Result<Expr<'q>> {
        let mut subscripts: Vec<&Indirection<'_>> = Vec::new();
        for step in steps {
            match step {
                Indirection::Index(_) | Indirection::Slice(..) => subscripts.push(step),
                Indirection::Star => {
                    let error = err!(
                        FEATURE_NOT_SUPPORTED,
                        "row expansion via \"*\" is not supported here"
                    );
                    return Err(self.at(error, location));
                }
                Indirection::Field(name) => {
                    if !subscripts.is_empty() {
                        value = self.subscript(level, value, &subscripts)?;
                        subscripts.clear();
                    }
                    value = self.field_or_function(level, value, name, location)?;
                }
            }
        }
        if !subscripts.is_empty() {
            value = self.subscript(level, value, &subscripts)?;
        }
        Ok(value)
    }

    fn subscript(
        &self,
        level: &Level<'q, '_>,
        container: Expr<'q>,
        steps: &[&Indirection<'_>],
    ) -> Result<Expr<'q>> {
        const DIMENSIONS_MAX: usize = 6;
        let (base, _) = self.env.catalog().base_type(container.ty.oid, -1)?;
        let row = self.type_row(base)?;
        if base.0 != oids::JSONB && !row.element.is_valid() {
            let name = self.type_name(container.ty.oid)?;
            let error = err!(
                DATATYPE_MISMATCH,
                "cannot subscript type {name} because it does not support subscripting"
            );
            return Err(self.at_expr(error, &container));
        }
        if row.is_true_array() && steps.len() > DIMENSIONS_MAX {
            return Err(err!(
                PROGRAM_LIMIT_EXCEEDED,
                "number of array dimensions ({}) exceeds the maximum allowed ({DIMENSIONS_MAX})",
                steps.len()
            ));
        }
        let slice = steps.iter().any(|step| matches!(step, Indirection::Slice(..)));
        let mut bound = Vec::new();
        for step in steps {
            bound.push(self.subscript_step(level, step, base, slice)?);
        }
        let oid = if base.0 == oids::JSONB || slice { base } else { row.element };
        let collation = self.result_collation(oid, &[container])?;
        let arg = if base == container.ty.oid {
            container
        } else {
            self.relabel(container, self.typed(base, -1)?, crate::tree::CastForm::Implicit)?
        };
        let kind =
            ExprKind::Subscript { arg: self.alloc(arg)?, steps: self.slice(&bound)?, assign: None };
        let typmod = container.ty.typmod;
        Ok(Expr { kind, ty: Type { oid, typmod, collation }, at: container.at })
    }

    /// Subscripts of arrays are integers, of jsonb integers or text.
    pub(crate) fn subscript_step(
        &self,
        level: &Level<'q, '_>,
        step: &Indirection<'_>,
        container: Oid,
        slice: bool,
    ) -> Result<SubscriptStep<'q>> {
        let index = |expression: &Expression<'_>| -> Result<Expr<'q>> {
            let value = self.transform(level, expression)?;
            if container.0 == oids::JSONB {
                let number = matches!(value.ty.oid.0, oids::INT2 | oids::INT4);
                let target = if number { INT4 } else { TEXT };
                return match self.category(value.ty.oid)?.0 {
                    CATEGORY_STRING | b'X' => self.coerce_common(value, target, "subscript"),
                    _ if number => self.coerce_common(value, target, "subscript"),
                    _ => {
                        let name = self.type_name(value.ty.oid)?;
                        let error =
                            err!(DATATYPE_MISMATCH, "subscript type {name} is not supported").hint(
                                "jsonb subscript must be coercible to either integer or text.",
                            );
                        Err(self.at_expr(error, &value))
                    }
                };
            }
            let at = location_of(&value);
            match self.coerce_to_target(value, INT4, -1, Context::Assignment, at)? {
                Some(value) => Ok(value),
                None => {
                    let error = err!(DATATYPE_MISMATCH, "array subscript must have type integer");
                    Err(self.at(error, at))
                }
            }
        };
        Ok(match step {
            Indirection::Index(at) if !slice => SubscriptStep::Index(index(at)?),
            // In a slice, [n] means [1:n].
            Indirection::Index(at) => {
                let one = self.constant(parse::Constant::Integer(1), Location::NONE)?;
                SubscriptStep::Slice(Some(one), Some(index(at)?))
            }
            Indirection::Slice(lower, upper) => {
                if container.0 == oids::JSONB {
                    let error = err!(DATATYPE_MISMATCH, "jsonb subscript does not support slices");
                    let bound = upper.or(*lower);
                    let location = bound.map_or(Location::NONE, |bound| bound.location());
                    return Err(self.at(error, location));
                }
                SubscriptStep::Slice(lower.map(index).transpose()?, upper.map(index).transpose()?)
            }
            _ => return Err(Error::internal("a field among subscripts")),
        })
    }
}
