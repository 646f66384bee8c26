//! Expressions and queries that live in the catalogs: defaults, checks, generated columns, index
//! expressions and predicates, views.
//!
//! Format: the byte [`VERSION`], then the tree (see `codec`). A tree names objects by OID and
//! columns by number, so it follows renames (engine rule 15). Locations are kept.

mod codec;

use crate::coerce::{BOOL, Context};
use crate::scope::{Clause, Level};
use crate::tree::{Expr, Query};
use crate::{Analyzer, Environment, Parameters, location_of};
use base::{Error, Oid, Result, SqlState, err};
use catalog::relation::Relation;
use catalog::rows::Stored;
use codec::{Codec, Reader, Views, Writer};
use memory::Bump;
use parse::{Expression, Statement};
use std::cell::RefCell;

/// The first byte of a stored tree.
pub const VERSION: u8 = 3;

/// For what a stored expression is meant: decides what it may contain.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum StoredContext {
    /// The default of a column or domain: no columns.
    Default,
    /// CHECK.
    Check,
    /// The expression of a generated column.
    Generated,
    /// A key of an index.
    IndexExpression,
    /// The predicate of an index.
    IndexPredicate,
    /// A key of a partitioned table.
    PartitionKey,
    /// A bound of a partition: no columns.
    PartitionBound,
    /// USING of ALTER COLUMN TYPE.
    AlterUsing,
    /// An argument of EXECUTE: no columns.
    ExecuteParameter,
    /// WHEN of a trigger.
    TriggerWhen,
    /// A row security policy: subqueries are allowed.
    Policy,
    /// An argument of CALL.
    CallArgument,
    /// WHERE of COPY FROM.
    CopyWhere,
}

impl StoredContext {
    fn clause(self) -> Clause {
        match self {
            StoredContext::Default => Clause::Default,
            StoredContext::Check => Clause::Check,
            StoredContext::Generated => Clause::Generated,
            StoredContext::IndexExpression => Clause::IndexExpression,
            StoredContext::IndexPredicate => Clause::IndexPredicate,
            StoredContext::PartitionKey => Clause::PartitionKey,
            StoredContext::PartitionBound => Clause::PartitionBound,
            StoredContext::AlterUsing => Clause::AlterUsing,
            StoredContext::ExecuteParameter => Clause::ExecuteParameter,
            StoredContext::TriggerWhen => Clause::TriggerWhen,
            StoredContext::Policy => Clause::Policy,
            StoredContext::CallArgument => Clause::CallArgument,
            StoredContext::CopyWhere => Clause::CopyWhere,
        }
    }
}

/// What the expression is to become: a column's or domain's type, with a name for messages.
#[derive(Clone, Copy, Debug)]
pub struct StoredTarget<'n> {
    /// The type.
    pub oid: Oid,
    /// Its modifier.
    pub typmod: i32,
    /// The column, or the domain.
    pub name: &'n str,
}

/// Analyses an expression outside a query. With a relation its columns may be named: range 0 is
/// the relation. A target asks for an assignment cast to a type; CHECK, predicates, WHEN, policies
/// and COPY's WHERE are booleans.
///
/// # Errors
/// As [`crate::analyze`]; 42804 when the target type cannot be reached.
pub fn analyze_expression<'q>(
    bump: &'q Bump,
    environment: &dyn Environment,
    source: &str,
    expression: &Expression<'_>,
    relation: Option<&Relation>,
    context: StoredContext,
    target: Option<StoredTarget<'_>>,
) -> Result<&'q Expr<'q>> {
    let cell = RefCell::new(Parameters::none());
    let analyzer =
        Analyzer { bump, env: environment, source, parameters: &cell, check_as: Oid::INVALID };
    let level = Level::new(None);
    if let Some(relation) = relation {
        analyzer.relation_scope(&level, relation)?;
    }
    let expr = analyzer.expression(&level, expression, context.clause())?;
    let expr = match (target, context) {
        (Some(target), _) => analyzer.stored_target(expr, target, context)?,
        (None, StoredContext::Check) => analyzer.coerce_boolean(expr, "CHECK")?,
        (None, StoredContext::IndexPredicate | StoredContext::CopyWhere) => {
            analyzer.coerce_boolean(expr, "WHERE")?
        }
        (None, StoredContext::TriggerWhen) => analyzer.coerce_boolean(expr, "WHEN")?,
        (None, StoredContext::Policy) => analyzer.coerce_boolean(expr, "POLICY")?,
        _ => analyzer.resolve_unknown(expr)?,
    };
    analyzer.alloc(expr)
}

