//! Functions, triggers, policies, rules: statements whose body is code.

use super::{
    DefElem, Expression, Name, ObjectType, ObjectWithArgs, RangeVar, RoleSpec, Statement, TypeName,
};
use crate::Location;

/// CREATE FUNCTION and PROCEDURE.
#[derive(Clone, Copy, Debug)]
pub struct CreateFunctionStmt<'a> {
    /// PROCEDURE.
    pub procedure: bool,
    /// OR REPLACE.
    pub replace: bool,
    /// The name.
    pub name: Name<'a>,
    /// The parameters, the columns of RETURNS TABLE last.
    pub parameters: &'a [FunctionParameter<'a>],
    /// RETURNS.
    pub return_type: Option<&'a TypeName<'a>>,
    /// LANGUAGE, AS and the others.
    pub options: &'a [DefElem<'a>],
    /// A body in SQL: RETURN, or BEGIN ATOMIC.
    pub body: Option<FunctionBody<'a>>,
}

/// A body in SQL.
#[derive(Clone, Copy, Debug)]
pub enum FunctionBody<'a> {
    /// RETURN expression.
    Return(&'a Expression<'a>),
    /// BEGIN ATOMIC.
    Atomic(&'a [Statement<'a>]),
}

/// A parameter of a function.
#[derive(Clone, Copy, Debug)]
pub struct FunctionParameter<'a> {
    /// The name.
    pub name: Option<&'a str>,
    /// The type.
    pub type_name: TypeName<'a>,
    /// IN, OUT, …
    pub mode: ParameterMode,
    /// DEFAULT.
    pub default: Option<&'a Expression<'a>>,
    /// Where it stands.
    pub location: Location,
}

/// The direction of a parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are SQL's")]
pub enum ParameterMode {
    /// Nothing written.
    Default,
    In,
    Out,
    InOut,
    Variadic,
    /// A column of RETURNS TABLE.
    Table,
}

/// ALTER FUNCTION with options.
#[derive(Clone, Copy, Debug)]
pub struct AlterFunctionStmt<'a> {
    /// FUNCTION, PROCEDURE or ROUTINE.
    pub object_type: ObjectType,
    /// Which.
    pub function: &'a ObjectWithArgs<'a>,
    /// The options.
    pub options: &'a [DefElem<'a>],
}

/// CREATE TRIGGER.
#[derive(Clone, Copy, Debug)]
#[expect(missing_docs, reason = "the fields are those of SQL's syntax")]
pub struct CreateTriggerStmt<'a> {
    pub replace: bool,
    pub constraint: bool,
    pub name: &'a str,
    pub relation: RangeVar<'a>,
    pub function: Name<'a>,
    pub args: &'a [&'a str],
    pub row: bool,
    /// BEFORE 2, AFTER 0, INSTEAD OF 64, as in pg_trigger.tgtype.
    pub timing: i16,
    /// INSERT 4, DELETE 8, UPDATE 16, TRUNCATE 32, as in pg_trigger.tgtype.
    pub events: i16,
    pub columns: &'a [&'a str],
    pub condition: Option<&'a Expression<'a>>,
    pub transitions: &'a [TriggerTransition<'a>],
    pub deferrable: bool,
    pub initially_deferred: bool,
    pub constraint_relation: Option<RangeVar<'a>>,
}

/// REFERENCING of a trigger.
#[derive(Clone, Copy, Debug)]
#[expect(missing_docs, reason = "the fields are those of SQL's syntax")]
pub struct TriggerTransition<'a> {
    pub name: &'a str,
    pub is_new: bool,
    pub is_table: bool,
}

/// CREATE POLICY and ALTER POLICY.
#[derive(Clone, Copy, Debug)]
#[expect(missing_docs, reason = "the fields are those of SQL's syntax")]
pub struct PolicyStmt<'a> {
    pub name: &'a str,
    pub relation: RangeVar<'a>,
    /// The command, in CREATE only.
    pub command: Option<&'a str>,
    pub permissive: bool,
    pub roles: &'a [RoleSpec<'a>],
    pub using: Option<&'a Expression<'a>>,
    pub with_check: Option<&'a Expression<'a>>,
}

/// CREATE RULE.
#[derive(Clone, Copy, Debug)]
#[expect(missing_docs, reason = "the fields are those of SQL's syntax")]
pub struct RuleStmt<'a> {
    pub relation: RangeVar<'a>,
    pub name: &'a str,
    pub condition: Option<&'a Expression<'a>>,
    /// SELECT 1, UPDATE 2, INSERT 3, DELETE 4, as in pg_rewrite.ev_type.
    pub event: u8,
    pub instead: bool,
    pub actions: &'a [Statement<'a>],
    pub replace: bool,
}
