//! Plan trees: what the executor runs.
//!
//! Rules
//! 1. A plan is immutable and lives in one context; the executor keeps its state elsewhere, in a
//!    slice indexed by [`Node::id`].
//! 2. A node's programs read the columns of its input by position; those of a join read the left
//!    input's columns, then the right's.

use analyze::tree::{JoinKind as SqlJoinKind, LockStrength, LockWait, SetKind};
use base::Oid;
use catalog::relation::{Index, Relation};
use expr::{
    AggregateFactory, Program, ScalarFn, SetFn, SetOperation, Site, SqlType, WindowFactory,
};
use std::sync::Arc;
use types::layout::Layout;

/// A column of a node's output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Column {
    /// Its type.
    pub ty: SqlType,
    /// How it is stored.
    pub layout: Layout,
    /// Its collation.
    pub collation: Oid,
}

/// A column of a statement's result.
#[derive(Clone, Copy, Debug)]
pub struct OutputColumn<'p> {
    /// Its name.
    pub name: &'p str,
    /// Its type.
    pub ty: SqlType,
    /// The table and attribute that it is, unchanged.
    pub origin: Option<(Oid, i16)>,
}

/// A statement's plan.
#[derive(Clone, Copy)]
pub struct Plan<'p> {
    /// The topmost node.
    pub root: &'p Node<'p>,
    /// The columns that the client gets: the first ones of the root's output.
    pub columns: &'p [OutputColumn<'p>],
    /// Subplans of expressions, by number.
    pub subplans: &'p [Subplan<'p>],
    /// CTEs that are computed once, by number.
    pub ctes: &'p [&'p Node<'p>],
    /// Relations, by number. The statement's owner keeps what they describe.
    pub relations: &'p [RelationUse],
    /// The parameters that the client gives.
    pub external_params: u16,
    /// All parameters: the external ones first.
    pub params: u16,
    /// The nodes of the tree, its subplans and CTEs.
    pub nodes: u32,
    /// Whether it changes data.
    pub modifies: bool,
}

/// A relation that a plan uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RelationUse {
    /// `pg_class.oid`
    pub oid: Oid,
    /// The lock mode it needs: 1 ACCESS SHARE to 8 ACCESS EXCLUSIVE.
    pub lock_mode: u8,
}

/// What a plan refers to in the catalogs: kept beside it, since it is counted.
#[derive(Clone, Debug, Default)]
pub struct Descriptions {
    /// The relations, in the order of [`Plan::relations`].
    pub relations: Vec<Arc<Relation>>,
    /// The indexes, by number.
    pub indexes: Vec<Arc<Index>>,
}

/// A subplan of an expression.
#[derive(Clone, Copy)]
pub struct Subplan<'p> {
    /// Its plan.
    pub root: &'p Node<'p>,
    /// What becomes of its rows.
    pub kind: SubplanKind<'p>,
    /// The parameters that the expression's arguments set; further arguments belong to `kind`.
    pub sets: &'p [u16],
    /// All parameters that the result depends on.
    pub reads: &'p [u16],
    /// Whether it may be run once for equal parameters.
    pub memoise: bool,
}

/// What becomes of a subplan's rows.
#[derive(Clone, Copy)]
pub enum SubplanKind<'p> {
    /// Whether there is a row.
    Exists,
    /// The only row's first column.
    Scalar,
    /// The only row, as a record.
    Row,
    /// An array of the first column.
    Array {
        /// The array's element type.
        element: Oid,
        /// The column is an array itself: one dimension is added.
        nested: bool,
    },
    /// Whether a comparison with any (or all) rows holds. The program reads the left side's values,
    /// then the row's columns.
    Compare {
        /// ANY or ALL.
        any: bool,
        /// The comparison.
        program: Program<'p>,
        /// The number of values of the left side.
        left: u16,
        /// Key types by which equality can be looked up in a hash table.
        hash: Option<&'p [Oid]>,
    },
}

/// A node of a plan.
#[derive(Clone, Copy)]
pub struct Node<'p> {
    /// Its number within the statement.
    pub id: u32,
    /// What it does.
    pub kind: NodeKind<'p>,
    /// Its output.
    pub columns: &'p [Column],
    /// Rows expected.
    pub rows: f64,
    /// The cost until the first row, in PostgreSQL's units.
    pub startup_cost: f64,
    /// The cost until the last row.
    pub total_cost: f64,
    /// The parameters that it and what is below it read, those set below left out.
    pub reads: &'p [u16],
}

