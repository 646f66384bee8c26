//! Casts: which ways lead from one type to another, and the nodes that go them.

use crate::tree::{CastForm, Expr, ExprKind, FunctionForm, Type};
use crate::{Analyzer, location_of};
use base::{Oid, Result, err};
use catalog::rows::{self, CastContext, CastMethod, Ref, TypeKind};
use parse::Location;
use types::{Datum, oids};

/// Who asks for a cast, from the strictest to the most willing to lose something.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Context {
    /// An operator or function wants another type.
    Implicit,
    /// The value goes to a column.
    Assignment,
    /// The user wrote a cast.
    Explicit,
}

/// How one type becomes another.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Pathway {
    None,
    Function(Oid),
    Relabel,
    Array,
    ViaText,
}

pub(crate) const UNKNOWN: Oid = Oid(oids::UNKNOWN);
pub(crate) const TEXT: Oid = Oid(oids::TEXT);
pub(crate) const BOOL: Oid = Oid(oids::BOOL);
pub(crate) const INT4: Oid = Oid(oids::INT4);
pub(crate) const INT8: Oid = Oid(oids::INT8);
pub(crate) const RECORD: Oid = Oid(oids::RECORD);

/// The category of strings.
pub(crate) const CATEGORY_STRING: u8 = b'S';