/// Analyses the CHECK of a domain over a base type. `VALUE` becomes a
/// [`crate::tree::ExprKind::CaseOperand`].
///
/// # Errors
/// As [`crate::analyze`].
pub fn analyze_domain_check<'q>(
    bump: &'q Bump,
    environment: &dyn Environment,
    source: &str,
    expression: &Expression<'_>,
    base: Oid,
    typmod: i32,
) -> Result<&'q Expr<'q>> {
    let cell = RefCell::new(Parameters::none());
    let check_as = Oid::INVALID;
    let analyzer = Analyzer { bump, env: environment, source, parameters: &cell, check_as };
    let level = Level::new(None);
    level.domain_value.set(Some(analyzer.typed(base, typmod)?));
    let expr = analyzer.expression(&level, expression, Clause::Check)?;
    analyzer.alloc(analyzer.coerce_boolean(expr, "CHECK")?)
}

impl<'q> Analyzer<'q, '_> {
    fn stored_target(
        &self,
        expr: Expr<'q>,
        target: StoredTarget<'_>,
        context: StoredContext,
    ) -> Result<Expr<'q>> {
        let location = location_of(&expr);
        let cast =
            self.coerce_to_target(expr, target.oid, target.typmod, Context::Assignment, location)?;
        if let Some(cast) = cast {
            return Ok(cast);
        }
        let (name, column) = (target.name, self.type_name(target.oid)?);
        let given = self.type_name(expr.ty.oid)?;
        let error = match context {
            StoredContext::ExecuteParameter => err!(
                DATATYPE_MISMATCH,
                "parameter ${name} of type {given} cannot be coerced to the expected type {column}"
            ),
            StoredContext::AlterUsing => err!(
                DATATYPE_MISMATCH,
                "result of USING clause for column \"{name}\" cannot be cast automatically to type \
                 {column}"
            ),
            // PostgreSQL calls a generation expression a default, too.
            _ => err!(
                DATATYPE_MISMATCH,
                "column \"{name}\" is of type {column} but default expression is of type {given}"
            ),
        };
        Err(error.hint("You will need to rewrite or cast the expression."))
    }
}

/// The type of an expression of a boolean context.
pub const BOOLEAN: Oid = BOOL;

/// Reads a stored expression into a context; system expressions are SQL and are analysed.
///
/// # Errors
/// XX001 when it is damaged; those of analysis.
pub fn analyze_stored<'q>(
    bump: &'q Bump,
    environment: &dyn Environment,
    stored: &Stored,
) -> Result<&'q Expr<'q>> {
    analyze_stored_value(bump, environment, stored, None)
}

