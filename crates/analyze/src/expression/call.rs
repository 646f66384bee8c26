//! Calls of functions, aggregates and window functions.

use crate::aggregate::AggregateParts;
use crate::coerce::Context;
use crate::function::{Lookup, Match, Meaning, split_name};
use crate::scope::{Clause, Level};
use crate::tree::{Expr, ExprKind, FunctionForm, Type};
use crate::{Analyzer, byte_of, location_of};
use base::{Error, Oid, Result, SqlState, err};
use catalog::rows::{ProcKind, Stored};
use parse::{Expression, FuncCall, Location};
use types::oids;

impl<'q> Analyzer<'q, '_> {
    pub(crate) fn function_call(
        &self,
        level: &Level<'q, '_>,
        call: &FuncCall<'_>,
    ) -> Result<Expr<'q>> {
        let filter = match call.filter {
            Some(filter) => {
                let filter = self.expression(level, filter, Clause::Filter)?;
                Some(self.coerce_boolean(filter, "FILTER")?)
            }
            None => None,
        };
        let before = level.has_target_sets.replace(false);
        let (mut args, names) = self.call_args(level, call)?;
        let sets_in_args = level.has_target_sets.replace(before);
        level.has_target_sets.set(before || sets_in_args);
        let direct = args.len();
        if call.within_group {
            for item in call.order {
                args.push(self.transform(level, &item.value)?);
            }
        }
        let actual: Vec<Oid> = args.iter().map(|arg| arg.ty.oid).collect();
        let (schema, bare) = split_name(call.name).map_err(|e| self.at(e, call.location))?;
        let lookup = Lookup {
            schema,
            name: bare,
            actual: &actual,
            names: &names,
            expand_variadic: !call.variadic,
            procedures: false,
        };
        match self.find_function(&lookup)? {
            Meaning::Function(found) => {
                self.check_form(call, &found, filter.is_some())?;
                let parts = Parts { args, direct, filter };
                self.resolved_call(level, call, found, parts)
            }
            Meaning::Cast(target) if is_plain(call) => {
                let context = Context::Explicit;
                let cast = self.coerce_to_target(args[0], target, -1, context, call.location)?;
                match cast {
                    Some(cast) => Ok(Expr {
                        at: byte_of(call.location.leftmost(location_of(&args[0]))),
                        ..cast
                    }),
                    None => Err(self.not_found(call, &actual, &names)),
                }
            }
            Meaning::Ambiguous => {
                let signature = self.signature(&call.name.join("."), &actual, &names)?;
                let error = err!(AMBIGUOUS_FUNCTION, "function {signature} is not unique").hint(
                    "Could not choose a best candidate function. You might need to add explicit \
                     type casts.",
                );
                Err(self.at(error, call.location))
            }
            _ => {
                // `name(row)` may mean the column of that name.
                if let ([name], [row]) = (call.name, &args[..])
                    && is_plain(call)
                    && let Some(field) = self.field(level, *row, name)?
                {
                    return Ok(field);
                }
                if let Some(schema) = schema {
                    let catalog = self.env.catalog();
                    catalog.require_namespace(schema).map_err(|e| self.at(e, call.location))?;
                }
                Err(self.not_found(call, &actual, &names))
            }
        }
    }

    /// The function that a type-like name means for a row: `row.function`.
    pub(crate) fn call_of_row(
        &self,
        level: &Level<'q, '_>,
        row: Expr<'q>,
        name: &str,
        location: Location,
    ) -> Result<Option<Expr<'q>>> {
        let actual = [row.ty.oid];
        let lookup = Lookup {
            schema: None,
            name,
            actual: &actual,
            names: &[],
            expand_variadic: false,
            procedures: false,
        };
        let Meaning::Function(found) = self.find_function(&lookup)? else { return Ok(None) };
        if found.proc.kind != ProcKind::Function {
            return Ok(None);
        }
        let names = [name];
        let call = FuncCall {
            name: &names,
            args: &[],
            order: &[],
            filter: None,
            over: None,
            within_group: false,
            star: false,
            distinct: false,
            variadic: false,
            sql_syntax: false,
            location,
        };
        let parts = Parts { args: vec![row], direct: 1, filter: None };
        self.resolved_call(level, &call, found, parts).map(Some)
    }

    /// The arguments and the names of the last of them.
    fn call_args<'p>(
        &self,
        level: &Level<'q, '_>,
        call: &FuncCall<'p>,
    ) -> Result<(Vec<Expr<'q>>, Vec<&'p str>)> {
        let mut args = Vec::with_capacity(call.args.len());
        let mut names: Vec<&'p str> = Vec::new();
        for arg in call.args {
            if let Expression::NamedArg { name, arg, location } = *arg {
                if names.contains(&name) {
                    let error = err!(SYNTAX_ERROR, "argument name \"{name}\" used more than once");
                    return Err(self.at(error, location));
                }
                names.push(name);
                args.push(self.transform(level, arg)?);
                continue;
            }
            if !names.is_empty() {
                let error = err!(SYNTAX_ERROR, "positional argument cannot follow named argument");
                return Err(self.at(error, arg.location()));
            }
            match *arg {
                Expression::ColumnRef { fields, location }
                    if fields.last() == Some(&parse::Field::Star) && fields.len() > 1 =>
                {
                    // f(t.*) passes the row.
                    let row = &Expression::ColumnRef { fields, location };
                    args.push(self.transform(level, row)?);
                }
                _ => args.push(self.transform(level, arg)?),
            }
        }
        Ok((args, names))
    }

    #[cold]
    fn not_found(&self, call: &FuncCall<'_>, actual: &[Oid], names: &[&str]) -> Error {
        let signature = match self.signature(&call.name.join("."), actual, names) {
            Ok(signature) => signature,
            Err(error) => return error,
        };
        let hint = if call.order.len() > 1 && !call.within_group {
            "No aggregate function matches the given name and argument types. Perhaps you misplaced \
             ORDER BY; ORDER BY must appear after all regular arguments of the aggregate."
        } else {
            "No function matches the given name and argument types. You might need to add explicit \
             type casts."
        };
        let error = err!(UNDEFINED_FUNCTION, "function {signature} does not exist").hint(hint);
        self.at(error, call.location)
    }

    /// Syntax that is only for aggregates or window functions.
    fn check_form(&self, call: &FuncCall<'_>, found: &Match, filter: bool) -> Result<()> {
        let shown = call.name.join(".");
        let kind = found.proc.kind;
        let wrong = |message: String| {
            Err(self.at(Error::new(SqlState::WRONG_OBJECT_TYPE, message), call.location))
        };
        match kind {
            ProcKind::Procedure => {
                let signature = self.signature(&shown, &found.given_types(), &[])?;
                let error = err!(WRONG_OBJECT_TYPE, "{signature} is a procedure")
                    .hint("To call a procedure, use CALL.");
                return Err(self.at(error, call.location));
            }
            ProcKind::Aggregate => return Ok(()),
            ProcKind::Window => {
                if call.over.is_none() {
                    return wrong(format!("window function {shown} requires an OVER clause"));
                }
                if call.within_group {
                    return wrong(format!("window function {shown} cannot have WITHIN GROUP"));
                }
                return Ok(());
            }
            ProcKind::Function => {}
        }
        let not = "is not an aggregate function";
        if call.star {
            return wrong(format!("{shown}(*) specified, but {shown} {not}"));
        }
        if call.distinct {
            return wrong(format!("DISTINCT specified, but {shown} {not}"));
        }
        if call.within_group {
            return wrong(format!("WITHIN GROUP specified, but {shown} {not}"));
        }
        if !call.order.is_empty() {
            return wrong(format!("ORDER BY specified, but {shown} {not}"));
        }
        if filter {
            return wrong(format!("FILTER specified, but {shown} {not}"));
        }
        if call.over.is_some() {
            return wrong(format!(
                "OVER specified, but {shown} is not a window function nor an aggregate function"
            ));
        }
        Ok(())
    }

    fn resolved_call(
        &self,
        level: &Level<'q, '_>,
        call: &FuncCall<'_>,
        found: Match,
        parts: Parts<'q>,
    ) -> Result<Expr<'q>> {
        let Parts { args, direct, filter } = parts;
        let mut all = self.with_defaults(&found, args)?;
        let actual: Vec<Oid> = all.iter().map(|arg| arg.ty.oid).collect();
        let mut declared = found.args.clone();
        let result = self.resolve_generic(&actual, &mut declared, found.proc.result)?;
        self.cast_args(&mut all, &declared)?;
        let mut variadic = call.variadic;
        if variadic && found.proc.variadic.0 == oids::ANY {
            self.check_variadic(&all)?;
        }
        if found.variadic > 0 {
            self.collect_variadic(&found, &mut all, &declared)?;
            variadic = true;
        }
        let at = all.iter().fold(call.location, |at, arg| at.leftmost(location_of(arg)));
        let collation = self.result_collation(result, &all)?;
        let ty = Type { oid: result, typmod: -1, collation };
        match found.proc.kind {
            ProcKind::Aggregate if call.over.is_none() => {
                let parts =
                    AggregateParts { args: all, direct, filter, actual, ty, at: byte_of(at) };
                self.aggregate_call(level, call, &found, parts)
            }
            ProcKind::Aggregate | ProcKind::Window => {
                let parts =
                    AggregateParts { args: all, direct, filter, actual, ty, at: byte_of(at) };
                self.window_call(level, call, &found, parts)
            }
            _ => {
                if found.proc.returns_set {
                    self.check_set(level, call.location)?;
                }
                let kind = ExprKind::Function {
                    function: found.proc.oid,
                    args: self.slice(&all)?,
                    variadic,
                    returns_set: found.proc.returns_set,
                    form: if call.sql_syntax {
                        FunctionForm::SqlSyntax
                    } else {
                        FunctionForm::Call
                    },
                };
                Ok(Expr { kind, ty, at: byte_of(at) })
            }
        }
    }

    /// 42804 when what is marked VARIADIC is no array.
    fn check_variadic(&self, args: &[Expr<'q>]) -> Result<()> {
        let Some(last) = args.last() else { return Ok(()) };
        if self.base_element_type(last.ty.oid)?.is_valid() {
            return Ok(());
        }
        let error = err!(DATATYPE_MISMATCH, "VARIADIC argument must be an array");
        Err(self.at_expr(error, last))
    }

    /// 0A000 for a set-returning function where none may stand.
    fn check_set(&self, level: &Level<'q, '_>, location: Location) -> Result<()> {
        let clause = level.clause.get();
        if clause.allows_sets() || clause == Clause::Other {
            level.has_target_sets.set(true);
            return Ok(());
        }
        let error = err!(
            FEATURE_NOT_SUPPORTED,
            "set-returning functions are not allowed in {}",
            clause.describe()
        );
        Err(self.at(error, location))
    }

    /// The trailing arguments of a VARIADIC parameter become one array.
    fn collect_variadic(
        &self,
        found: &Match,
        args: &mut Vec<Expr<'q>>,
        declared: &[Oid],
    ) -> Result<()> {
        let elements = args.split_off(args.len() - found.variadic);
        let mut element = declared[declared.len() - found.variadic];
        if crate::generic::is_polymorphic(element) {
            element = elements.first().map_or(element, |first| first.ty.oid);
        }
        let array = self.array_type(element)?;
        if !array.is_valid() {
            let name = self.type_name(element)?;
            return Err(err!(UNDEFINED_OBJECT, "could not find array type for data type {name}"));
        }
        let collation = self.result_collation(array, &elements)?;
        let at = elements.first().and_then(|first| first.at);
        let kind = ExprKind::Array { elements: self.slice(&elements)?, nested: false };
        args.push(Expr { kind, ty: Type { oid: array, typmod: -1, collation }, at });
        Ok(())
    }

    /// The arguments in the order of declaration, defaults in place.
    fn with_defaults(&self, found: &Match, given: Vec<Expr<'q>>) -> Result<Vec<Expr<'q>>> {
        if found.defaults == 0 && found.order.is_none() {
            return Ok(given);
        }
        let mut slots: Vec<Option<Expr<'q>>> = vec![None; found.args.len()];
        for (at, arg) in given.into_iter().enumerate() {
            let slot = found.order.as_ref().map_or(at, |order| order[at]);
            slots[slot] = Some(arg);
        }
        if slots.iter().all(Option::is_some) {
            return Ok(slots.into_iter().flatten().collect());
        }
        let defaults = match &found.proc.defaults {
            Some(stored) => self.default_list(stored)?,
            None => Vec::new(),
        };
        let first = slots.len() - defaults.len().min(slots.len());
        let mut args = Vec::with_capacity(slots.len());
        for (at, slot) in slots.into_iter().enumerate() {
            let arg = match slot {
                Some(arg) => Some(arg),
                None => at.checked_sub(first).and_then(|i| defaults.get(i).copied()),
            };
            args.push(arg.ok_or_else(|| Error::internal("a default argument is missing"))?);
        }
        Ok(args)
    }

    /// The default expressions of a function.
    pub(crate) fn default_list(&self, stored: &Stored) -> Result<Vec<Expr<'q>>> {
        match stored {
            Stored::Tree(bytes) => crate::stored::decode_list(self.bump, self.env, bytes),
            Stored::Sql(sql) => {
                let text = format!("SELECT {sql}");
                let bump = memory::Bump::with_options(
                    "function defaults",
                    self.bump.account().clone(),
                    memory::BlockSizes::SMALL,
                );
                let statements = self.env.parse(&bump, &text)?;
                let [only] = statements else {
                    return Err(Error::corrupted("damaged default arguments"));
                };
                let parse::Statement::Select(select) = only.statement else {
                    return Err(Error::corrupted("damaged default arguments"));
                };
                let analyzer = Analyzer { source: &text, ..*self };
                let level = Level::new(None);
                let mut values = Vec::new();
                for target in select.targets {
                    if let Some(value) = target.value {
                        let value = analyzer.expression(&level, value, Clause::Default)?;
                        values.push(Expr { at: None, ..value });
                    }
                }
                Ok(values)
            }
        }
    }

    /// `GROUPING(…)`: the arguments are matched with GROUP BY when that is known.
    pub(super) fn grouping_call(
        &self,
        level: &Level<'q, '_>,
        args: &[Expression<'_>],
        location: Location,
    ) -> Result<Expr<'q>> {
        if args.len() > 31 {
            let error = err!(TOO_MANY_ARGUMENTS, "GROUPING must have fewer than 32 arguments");
            return Err(self.at(error, location));
        }
        let args = self.transform_all(level, args)?;
        if !level.clause.get().allows_aggregates() {
            let error = err!(
                GROUPING_ERROR,
                "grouping operations are not allowed in {}",
                level.clause.get().describe()
            );
            return Err(self.at(error, location));
        }
        level.has_aggregates.set(true);
        let mut groupings = level.groupings.borrow_mut();
        groupings.push(args);
        let index = u32::try_from(groupings.len() - 1).unwrap_or(u32::MAX);
        // The index into the level's list stands in until GROUP BY is known.
        let kind = ExprKind::Grouping { items: self.slice(&[index])?, levels_up: u16::MAX };
        Ok(Expr { kind, ty: Type::plain(Oid(oids::INT4)), at: byte_of(location) })
    }
}

/// What a call was given.
struct Parts<'q> {
    args: Vec<Expr<'q>>,
    /// How many of them stand before WITHIN GROUP.
    direct: usize,
    filter: Option<Expr<'q>>,
}

/// Whether the call has nothing but arguments.
fn is_plain(call: &FuncCall<'_>) -> bool {
    !call.star
        && !call.distinct
        && !call.within_group
        && !call.variadic
        && call.order.is_empty()
        && call.filter.is_none()
        && call.over.is_none()
}
