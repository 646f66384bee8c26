//! What INSERT, UPDATE and DELETE do with their input's rows.

use crate::node::{Node, SortColumn};
use analyze::tree::{Command, MergeWhen};
use expr::Program;

/// A change of a table.
///
/// Programs that see rows of the table (checks, index keys, RETURNING) read the columns of a *wide
/// row*: all attributes of the old row, then all of the new row, then the input's columns. For
/// INSERT the old row is NULL, for DELETE the new one.
#[derive(Clone, Copy)]
pub struct Modify<'p> {
    /// INSERT, UPDATE, DELETE or MERGE.
    pub command: Command,
    /// Which relation, by number.
    pub relation: u16,
    /// Where rows come from.
    pub input: &'p Node<'p>,
    /// UPDATE, DELETE, MERGE: the input's column with the row id.
    pub row_id: Option<u16>,
    /// UPDATE, DELETE, MERGE: for each attribute that is not dropped the input's column with its
    /// value before.
    pub old: &'p [(i16, u16)],
    /// INSERT: for each attribute its column of the input. UPDATE: the changed attributes.
    pub assignments: &'p [Assignment],
    /// The attributes that the statement itself names as targets. Errors show them even to a role
    /// that may not read them.
    pub named: &'p [i16],
    /// Generated columns: attribute and value, from the wide row.
    pub generated: &'p [Assignment],
    /// The values of `generated`, in order.
    pub generated_values: Option<Program<'p>>,
    /// NOT NULL, CHECK and view options, over the wide row.
    pub checks: &'p [Check<'p>],
    /// The indexes to maintain.
    pub indexes: &'p [IndexWrite<'p>],
    /// ON CONFLICT.
    pub conflict: Option<&'p Conflict<'p>>,
    /// INSERT, UPDATE: where the new row's system columns follow in the wide row, if RETURNING reads
    /// any: `ctid`, `xmin`, `cmin`, `xmax`, `cmax`, `tableoid`.
    pub system: Option<u16>,
    /// RETURNING, over the wide row.
    pub returning: Option<Program<'p>>,
    /// MERGE: the input's column that is NULL where there is no source row, if that can be.
    pub marker: Option<u16>,
    /// MERGE's actions.
    pub actions: &'p [MergeAction<'p>],
    /// Foreign keys of this table that rows must meet.
    pub foreign_keys: &'p [u16],
    /// Whether other tables refer to this one.
    pub referenced: bool,
    /// How many attributes the table has, dropped ones included.
    pub attributes: u16,
}

/// A column that gets a value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Assignment {
    /// The attribute, from 1.
    pub attribute: i16,
    /// The column or result with its value.
    pub column: u16,
}

/// A condition on new rows.
#[derive(Clone, Copy)]
pub enum Check<'p> {
    /// NOT NULL of an attribute.
    NotNull(i16),
    /// NOT NULL of a virtual attribute, with its value.
    NotNullValue(i16, Program<'p>),
    /// CHECK, by the number of the constraint in the relation.
    Constraint(u16, Program<'p>),
    /// The condition of a view with a check option, by the view's name.
    View(&'p str, Program<'p>),
}

/// An index that a change maintains.
#[derive(Clone, Copy)]
pub struct IndexWrite<'p> {
    /// Which index, by number.
    pub index: u16,
    /// The key's values from the wide row whose "new" half they are asked for.
    pub new_key: Program<'p>,
    /// The same from the "old" half.
    pub old_key: Program<'p>,
    /// The predicate on the new half.
    pub new_predicate: Option<Program<'p>>,
    /// The predicate on the old half.
    pub old_predicate: Option<Program<'p>>,
    /// How the key is ordered.
    pub columns: &'p [SortColumn],
    /// Whether an UPDATE of this plan can change the key.
    pub changes: bool,
}

/// ON CONFLICT.
#[derive(Clone, Copy)]
pub struct Conflict<'p> {
    /// The arbiter indexes, as positions in [`Modify::indexes`]; empty: all unique ones.
    pub arbiters: &'p [u16],
    /// DO UPDATE; none for DO NOTHING. Its programs read the wide row whose old half is the existing
    /// row and whose new half is the row proposed.
    pub update: Option<ConflictUpdate<'p>>,
}

/// DO UPDATE.
#[derive(Clone, Copy)]
pub struct ConflictUpdate<'p> {
    /// The values.
    pub values: Program<'p>,
    /// Which attributes get them.
    pub assignments: &'p [Assignment],
    /// WHERE.
    pub filter: Option<Program<'p>>,
}

/// A WHEN clause of MERGE.
#[derive(Clone, Copy)]
pub struct MergeAction<'p> {
    /// When it applies.
    pub when: MergeWhen,
    /// AND condition, over the input.
    pub condition: Option<Program<'p>>,
    /// What it does; none is DO NOTHING.
    pub command: Option<Command>,
    /// The values, over the input.
    pub values: Option<Program<'p>>,
    /// Which attributes get them.
    pub assignments: &'p [Assignment],
}
