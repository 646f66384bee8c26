//! Which operator a name and operands mean (the manual's section 10.2), and the nodes for it.

use crate::coerce::{BOOL, Context, UNKNOWN};
use crate::function::split_name;
use crate::tree::{CastForm, Expr, ExprKind, RowCompareKind, Type};
use crate::{Analyzer, byte_of, location_of};
use base::{Error, Oid, Result, err};
use catalog::rows::{Operator, OperatorKind, Ref};
use parse::Location;

impl<'q> Analyzer<'q, '_> {
    /// The operator for two operands, or for one (`left` is none).
    pub(crate) fn find_operator(
        &self,
        name: &[&str],
        left: Oid,
        right: Oid,
        location: Location,
    ) -> Result<Ref<Operator>> {
        let (schema, bare) = split_name(name)?;
        if let Some(schema) = schema
            && self.env.catalog().namespace_named(schema)?.is_none()
        {
            let error = err!(UNDEFINED_SCHEMA, "schema \"{schema}\" does not exist");
            return Err(self.at(error, location));
        }
        let all = self.env.catalog().operators_named(schema, bare)?;
        let kind = if left.is_valid() { OperatorKind::Binary } else { OperatorKind::Prefix };
        let mut candidates: Vec<Ref<Operator>> = Vec::new();
        for (operator, _) in all {
            // Of two with the same operands, the one whose schema is searched first.
            let same =
                |old: &Ref<Operator>| old.left == operator.left && old.right == operator.right;
            if operator.kind == kind && !candidates.iter().any(same) {
                candidates.push(operator);
            }
        }
        // An unknown operand is assumed to have the other's type.
        let (a, b) = match (left == UNKNOWN, right == UNKNOWN) {
            (true, false) => (right, right),
            (false, true) if left.is_valid() => (left, left),
            _ => (left, right),
        };
        let exact = |a: Oid, b: Oid| candidates.iter().find(|op| op.left == a && op.right == b);
        if let Some(found) = exact(a, b) {
            return Ok(found.clone());
        }
        if left == UNKNOWN || right == UNKNOWN {
            let (base_a, base_b) = (self.base_type(a)?, self.base_type(b)?);
            if (base_a, base_b) != (a, b)
                && let Some(found) = exact(base_a, base_b)
            {
                return Ok(found.clone());
            }
        }
        let actual: Vec<Oid> = if left.is_valid() { vec![left, right] } else { vec![right] };
        let mut fitting = Vec::new();
        for candidate in candidates {
            let types = operand_types(&candidate);
            if self.can_coerce_all(&actual, &types, Context::Implicit)? {
                fitting.push(candidate);
            }
        }
        let lists: Vec<Vec<Oid>> = fitting.iter().map(|op| operand_types(op)).collect();
        let chosen = match fitting.len() {
            0 => None,
            1 => Some(0),
            _ => self.select_candidate(&actual, &lists)?,
        };
        match chosen {
            Some(at) => Ok(fitting.swap_remove(at)),
            None => Err(self.operator_error(name, &actual, !fitting.is_empty(), location)),
        }
    }

    #[cold]
    fn operator_error(
        &self,
        name: &[&str],
        actual: &[Oid],
        ambiguous: bool,
        location: Location,
    ) -> Error {
        let shown = name.join(".");
        let types: Result<Vec<String>> = actual.iter().map(|oid| self.type_name(*oid)).collect();
        let signature = match types {
            Ok(types) => match &types[..] {
                [left, right] => format!("{left} {shown} {right}"),
                [right] => format!("{shown} {right}"),
                _ => shown,
            },
            Err(error) => return error,
        };
        let error = if ambiguous {
            err!(AMBIGUOUS_FUNCTION, "operator is not unique: {signature}").hint(
                "Could not choose a best candidate operator. You might need to add explicit type \
                 casts.",
            )
        } else {
            let hint = if actual.len() == 1 {
                "No operator matches the given name and argument type. You might need to add an \
                 explicit type cast."
            } else {
                "No operator matches the given name and argument types. You might need to add \
                 explicit type casts."
            };
            err!(UNDEFINED_FUNCTION, "operator does not exist: {signature}").hint(hint)
        };
        self.at(error, location)
    }

    /// `left name right`, or `name right`.
    pub(crate) fn make_operator(
        &self,
        name: &[&str],
        left: Option<Expr<'q>>,
        right: Expr<'q>,
        location: Location,
    ) -> Result<Expr<'q>> {
        let left_type = left.map_or(Oid::INVALID, |left| left.ty.oid);
        let operator = self.find_operator(name, left_type, right.ty.oid, location)?;
        let mut args: Vec<Expr<'q>> = left.into_iter().chain([right]).collect();
        let result = self.operator_args(&operator, &mut args, location)?;
        let at = args.iter().fold(location, |at, arg| at.leftmost(location_of(arg)));
        let kind = ExprKind::Operator {
            operator: operator.oid,
            function: operator.code,
            args: self.slice(&args)?,
        };
        let ty = Type { oid: result, typmod: -1, collation: self.result_collation(result, &args)? };
        Ok(Expr { kind, ty, at: byte_of(at) })
    }

    /// Casts operands to what the operator takes; its result type.
    pub(crate) fn operator_args(
        &self,
        operator: &Operator,
        args: &mut [Expr<'q>],
        location: Location,
    ) -> Result<Oid> {
        if !operator.code.is_valid() {
            let error = err!(UNDEFINED_FUNCTION, "operator is only a shell: {}", operator.name);
            return Err(self.at(error, location));
        }
        let actual: Vec<Oid> = args.iter().map(|arg| arg.ty.oid).collect();
        let mut declared = operand_types(operator);
        let result = self
            .resolve_generic(&actual, &mut declared, operator.result)
            .map_err(|error| self.at(error, location))?;
        self.cast_args(args, &declared)?;
        Ok(result)
    }

    /// Implicit casts of arguments to declared types.
    pub(crate) fn cast_args(&self, args: &mut [Expr<'q>], declared: &[Oid]) -> Result<()> {
        for (arg, target) in args.iter_mut().zip(declared) {
            if arg.ty.oid != *target {
                let at = location_of(arg);
                *arg = self.coerce(*arg, *target, -1, Context::Implicit, CastForm::Implicit, at)?;
            }
        }
        Ok(())
    }

    /// `left op ANY (array)` and `left op ALL (array)`.
    pub(crate) fn make_scalar_array(
        &self,
        name: &[&str],
        any: bool,
        left: Expr<'q>,
        right: Expr<'q>,
        location: Location,
    ) -> Result<Expr<'q>> {
        let wrong = |message: &str| {
            Err(self.at(Error::new(base::SqlState::WRONG_OBJECT_TYPE, message), location))
        };
        let element =
            if right.ty.oid == UNKNOWN { UNKNOWN } else { self.base_element_type(right.ty.oid)? };
        if !element.is_valid() {
            return wrong("op ANY/ALL (array) requires array on right side");
        }
        let operator = self.find_operator(name, left.ty.oid, element, location)?;
        let mut declared = operand_types(&operator);
        let result = self
            .resolve_generic(&[left.ty.oid, element], &mut declared, operator.result)
            .map_err(|error| self.at(error, location))?;
        if result != BOOL {
            return wrong("op ANY/ALL (array) requires operator to yield boolean");
        }
        let array = if crate::generic::is_polymorphic(declared[1]) {
            right.ty.oid
        } else {
            self.array_type(declared[1])?
        };
        if !array.is_valid() {
            let type_name = self.type_name(declared[1])?;
            let error =
                err!(UNDEFINED_OBJECT, "could not find array type for data type {type_name}");
            return Err(self.at(error, location));
        }
        let mut args = [left, right];
        self.cast_args(&mut args, &[declared[0], array])?;
        let at = location.leftmost(location_of(&left));
        let kind = ExprKind::ScalarArray {
            operator: operator.oid,
            function: operator.code,
            any,
            left: self.alloc(args[0])?,
            right: self.alloc(args[1])?,
        };
        Ok(Expr { kind, ty: Type::plain(BOOL), at: byte_of(at) })
    }

    /// `a = b` for DISTINCT FROM and NULLIF: the operator, its function and the cast operands.
    pub(crate) fn make_equal(
        &self,
        left: Expr<'q>,
        right: Expr<'q>,
        what: &str,
        location: Location,
    ) -> Result<(Oid, Oid, &'q [Expr<'q>; 2])> {
        let made = self.make_operator(&["="], Some(left), right, location)?;
        if let ExprKind::Operator { operator, function, args: [left, right] } = made.kind {
            if made.ty.oid != BOOL {
                let error = err!(DATATYPE_MISMATCH, "{what} requires = operator to yield boolean");
                return Err(self.at(error, location));
            }
            return Ok((operator, function, self.alloc([*left, *right])?));
        }
        Err(Error::internal("an operator call is none"))
    }

    /// The btree meaning of a set of operators, one a column: for row comparison.
    pub(crate) fn row_compare_kind(
        &self,
        name: &[&str],
        operators: &[Oid],
        location: Location,
    ) -> Result<RowCompareKind> {
        let mut strategies: Option<Vec<i16>> = None;
        for operator in operators {
            let its: Vec<i16> = self.strategies(*operator)?;
            strategies = Some(match strategies {
                None => its,
                Some(before) => before.into_iter().filter(|s| its.contains(s)).collect(),
            });
        }
        let found = strategies.unwrap_or_default();
        Ok(match found.first() {
            Some(1) => RowCompareKind::Less,
            Some(2) => RowCompareKind::LessEqual,
            Some(3) => RowCompareKind::Equal,
            Some(4) => RowCompareKind::GreaterEqual,
            Some(5) => RowCompareKind::Greater,
            Some(6) => RowCompareKind::NotEqual,
            _ => {
                let error = err!(
                    FEATURE_NOT_SUPPORTED,
                    "could not determine interpretation of row comparison operator {}",
                    name.join(".")
                )
                .hint("Row comparison operators must be associated with btree operator families.");
                return Err(self.at(error, location));
            }
        })
    }

    /// The btree strategies of an operator; 6 for `<>`, which is the negator of an equality.
    fn strategies(&self, operator: Oid) -> Result<Vec<i16>> {
        const BTREE: Oid = Oid(403);
        let catalog = self.env.catalog();
        let members = catalog.operator_families(operator)?;
        let mut found: Vec<i16> =
            members.iter().filter(|m| m.method == BTREE).map(|m| m.strategy).collect();
        if found.is_empty() {
            let negator = catalog.operator(operator)?.negator;
            if negator.is_valid() {
                let members = catalog.operator_families(negator)?;
                if members.iter().any(|m| m.method == BTREE && m.strategy == 3) {
                    found.push(6);
                }
            }
        }
        Ok(found)
    }
}

/// The declared operand types, left first.
pub(crate) fn operand_types(operator: &Operator) -> Vec<Oid> {
    if operator.left.is_valid() {
        vec![operator.left, operator.right]
    } else {
        vec![operator.right]
    }
}