/// Which joins the executor knows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Join {
    /// Pairs.
    Inner,
    /// Pairs, and left rows without a partner.
    Left,
    /// Pairs, and rows of both sides without a partner.
    Full,
    /// Left rows that have a partner.
    Semi,
    /// Left rows that have none.
    Anti,
}

impl Join {
    /// The join of a FROM clause, the sides of a right join swapped.
    pub fn of(kind: SqlJoinKind) -> Join {
        match kind {
            SqlJoinKind::Inner => Join::Inner,
            SqlJoinKind::Left | SqlJoinKind::Right => Join::Left,
            SqlJoinKind::Full => Join::Full,
        }
    }

    /// Whether the output has the right side's columns.
    pub fn has_right(self) -> bool {
        !matches!(self, Join::Semi | Join::Anti)
    }
}

/// A column that a scan yields.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ScanColumn {
    /// A column of the table by attribute number.
    Attribute(i16),
    /// A system column, by its negative attribute number.
    System(i16),
    /// The hidden row id, as a bigint.
    RowId,
}

/// One end of an index range.
#[derive(Clone, Copy)]
pub struct IndexBound<'p> {
    /// The values of the key's first columns, constant in this scan.
    pub program: Program<'p>,
    /// How many columns they cover.
    pub columns: u16,
    /// How many of them, the first ones, are the same for the whole range.
    pub equal: u16,
    /// Whether the bound itself belongs to the range.
    pub inclusive: bool,
    /// Bits of columns for which NULL is a value like others: IS NULL.
    pub nulls: u32,
    /// Bits of columns whose values are arrays: there is a range for each element.
    pub lists: u32,
    /// The column behind these is not NULL.
    pub not_null: bool,
}

impl IndexBound<'_> {
    /// Whether it bounds a column, as opposed to giving its one value.
    pub fn is_range(&self) -> bool {
        self.columns > self.equal
    }
}

/// How the keys of an index's entries come from a row of the table.
#[derive(Clone, Copy)]
pub struct IndexKeys<'p> {
    /// How they are ordered; the column numbers count the keys.
    pub columns: &'p [SortColumn],
    /// For an index over expressions: the attributes that they read, and the keys from those.
    pub expressions: Option<(&'p [i16], Program<'p>)>,
}

/// A sort or group key: a column of the input.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SortColumn {
    /// Which column.
    pub column: u16,
    /// Its type.
    pub type_oid: Oid,
    /// DESC
    pub descending: bool,
    /// NULLS FIRST
    pub nulls_first: bool,
}

/// An aggregate call.
#[derive(Clone, Copy)]
pub struct AggregateCall<'p> {
    /// How its states are made.
    pub factory: AggregateFactory,
    /// What it is called, for EXPLAIN.
    pub name: &'p str,
    /// Its arguments: columns of the input.
    pub args: &'p [u16],
    /// For hypothetical-set aggregates how the rows are sorted, as a last argument: for each key a
    /// bit for DESC and one for NULLS FIRST.
    pub hypothetical: Option<i64>,
    /// Direct arguments of ordered-set aggregates, as columns of the input: the group's first row.
    pub direct: &'p [u16],
    /// FILTER, as a column of the input.
    pub filter: Option<u16>,
    /// DISTINCT, over `args`.
    pub distinct: &'p [SortColumn],
    /// ORDER BY, over columns of the input.
    pub order_by: &'p [SortColumn],
    /// What is the same for all rows.
    pub site: Site<'p>,
}

/// What a window function is.
#[derive(Clone, Copy)]
pub enum WindowBody {
    /// A window function proper.
    Function(WindowFactory),
    /// An aggregate over the frame.
    Aggregate(AggregateFactory),
}

/// A window function call.
#[derive(Clone, Copy)]
pub struct WindowCall<'p> {
    /// What it is.
    pub body: WindowBody,
    /// Its arguments: columns of the input.
    pub args: &'p [u16],
    /// FILTER, as a column of the input.
    pub filter: Option<u16>,
    /// What is the same for all rows.
    pub site: Site<'p>,
}