impl<'q> Analyzer<'q, '_> {
    pub(crate) fn type_row(&self, oid: Oid) -> Result<Ref<rows::Type>> {
        self.env.catalog().type_(oid)
    }

    pub(crate) fn type_name(&self, oid: Oid) -> Result<String> {
        crate::names::format_type(self.env.catalog(), oid, -1)
    }

    /// The type under a domain.
    pub(crate) fn base_type(&self, oid: Oid) -> Result<Oid> {
        if oid == Oid::INVALID {
            return Ok(oid);
        }
        Ok(self.env.catalog().base_type(oid, -1)?.0)
    }

    /// The element type of a true array; none for other types.
    pub(crate) fn element_type(&self, oid: Oid) -> Result<Oid> {
        let row = self.type_row(oid)?;
        Ok(if row.is_true_array() { row.element } else { Oid::INVALID })
    }

    /// The element type of a true array or of a domain over one.
    pub(crate) fn base_element_type(&self, oid: Oid) -> Result<Oid> {
        self.element_type(self.base_type(oid)?)
    }

    /// The array over a type; none if there is none.
    pub(crate) fn array_type(&self, oid: Oid) -> Result<Oid> {
        Ok(self.type_row(oid)?.array)
    }

    pub(crate) fn category(&self, oid: Oid) -> Result<(u8, bool)> {
        let row = self.type_row(oid)?;
        Ok((row.category, row.preferred))
    }

    /// Whether values are rows of named columns (domains over such types count).
    pub(crate) fn is_complex(&self, oid: Oid) -> Result<bool> {
        let row = self.type_row(self.base_type(oid)?)?;
        Ok(row.kind == TypeKind::Composite)
    }

    /// The type with its own collation.
    pub(crate) fn typed(&self, oid: Oid, typmod: i32) -> Result<Type> {
        let collation = self.type_row(oid)?.collation;
        Ok(Type { oid, typmod, collation })
    }

    /// The way from `source` to `target` that `context` may go.
    pub(crate) fn pathway(&self, target: Oid, source: Oid, context: Context) -> Result<Pathway> {
        let (source, target) = (self.base_type(source)?, self.base_type(target)?);
        if source == target {
            return Ok(Pathway::Relabel);
        }
        if let Some(cast) = self.env.catalog().cast(source, target)? {
            let needed = match cast.context {
                CastContext::Implicit => Context::Implicit,
                CastContext::Assignment => Context::Assignment,
                CastContext::Explicit => Context::Explicit,
            };
            if context < needed {
                return Ok(Pathway::None);
            }
            return Ok(match cast.method {
                CastMethod::Function => Pathway::Function(cast.function),
                CastMethod::InOut => Pathway::ViaText,
                CastMethod::Binary => Pathway::Relabel,
            });
        }
        if target.0 != oids::OIDVECTOR && target.0 != oids::INT2VECTOR {
            let (to, from) = (self.element_type(target)?, self.element_type(source)?);
            if to.is_valid() && from.is_valid() {
                match self.pathway(to, from, context)? {
                    Pathway::None => {}
                    Pathway::ViaText => return Ok(Pathway::ViaText),
                    _ => return Ok(Pathway::Array),
                }
            }
        }
        let string = |oid| Ok::<_, base::Error>(self.category(oid)?.0 == CATEGORY_STRING);
        if context >= Context::Assignment && string(target)?
            || context >= Context::Explicit && string(source)?
        {
            return Ok(Pathway::ViaText);
        }
        Ok(Pathway::None)
    }

    /// Whether values of the input types can become the target types.
    pub(crate) fn can_coerce_all(
        &self,
        inputs: &[Oid],
        targets: &[Oid],
        context: Context,
    ) -> Result<bool> {
        let mut generic = false;
        for (&input, &target) in inputs.iter().zip(targets) {
            if input == target || target.0 == oids::ANY {
                continue;
            }
            if crate::generic::is_polymorphic(target) {
                generic = true;
                continue;
            }
            if input == UNKNOWN || self.pathway(target, input, context)? != Pathway::None {
                continue;
            }
            if input == RECORD && self.is_complex(target)?
                || target == RECORD && self.is_complex(input)?
                || self.inherits(input, target)?
            {
                continue;
            }
            if target.0 == oids::RECORD_ARRAY {
                let element = self.element_type(input)?;
                if element.is_valid() && self.is_complex(element)? {
                    continue;
                }
            }
            return Ok(false);
        }
        if generic { self.generic_consistent(inputs, targets) } else { Ok(true) }
    }

    pub(crate) fn can_coerce(&self, input: Oid, target: Oid, context: Context) -> Result<bool> {
        self.can_coerce_all(&[input], &[target], context)
    }

    /// Whether the rows of `child` belong to a table that inherits from that of `parent`.
    fn inherits(&self, child: Oid, parent: Oid) -> Result<bool> {
        let (child, parent) = (self.type_row(child)?, self.type_row(parent)?);
        if !child.relation.is_valid() || !parent.relation.is_valid() {
            return Ok(false);
        }
        let mut queue = vec![child.relation];
        while let Some(oid) = queue.pop() {
            if oid == parent.relation {
                return Ok(true);
            }
            queue.extend(self.env.catalog().relation(oid)?.parents.iter().copied());
        }
        Ok(false)
    }

    /// The value as one of the target type and modifier; `None` if there is no way.
    pub(crate) fn coerce_to_target(
        &self,
        expr: Expr<'q>,
        target: Oid,
        typmod: i32,
        context: Context,
        location: Location,
    ) -> Result<Option<Expr<'q>>> {
        if !self.can_coerce(expr.ty.oid, target, context)? {
            return Ok(None);
        }
        let form =
            if context == Context::Explicit { CastForm::Explicit } else { CastForm::Implicit };
        let coerced = self.coerce(expr, target, typmod, context, form, location)?;
        self.coerce_typmod(coerced, target, typmod, context, form).map(Some)
    }

    /// The value as one of the target type, which [`Analyzer::can_coerce`] found possible. The
    /// modifier only matters to what input functions cannot leave for later (interval, domains).
    pub(crate) fn coerce(
        &self,
        expr: Expr<'q>,
        target: Oid,
        typmod: i32,
        context: Context,
        form: CastForm,
        location: Location,
    ) -> Result<Expr<'q>> {
        let source = expr.ty.oid;
        if source == target || crate::generic::takes_anything(target) {
            return Ok(expr);
        }
        if crate::generic::is_container(target) && source != UNKNOWN {
            // A domain over an array is seen as the array.
            let base = self.base_type(source)?;
            if base != source {
                let ty = self.typed(base, -1)?;
                return self.relabel(expr, ty, CastForm::Implicit);
            }
            return Ok(expr);
        }
        match expr.kind {
            ExprKind::Const(value) if source == UNKNOWN => {
                return self.literal(value, expr, target, typmod, form);
            }
            ExprKind::Param(number) if source == UNKNOWN => {
                return self.decide_parameter(number, expr, target, location);
            }
            ExprKind::Collate(inner) if source == UNKNOWN => {
                let inner = self.coerce(*inner, target, typmod, context, form, location)?;
                let ty = Type { collation: expr.ty.collation, ..inner.ty };
                return Ok(Expr { kind: ExprKind::Collate(self.alloc(inner)?), ty, ..expr });
            }
            _ => {}
        }
        let path = match self.pathway(target, source, context)? {
            Pathway::None => return self.coerce_row(expr, target, context, form, location),
            path => path,
        };
        let (base, base_typmod) = self.env.catalog().base_type(target, typmod)?;
        let value = match path {
            Pathway::Relabel if base == self.base_type(source)? && base != source => {
                // From a domain to what is under it.
                let ty = self.typed(base, base_typmod_of(expr, base))?;
                self.relabel(expr, ty, form)?
            }
            Pathway::Relabel if base == source => expr,
            Pathway::Relabel => {
                let ty = self.typed(base, -1)?;
                self.relabel(expr, ty, form)?
            }
            path => self.go(expr, path, base, base_typmod, context, form)?,
        };
        if base == target {
            return Ok(value);
        }
        self.coerce_domain(value, base, base_typmod, target, context, form)
    }

    pub(crate) fn relabel(&self, expr: Expr<'q>, ty: Type, form: CastForm) -> Result<Expr<'q>> {
        let ty = Type { collation: keep_collation(&expr, ty), ..ty };
        // One relabelling says as much as two, and a constant just changes its type.
        let arg = match expr.kind {
            ExprKind::Relabel { arg, form: CastForm::Implicit } if form == CastForm::Implicit => {
                arg
            }
            _ => self.alloc(expr)?,
        };
        Ok(Expr { kind: ExprKind::Relabel { arg, form }, ty, at: expr.at })
    }

    fn literal(
        &self,
        value: Datum<'q>,
        expr: Expr<'q>,
        target: Oid,
        typmod: i32,
        form: CastForm,
    ) -> Result<Expr<'q>> {
        let (base, base_typmod) = self.env.catalog().base_type(target, typmod)?;
        // Other types are cut to length by their own cast; an interval's fields decide how its
        // text is read.
        let input_typmod = if base.0 == oids::INTERVAL { base_typmod } else { -1 };
        let value = match value {
            Datum::Text(text) => self
                .input(base, input_typmod, text)
                .map_err(|error| self.at(error, location_of(&expr)))?,
            other => other,
        };
        let ty = self.typed(base, input_typmod)?;
        let literal = Expr { kind: ExprKind::Const(value), ty, at: expr.at };
        if base == target {
            return Ok(literal);
        }
        let context =
            if form == CastForm::Explicit { Context::Explicit } else { Context::Implicit };
        self.coerce_domain(literal, base, base_typmod, target, context, form)
    }

    fn decide_parameter(
        &self,
        number: u32,
        expr: Expr<'q>,
        target: Oid,
        location: Location,
    ) -> Result<Expr<'q>> {
        let mut parameters = self.parameters.borrow_mut();
        if !parameters.is_variable() {
            let name = self.type_name(target)?;
            let error = err!(CANNOT_COERCE, "cannot cast type unknown to {name}");
            return Err(self.at(error, location));
        }
        if let Err(other) = parameters.decide(number, target) {
            let detail = format!("{} versus {}", self.type_name(other)?, self.type_name(target)?);
            let error =
                err!(AMBIGUOUS_PARAMETER, "inconsistent types deduced for parameter ${number}");
            return Err(self.at_expr(error.detail(detail), &expr));
        }
        Ok(Expr { ty: self.typed(target, -1)?, ..expr })
    }

    /// Goes a way that needs a node.
    fn go(
        &self,
        expr: Expr<'q>,
        path: Pathway,
        target: Oid,
        typmod: i32,
        context: Context,
        form: CastForm,
    ) -> Result<Expr<'q>> {
        let plain = self.typed(target, -1)?;
        let ty = Type { collation: keep_collation(&expr, plain), ..plain };
        let kind = match path {
            Pathway::Function(function) => {
                return self.cast_call(expr, function, target, typmod, context, form);
            }
            Pathway::ViaText => ExprKind::ViaText { arg: self.alloc(expr)?, form },
            Pathway::Array => {
                let from = self.element_type(self.base_type(expr.ty.oid)?)?;
                let to = self.element_type(target)?;
                let operand = Expr {
                    kind: ExprKind::CaseOperand,
                    ty: self.typed(from, expr.ty.typmod)?,
                    at: None,
                };
                let location = location_of(&expr);
                let cast = self.coerce_to_target(operand, to, typmod, context, location)?;
                let Some(element) = cast else {
                    return Err(base::Error::internal("array element cast was found and is gone"));
                };
                let arg = if self.element_type(expr.ty.oid)?.is_valid() {
                    expr
                } else {
                    let base = self.typed(self.base_type(expr.ty.oid)?, -1)?;
                    self.relabel(expr, base, CastForm::Implicit)?
                };
                ExprKind::ArrayCast { arg: self.alloc(arg)?, element: self.alloc(element)?, form }
            }
            Pathway::None | Pathway::Relabel => return self.relabel(expr, ty, form),
        };
        let typmod = if path == Pathway::Array { typmod } else { -1 };
        Ok(Expr { kind, ty: Type { typmod, ..ty }, at: expr.at })
    }

    /// A call of a cast's function, which may take the modifier and whether the cast is explicit.
    fn cast_call(
        &self,
        expr: Expr<'q>,
        function: Oid,
        target: Oid,
        typmod: i32,
        context: Context,
        form: CastForm,
    ) -> Result<Expr<'q>> {
        let wanted = self.env.catalog().proc(function)?.args.len();
        let mut args = vec![expr];
        if wanted >= 2 {
            args.push(Expr {
                kind: ExprKind::Const(Datum::Int4(typmod)),
                ty: Type::plain(INT4),
                at: None,
            });
        }
        if wanted >= 3 {
            args.push(Expr {
                kind: ExprKind::Const(Datum::Bool(context == Context::Explicit)),
                ty: Type::plain(BOOL),
                at: None,
            });
        }
        let plain = self.typed(target, if wanted >= 2 { typmod } else { -1 })?;
        let ty = Type { collation: keep_collation(&expr, plain), ..plain };
        let kind = ExprKind::Function {
            function,
            args: self.slice(&args)?,
            variadic: false,
            returns_set: false,
            form: match form {
                CastForm::Explicit => FunctionForm::ExplicitCast,
                CastForm::Implicit => FunctionForm::ImplicitCast,
            },
        };
        Ok(Expr { kind, ty, at: expr.at })
    }

    fn coerce_domain(
        &self,
        value: Expr<'q>,
        base: Oid,
        base_typmod: i32,
        domain: Oid,
        context: Context,
        form: CastForm,
    ) -> Result<Expr<'q>> {
        let value = self.coerce_typmod(value, base, base_typmod, context, form)?;
        let ty = Type { typmod: base_typmod, ..self.typed(domain, -1)? };
        Ok(Expr { kind: ExprKind::Domain { arg: self.alloc(value)?, form }, ty, at: value.at })
    }

    /// Applies a modifier: cuts to length, rounds to scale.
    pub(crate) fn coerce_typmod(
        &self,
        expr: Expr<'q>,
        target: Oid,
        typmod: i32,
        context: Context,
        form: CastForm,
    ) -> Result<Expr<'q>> {
        if typmod < 0 || typmod == expr.ty.typmod || self.type_row(target)?.kind == TypeKind::Domain
        {
            return Ok(expr);
        }
        let element = self.element_type(target)?;
        let sized = if element.is_valid() { element } else { target };
        let Some(function) = self.length_function(sized)? else {
            let ty = Type { typmod, ..expr.ty };
            return self.relabel(expr, ty, form);
        };
        if !element.is_valid() {
            return self.cast_call(expr, function, target, typmod, context, form);
        }
        let operand = Expr { kind: ExprKind::CaseOperand, ty: self.typed(element, -1)?, at: None };
        let cast = self.cast_call(operand, function, element, typmod, context, form)?;
        let kind = ExprKind::ArrayCast { arg: self.alloc(expr)?, element: self.alloc(cast)?, form };
        Ok(Expr { kind, ty: Type { typmod, ..self.typed(target, -1)? }, at: expr.at })
    }

    /// The cast of a type to itself that applies a modifier.
    fn length_function(&self, oid: Oid) -> Result<Option<Oid>> {
        let cast = self.env.catalog().cast(oid, oid)?;
        Ok(cast.map(|cast| cast.function).filter(|function| function.is_valid()))
    }

    /// Casts between anonymous rows and rows of a named type.
    fn coerce_row(
        &self,
        expr: Expr<'q>,
        target: Oid,
        context: Context,
        form: CastForm,
        location: Location,
    ) -> Result<Expr<'q>> {
        if target == RECORD || target.0 == oids::RECORD_ARRAY {
            return Ok(expr);
        }
        if expr.ty.oid == RECORD
            && let ExprKind::Row { fields, .. } = expr.kind
        {
            return self.coerce_record(fields, expr, target, context, form, location);
        }
        let (from, to) = (self.type_name(expr.ty.oid)?, self.type_name(target)?);
        if expr.ty.oid == UNKNOWN {
            // A field of a row that keeps a literal of undecided type.
            return Err(base::Error::internal(format!(
                "failed to find conversion function from {from} to {to}"
            )));
        }
        let error = err!(CANNOT_COERCE, "cannot cast type {from} to {to}");
        Err(self.at(error, location))
    }

    fn coerce_record(
        &self,
        fields: &'q [Expr<'q>],
        expr: Expr<'q>,
        target: Oid,
        context: Context,
        form: CastForm,
        location: Location,
    ) -> Result<Expr<'q>> {
        let (base, base_typmod) = self.env.catalog().base_type(target, -1)?;
        let relation = self.env.catalog().relation(self.type_row(base)?.relation)?;
        let name = self.type_name(target)?;
        let mismatch = |detail: String| {
            let error = err!(CANNOT_COERCE, "cannot cast type record to {name}").detail(detail);
            Err(self.at(error, location))
        };
        let (mut values, mut names) = (Vec::new(), Vec::new());
        let mut given = fields.iter();
        for column in &relation.columns {
            names.push(self.text(&column.name)?);
            if column.dropped {
                values.push(Expr {
                    kind: ExprKind::Const(Datum::Null),
                    ty: Type::plain(INT4),
                    at: None,
                });
                continue;
            }
            let Some(field) = given.next() else {
                return mismatch("Input has too few columns.".into());
            };
            let cast =
                self.coerce_to_target(*field, column.type_oid, column.typmod, context, location)?;
            match cast {
                Some(cast) => values.push(cast),
                None => {
                    let from = self.type_name(field.ty.oid)?;
                    let to = self.type_name(column.type_oid)?;
                    return mismatch(format!(
                        "Cannot cast type {from} to {to} in column {}.",
                        values.len() + 1
                    ));
                }
            }
        }
        if given.next().is_some() {
            return mismatch("Input has too many columns.".into());
        }
        let row = Expr {
            kind: ExprKind::Row { fields: self.slice(&values)?, names: self.slice(&names)? },
            ty: self.typed(base, -1)?,
            at: expr.at,
        };
        if base == target {
            return Ok(row);
        }
        self.coerce_domain(row, base, base_typmod, target, context, form)
    }

    /// A boolean for WHERE and its like; `construct` names the place.
    pub(crate) fn coerce_boolean(&self, expr: Expr<'q>, construct: &str) -> Result<Expr<'q>> {
        self.coerce_specific(expr, BOOL, construct)
    }

    /// A value of a type that a construct needs.
    pub(crate) fn coerce_specific(
        &self,
        expr: Expr<'q>,
        target: Oid,
        construct: &str,
    ) -> Result<Expr<'q>> {
        let location = location_of(&expr);
        let coerced = if expr.ty.oid == target {
            expr
        } else {
            match self.coerce_to_target(expr, target, -1, Context::Assignment, location)? {
                Some(coerced) => coerced,
                None => {
                    let (to, from) = (self.type_name(target)?, self.type_name(expr.ty.oid)?);
                    let error = err!(
                        DATATYPE_MISMATCH,
                        "argument of {construct} must be type {to}, not type {from}"
                    );
                    return Err(self.at(error, location));
                }
            }
        };
        if crate::walk::returns_set(&coerced) {
            let error = err!(DATATYPE_MISMATCH, "argument of {construct} must not return a set");
            return Err(self.at(error, location));
        }
        Ok(coerced)
    }
}

fn base_typmod_of(expr: Expr<'_>, base: Oid) -> i32 {
    if expr.ty.oid == base { expr.ty.typmod } else { -1 }
}

/// A cast between collatable types keeps the collation of its input.
fn keep_collation(expr: &Expr<'_>, ty: Type) -> Oid {
    if ty.collation.is_valid() && expr.ty.collation.is_valid() {
        expr.ty.collation
    } else {
        ty.collation
    }
}