/// The same for the CHECK of a domain over a base type, in which `VALUE` is the operand.
///
/// # Errors
/// As [`analyze_stored`].
pub fn analyze_stored_value<'q>(
    bump: &'q Bump,
    environment: &dyn Environment,
    stored: &Stored,
    value: Option<(Oid, i32)>,
) -> Result<&'q Expr<'q>> {
    match stored {
        Stored::Tree(bytes) => decode(bump, bytes, &ByOwner::new(bump, environment)),
        Stored::Sql(sql) => {
            let text = format!("SELECT {sql}");
            let scratch = Bump::new("stored expression", bump.account().clone());
            let statements = environment.parse(&scratch, &text)?;
            let found = match statements {
                [only] => match only.statement {
                    Statement::Select(select) => select.targets.first().and_then(|t| t.value),
                    _ => None,
                },
                _ => None,
            };
            let expression = found.ok_or_else(|| Error::corrupted("damaged stored expression"))?;
            let context = StoredContext::Check;
            let cell = RefCell::new(Parameters::none());
            let analyzer = Analyzer {
                bump,
                env: environment,
                source: &text,
                parameters: &cell,
                check_as: Oid::INVALID,
            };
            let level = Level::new(None);
            if let Some((base, typmod)) = value {
                level.domain_value.set(Some(analyzer.typed(base, typmod)?));
            }
            let expr = analyzer.expression(&level, expression, context.clause())?;
            analyzer.alloc(Expr { at: None, ..analyzer.resolve_unknown(expr)? })
        }
    }
}

/// Reads the query of a view into a context; system views are SQL and are analysed. Privileges on
/// what the query reads are those of `owner`; none stands for the current user.
///
/// # Errors
/// XX001 when it is damaged; 42P17 for views that refer to themselves; those of analysis.
pub fn analyze_stored_query<'q>(
    bump: &'q Bump,
    environment: &dyn Environment,
    stored: &Stored,
    owner: Oid,
) -> Result<&'q Query<'q>> {
    base::stack::check_stack_depth()?;
    match stored {
        Stored::Tree(bytes) => {
            let views = ByOwner { owner, ..ByOwner::new(bump, environment) };
            decode(bump, bytes, &views)
        }
        Stored::Sql(sql) => {
            let scratch = Bump::new("stored query", bump.account().clone());
            let statements = environment.parse(&scratch, sql)?;
            let [only] = statements else {
                return Err(Error::corrupted("damaged stored query"));
            };
            let cell = RefCell::new(Parameters::none());
            let analyzer = Analyzer {
                bump,
                env: environment,
                source: sql,
                parameters: &cell,
                check_as: owner,
            };
            analyzer.statement(&only.statement, None).map_err(without_position)
        }
    }
}

/// Reads views for trees whose privileges are those of an owner.
struct ByOwner<'q, 'e> {
    bump: &'q Bump,
    environment: &'e dyn Environment,
    owner: Oid,
}

impl<'q, 'e> ByOwner<'q, 'e> {
    fn new(bump: &'q Bump, environment: &'e dyn Environment) -> ByOwner<'q, 'e> {
        ByOwner { bump, environment, owner: Oid::INVALID }
    }
}

impl<'q> Views<'q> for ByOwner<'q, '_> {
    fn query(&self, view: Oid) -> Result<&'q Query<'q>> {
        crate::view::view_query(self.bump, self.environment, view)
    }

    fn relation(&self, relation: Oid, lock_mode: u8) -> Result<Oid> {
        self.environment.lock_relation(relation, lock_mode)?;
        Ok(self.owner)
    }
}

/// Positions in the system's own SQL mean nothing to the user.
fn without_position(mut error: Error) -> Error {
    error.fields_mut().position = None;
    error
}

/// What a column gets when nothing is given, as a value of its type; none if it has no default.
///
/// # Errors
/// XX001 when the default is damaged; XX000 for an identity column without a sequence.
pub fn column_default<'q>(
    bump: &'q Bump,
    environment: &dyn Environment,
    relation: &Relation,
    column: &catalog::relation::Column,
) -> Result<Option<&'q Expr<'q>>> {
    let cell = RefCell::new(Parameters::none());
    let analyzer =
        Analyzer { bump, env: environment, source: "", parameters: &cell, check_as: Oid::INVALID };
    let of_type = analyzer.type_row(column.type_oid)?.default.is_some();
    if column.default.is_none() && column.identity.is_none() && !of_type {
        return Ok(None);
    }
    analyzer.column_default(relation, column).and_then(|expr| analyzer.alloc(expr)).map(Some)
}

/// The stored form of an expression.
pub fn encode_expression(expr: &Expr<'_>) -> Stored {
    Stored::Tree(encode(expr).into())
}