/// One end of a frame; offsets are columns of the input.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[expect(missing_docs, reason = "the names are SQL's")]
pub enum FrameEnd {
    UnboundedPreceding,
    Preceding(u16),
    CurrentRow,
    Following(u16),
    UnboundedFollowing,
}

/// A window frame.
#[derive(Clone, Copy)]
pub struct Frame<'p> {
    /// ROWS, RANGE or GROUPS.
    pub unit: analyze::tree::FrameUnit,
    /// Where it starts.
    pub start: FrameEnd,
    /// Where it ends.
    pub end: FrameEnd,
    /// What is left out.
    pub exclusion: analyze::tree::FrameExclusion,
    /// `in_range` for RANGE with an offset.
    pub in_range: Option<(ScalarFn, Site<'p>)>,
}

/// A function in FROM or a set-returning call in the targets.
#[derive(Clone, Copy)]
pub struct FunctionCall<'p> {
    /// What it is.
    pub body: FunctionBody<'p>,
    /// How many columns it yields.
    pub columns: u16,
    /// Its value is a row whose fields are the columns. Most sets write columns anyhow.
    pub composite: bool,
    /// The types of the fields of the row that its columns are put into as one value; none to
    /// leave them apart.
    pub record: &'p [Oid],
}

/// What a function in FROM is.
#[derive(Clone, Copy)]
pub enum FunctionBody<'p> {
    /// A function that returns a set; the program computes its arguments.
    Set {
        /// The function.
        function: SetFn,
        /// Its arguments.
        args: Program<'p>,
        /// Whether it answers nothing for a NULL argument.
        strict: bool,
        /// What is the same for every call.
        site: Site<'p>,
    },
    /// A set that is no function.
    Operation {
        /// The set.
        operation: &'p dyn SetOperation,
        /// Its arguments.
        args: Program<'p>,
        /// What is the same for every call.
        site: Site<'p>,
    },
    /// An expression with one value.
    Value(Program<'p>),
}

