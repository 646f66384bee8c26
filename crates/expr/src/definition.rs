//! What can be asked to be shown as SQL.

use base::Oid;

/// A definition that is wanted as text.
///
/// `pretty` is the meaning of that argument of the functions `pg_get_…def`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Definition<'a> {
    /// A stored expression over a relation, or over none.
    Expression {
        /// What the catalog's column holds.
        tree: &'a str,
        /// The relation; none if no columns are expected.
        relation: Oid,
        /// See above.
        pretty: bool,
    },
    /// A constraint, as it stands in CREATE TABLE.
    Constraint {
        /// The constraint.
        constraint: Oid,
        /// See above.
        pretty: bool,
    },
    /// CREATE INDEX, or one column of it.
    Index {
        /// The index.
        index: Oid,
        /// From 1; 0 is the whole command.
        column: i32,
        /// See above.
        pretty: bool,
    },
    /// The query of a view.
    View {
        /// The view.
        view: Oid,
        /// See above.
        pretty: bool,
        /// The column at which lists are broken; 0 breaks behind each item.
        wrap: i32,
    },
    /// CREATE RULE.
    Rule {
        /// The rule.
        rule: Oid,
        /// See above.
        pretty: bool,
    },
    /// CREATE TRIGGER.
    Trigger {
        /// The trigger.
        trigger: Oid,
        /// See above.
        pretty: bool,
    },
    /// CREATE FUNCTION.
    Function(Oid),
    /// The arguments of a function.
    FunctionArguments {
        /// The function.
        function: Oid,
        /// As commands name a function: without defaults.
        identity: bool,
    },
    /// What a function returns.
    FunctionResult(Oid),
    /// The default of an argument.
    ArgumentDefault {
        /// The function.
        function: Oid,
        /// From 1.
        argument: i32,
    },
    /// The body of a function in SQL-standard form.
    FunctionBody(Oid),
    /// The key of a partitioned table.
    PartitionKey(Oid),
    /// What holds for the rows of a partition.
    PartitionConstraint(Oid),
    /// CREATE STATISTICS, or its columns.
    Statistics {
        /// The statistics object.
        statistics: Oid,
        /// Only the columns and expressions.
        columns: bool,
    },
}