/// The stored form of a query.
pub fn encode_query(query: &Query<'_>) -> Stored {
    Stored::Tree(encode(query).into())
}

/// The stored form of a list of expressions, for default arguments.
pub fn encode_list<'q>(list: &'q [Expr<'q>]) -> Stored {
    Stored::Tree(encode(&list).into())
}

fn encode<'q, T: Codec<'q>>(value: &T) -> Vec<u8> {
    let mut out = Writer::new(vec![VERSION]);
    value.put(&mut out);
    out.bytes
}

fn decode<'q, T: Codec<'q>>(bump: &'q Bump, bytes: &[u8], views: &dyn Views<'q>) -> Result<T> {
    match bytes.split_first() {
        Some((&VERSION, bytes)) => {
            let mut input = Reader { bump, bytes, views };
            let value = T::get(&mut input)?;
            if !input.bytes.is_empty() {
                return Err(Error::corrupted("bytes behind an expression tree"));
            }
            Ok(value)
        }
        Some((version, _)) => Err(Error::new(
            SqlState::DATA_CORRUPTED,
            format!("expression tree of version {version}, which this server does not know"),
        )),
        None => Err(Error::corrupted("empty expression tree")),
    }
}

/// Reads a list of expressions.
pub(crate) fn decode_list<'q>(
    bump: &'q Bump,
    environment: &dyn Environment,
    bytes: &[u8],
) -> Result<Vec<Expr<'q>>> {
    let list: &'q [Expr<'q>] = decode(bump, bytes, &ByOwner::new(bump, environment))?;
    Ok(list.to_vec())
}

/// Reads the stored default arguments of a function.
///
/// # Errors
/// XX001 when they are damaged; those of analysis.
pub fn analyze_stored_list<'q>(
    bump: &'q Bump,
    environment: &dyn Environment,
    stored: &Stored,
) -> Result<Vec<Expr<'q>>> {
    let cell = RefCell::new(Parameters::none());
    let analyzer =
        Analyzer { bump, env: environment, source: "", parameters: &cell, check_as: Oid::INVALID };
    analyzer.default_list(stored)
}

/// Whether two expressions are the same but for locations.
pub(crate) fn same_text(a: &Expr<'_>, b: &Expr<'_>) -> bool {
    let bytes = |expr: &Expr<'_>| {
        let mut out = Writer { locations: false, ..Writer::new(Vec::new()) };
        expr.put(&mut out);
        out.bytes
    };
    bytes(a) == bytes(b)
}

impl<'q> Analyzer<'q, '_> {
    /// The expression with each GROUPING resolved to places in GROUP BY.
    pub(crate) fn resolve_groupings(
        &self,
        expr: Expr<'q>,
        groupings: &[Vec<u32>],
    ) -> Result<Expr<'q>> {
        let mut out = Writer { groupings: groupings.to_vec(), ..Writer::new(Vec::new()) };
        expr.put(&mut out);
        let views = ByOwner { bump: self.bump, environment: self.env, owner: self.check_as };
        let mut input = Reader { bump: self.bump, bytes: &out.bytes, views: &views };
        Expr::get(&mut input)
    }
}

/// Casts an analysed expression to another type as an assignment does; `None` when there is no
/// such cast.
///
/// # Errors
/// Those of the cast.
pub fn coerce_stored<'q>(
    bump: &'q Bump,
    environment: &dyn Environment,
    expr: &'q Expr<'q>,
    type_oid: Oid,
    typmod: i32,
) -> Result<Option<&'q Expr<'q>>> {
    let cell = RefCell::new(Parameters::none());
    let analyzer =
        Analyzer { bump, env: environment, source: "", parameters: &cell, check_as: Oid::INVALID };
    let location = location_of(expr);
    let cast = analyzer.coerce_to_target(*expr, type_oid, typmod, Context::Assignment, location)?;
    cast.map(|cast| analyzer.alloc(cast)).transpose()
}