/// What nodes do.
#[derive(Clone, Copy)]
pub enum NodeKind<'p> {
    /// One row from constants, unless a filter says no.
    Result {
        /// The values.
        program: Program<'p>,
        /// One-time filters.
        filters: &'p [Program<'p>],
    },
    /// The rows of VALUES.
    Values(&'p [Program<'p>]),
    /// All rows of a table.
    SeqScan {
        /// Which relation, by number.
        relation: u16,
        /// What it yields.
        columns: &'p [ScanColumn],
        /// Conditions, in order.
        filters: &'p [Program<'p>],
    },
    /// The rows of a table that an index range holds, in the index's order.
    IndexScan {
        /// Which relation, by number.
        relation: u16,
        /// Which index, by number.
        index: u16,
        /// Its keys.
        keys: IndexKeys<'p>,
        /// Where to begin.
        lower: Option<IndexBound<'p>>,
        /// Where to end.
        upper: Option<IndexBound<'p>>,
        /// From the end to the beginning.
        backward: bool,
        /// What it yields.
        columns: &'p [ScanColumn],
        /// Conditions, in order, that the range does not see to.
        filters: &'p [Program<'p>],
        /// All conditions, for rows that have changed since and for snapshots that the index is too
        /// new for.
        recheck: &'p [Program<'p>],
        /// When conditions cannot be tried on what is yielded: the node that yields the same and
        /// has them.
        whole: Option<&'p Node<'p>>,
    },
    /// Rows of functions side by side.
    FunctionScan {
        /// The functions.
        functions: &'p [FunctionCall<'p>],
        /// A last column counts the rows.
        ordinality: bool,
    },
    /// The rows of a CTE.
    CteScan(u16),
    /// The rows that the recursive term of a CTE found last.
    WorkTable(u16),
    /// A recursive CTE.
    RecursiveUnion {
        /// The number that [`NodeKind::WorkTable`] names.
        table: u16,
        /// The parameter whose value is another one in each round.
        round: u16,
        /// The non-recursive term.
        start: &'p Node<'p>,
        /// The recursive term.
        step: &'p Node<'p>,
        /// UNION: rows that were found before are dropped.
        distinct: Option<&'p [SortColumn]>,
    },
    /// Rows that meet conditions, tried in order.
    Filter {
        /// From where.
        input: &'p Node<'p>,
        /// The conditions.
        filters: &'p [Program<'p>],
    },
    /// Computed columns.
    Project {
        /// From where.
        input: &'p Node<'p>,
        /// The values.
        program: Program<'p>,
    },
    /// Computed columns some of which are sets.
    ProjectSet {
        /// From where.
        input: &'p Node<'p>,
        /// The values of columns that are no sets.
        program: Program<'p>,
        /// For each column the set it is, or none.
        sets: &'p [Option<FunctionCall<'p>>],
    },
    /// For each row of the left side the matching ones of the right side.
    NestedLoop {
        /// Which join.
        join: Join,
        /// Left side.
        left: &'p Node<'p>,
        /// Right side, run again for each left row.
        right: &'p Node<'p>,
        /// Parameters set from columns of the left row.
        sets: &'p [(u16, u16)],
        /// The condition.
        on: Option<Program<'p>>,
    },
    /// The right side in a hash table, probed by the left side.
    HashJoin {
        /// Which join.
        join: Join,
        /// Left side.
        left: &'p Node<'p>,
        /// Right side.
        right: &'p Node<'p>,
        /// Left keys.
        left_keys: Program<'p>,
        /// Right keys.
        right_keys: Program<'p>,
        /// The types by which keys are compared.
        key_types: &'p [Oid],
        /// What pairs must meet besides.
        on: Option<Program<'p>>,
        /// A NULL key matches a NULL key (set operations).
        nulls_equal: bool,
        /// NOT IN: a NULL key on the right side leaves no row.
        null_aware: bool,
    },
    /// Rows in an order.
    Sort {
        /// From where.
        input: &'p Node<'p>,
        /// The order.
        keys: &'p [SortColumn],
        /// Only so many first rows are wanted, if the program says so.
        limit: Option<Program<'p>>,
    },
    /// Groups.
    Aggregate {
        /// From where.
        input: &'p Node<'p>,
        /// The grouping columns; the output begins with them.
        keys: &'p [SortColumn],
        /// Grouping sets as indices into `keys`; one with all keys for a plain GROUP BY.
        sets: &'p [&'p [u16]],
        /// The calls; the output goes on with them.
        calls: &'p [AggregateCall<'p>],
        /// The output ends with the number of the grouping set.
        set_column: bool,
        /// Without keys there is one row even from no input.
        always: bool,
    },
    /// The first of rows that are equal in some columns.
    Distinct {
        /// From where.
        input: &'p Node<'p>,
        /// The columns.
        keys: &'p [SortColumn],
    },
    /// UNION ALL.
    Append(&'p [&'p Node<'p>]),
    /// INTERSECT and EXCEPT.
    SetOperation {
        /// Which one; never UNION.
        kind: SetKind,
        /// ALL.
        all: bool,
        /// Left side.
        left: &'p Node<'p>,
        /// Right side.
        right: &'p Node<'p>,
        /// How rows are compared.
        keys: &'p [SortColumn],
    },
    /// Window functions; the input is sorted by `partition` and `order`.
    Window {
        /// From where.
        input: &'p Node<'p>,
        /// PARTITION BY.
        partition: &'p [SortColumn],
        /// ORDER BY.
        order: &'p [SortColumn],
        /// The frame.
        frame: Frame<'p>,
        /// The calls; the output is the input's columns and then they.
        calls: &'p [WindowCall<'p>],
    },
    /// LIMIT and OFFSET.
    Limit {
        /// From where.
        input: &'p Node<'p>,
        /// OFFSET.
        offset: Option<Program<'p>>,
        /// LIMIT.
        limit: Option<Program<'p>>,
        /// FETCH ... WITH TIES, by these columns.
        ties: Option<&'p [SortColumn]>,
    },
    /// FOR UPDATE and its like.
    LockRows {
        /// From where.
        input: &'p Node<'p>,
        /// What to lock.
        marks: &'p [RowLock],
    },
    /// Rows of the input; at their end statements in WITH are run to theirs.
    With {
        /// From where.
        input: &'p Node<'p>,
        /// The statements, as numbers of CTEs.
        ctes: &'p [u16],
    },
    /// INSERT, UPDATE, DELETE, MERGE.
    Modify(&'p crate::modify::Modify<'p>),
}

/// A relation whose rows are locked.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RowLock {
    /// Which relation, by number.
    pub relation: u16,
    /// The input's column with its row id.
    pub row_id: u16,
    /// How strong.
    pub strength: LockStrength,
    /// What to do when it must wait.
    pub wait: LockWait,
}
