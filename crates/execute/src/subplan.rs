//! Subqueries in expressions, run once for equal parameters.

use crate::build::build;
use crate::key_set::KeySet;
use crate::keys::{Source, put_hash_key};
use crate::operator::Child;
use crate::spill::Kept;
use crate::state::{Execution, Owned};
use base::{Error, Oid, Result, err};
use batch::Batch;
use expr::{Inputs, Runner};
use memory::{Bump, Heap};
use plan::{Subplan, SubplanKind};
use std::collections::HashMap;
use types::array::{Builder, Dimension, Dimensions};
use types::{Array, Datum, oids};

/// The most results that are kept.
const MEMO_MAX: usize = 10_000;
const CHUNK: usize = 1024;

/// A subquery of an expression while its statement runs.
pub(crate) struct SubplanState<'q> {
    plan: &'q Subplan<'q>,
    root: Child<'q>,
    begun: bool,
    memo: HashMap<Vec<u8>, Owned>,
    /// The rows of a comparison, for the parameters of `rows_key`.
    rows: Option<Kept>,
    rows_key: Option<Vec<u8>>,
    hashed: Option<Hashed>,
    runner: Runner,
    heap: Heap,
    key: Vec<u8>,
}

struct Hashed {
    keys: KeySet,
    has_null: bool,
}

/// A key given as values.
struct Given<'a, 'm>(&'a [Datum<'m>]);

impl Source for Given<'_, '_> {
    fn datum(&self, key: usize, _: usize) -> Datum<'_> {
        self.0[key]
    }
}

/// A key that is a row of a batch.
struct Row<'a>(&'a Batch);

impl Source for Row<'_> {
    fn datum(&self, key: usize, row: usize) -> Datum<'_> {
        self.0.column(key).get(row)
    }
}

impl<'q> SubplanState<'q> {
    pub(crate) fn new(x: &Execution<'q>, plan: &'q Subplan<'q>) -> Result<SubplanState<'q>> {
        Ok(SubplanState {
            plan,
            root: build(x, plan.root)?,
            begun: false,
            memo: HashMap::new(),
            rows: None,
            rows_key: None,
            hashed: None,
            runner: Runner::new(),
            heap: x.heap("SubPlan"),
            key: Vec::new(),
        })
    }

    pub(crate) fn run<'m>(
        &mut self,
        x: &Execution<'q>,
        args: &[Datum<'m>],
        bump: &'m Bump,
    ) -> Result<Datum<'m>> {
        x.check()?;
        let (own, others) = args.split_at(self.plan.sets.len());
        let before: Vec<Owned> = self.plan.sets.iter().map(|param| x.param(*param)).collect();
        for (param, value) in self.plan.sets.iter().zip(own) {
            x.set_param(*param, value);
        }
        let result = self.value(x, others, bump);
        for (param, value) in self.plan.sets.iter().zip(&before) {
            x.set_param(*param, &value.get());
        }
        result
    }

    /// The parameters that the result depends on, as bytes.
    fn parameters(&mut self, x: &Execution<'q>) -> Result<()> {
        self.key.clear();
        for param in self.plan.reads {
            let value = x.param(*param);
            // Equal values of different scales differ here: 1.0 and 1.00 are two results.
            match value.get() {
                Datum::Decimal { mantissa, scale } => {
                    self.key.push(9);
                    self.key.extend_from_slice(&mantissa.to_le_bytes());
                    self.key.extend_from_slice(&scale.to_le_bytes());
                }
                Datum::Bytes(bytes) => {
                    self.key.push(8);
                    self.key.extend_from_slice(&(bytes.len() as u64).to_le_bytes());
                    self.key.extend_from_slice(bytes);
                }
                Datum::Fixed16(bytes) => {
                    self.key.push(7);
                    self.key.extend_from_slice(&bytes);
                }
                value => {
                    let text = Oid(oids::TEXT);
                    put_hash_key(x.host.io().host, text, &value, &mut self.key)?;
                }
            }
        }
        Ok(())
    }

    fn begin(&mut self, x: &Execution<'q>) -> Result<()> {
        if std::mem::replace(&mut self.begun, true) {
            self.root.rescan(x)?;
        }
        Ok(())
    }

    fn value<'m>(
        &mut self,
        x: &Execution<'q>,
        others: &[Datum<'m>],
        bump: &'m Bump,
    ) -> Result<Datum<'m>> {
        self.parameters(x)?;
        if let SubplanKind::Compare { .. } = self.plan.kind {
            return self.compare(x, others);
        }
        if self.plan.memoise
            && let Some(known) = self.memo.get(&self.key)
        {
            return known.copy_to(bump);
        }
        self.begin(x)?;
        let value = match self.plan.kind {
            SubplanKind::Exists => Datum::Bool(self.root.next(x, 1)?.is_some()),
            SubplanKind::Scalar => self.only(x, bump)?.map_or(Datum::Null, |row| row[0]),
            SubplanKind::Row => match self.only(x, bump)? {
                None => Datum::Null,
                Some(row) => {
                    let fields: Vec<(u32, Datum<'_>)> = self
                        .plan
                        .root
                        .columns
                        .iter()
                        .zip(row)
                        .map(|(column, value)| (column.ty.oid.0, value))
                        .collect();
                    types::record::to_datum(oids::RECORD, -1, &fields, &bump)?
                }
            },
            SubplanKind::Array { element, nested } => {
                let mut values = Elements::new(element.0, nested, &self.heap);
                while let Some(batch) = self.root.next(x, CHUNK)? {
                    x.check()?;
                    for row in batch.rows() {
                        values.push(&batch.column(0).get(row))?;
                    }
                }
                values.finish(bump)?
            }
            SubplanKind::Compare { .. } => Datum::Null,
        };
        if self.plan.memoise {
            if self.memo.len() >= MEMO_MAX {
                self.memo.clear();
            }
            self.memo.insert(self.key.clone(), Owned::of(&value));
        }
        Ok(value)
    }

    /// The only row, if there is one.
    fn only<'m>(&mut self, x: &Execution<'q>, bump: &'m Bump) -> Result<Option<Vec<Datum<'m>>>> {
        let Some(batch) = self.root.next(x, 2)? else { return Ok(None) };
        if batch.len() > 1 || self.root.next(x, 1)?.is_some() {
            return Err(err!(
                CARDINALITY_VIOLATION,
                "more than one row returned by a subquery used as an expression"
            ));
        }
        let row = batch.row(0);
        batch
            .columns()
            .iter()
            .map(|column| column.get(row).copy_to(&bump))
            .collect::<Result<_>>()
            .map(Some)
    }

    fn compare(&mut self, x: &Execution<'q>, left: &[Datum<'_>]) -> Result<Datum<'static>> {
        let SubplanKind::Compare { any, program, hash, .. } = self.plan.kind else {
            return Err(Error::internal("a comparison that is none"));
        };
        if self.rows_key.as_ref() != Some(&self.key) || !self.plan.memoise {
            self.fill(x, hash)?;
            self.rows_key = Some(self.key.clone());
        }
        if let Some(hashed) = &mut self.hashed {
            if hashed.keys.is_empty() && !hashed.has_null {
                return Ok(Datum::Bool(false));
            }
            let complete = !left.iter().any(Datum::is_null);
            if complete {
                if hashed.keys.contains(x.host.io().host, &Given(left))? {
                    return Ok(Datum::Bool(true));
                }
                if !hashed.has_null {
                    return Ok(Datum::Bool(false));
                }
                if left.len() == 1 {
                    return Ok(Datum::Null);
                }
            } else if left.len() == 1 {
                return Ok(Datum::Null);
            }
        }
        // Row by row, as the comparison's own program says.
        let mut unknown = false;
        let mut next = 0;
        while let Some(kept) = &self.rows
            && let Some(batch) = kept.get(next, &self.heap)?
        {
            x.check()?;
            next += 1;
            let bump = x.bump();
            let cx = x.value(&bump, &program)?;
            for row in batch.rows() {
                let mut values = left.to_vec();
                values.extend(batch.columns().iter().map(|column| column.get(row)));
                match program.eval_one(&mut self.runner, &cx, Inputs::Row(&values))? {
                    Datum::Bool(value) if value == any => return Ok(Datum::Bool(value)),
                    Datum::Null => unknown = true,
                    _ => {}
                }
            }
        }
        Ok(if unknown { Datum::Null } else { Datum::Bool(!any) })
    }

    fn fill(&mut self, x: &Execution<'q>, hash: Option<&[Oid]>) -> Result<()> {
        self.begin(x)?;
        self.rows = None;
        self.hashed = hash.map(|types| Hashed {
            keys: KeySet::new(x, &x.heap("SubPlanKeys"), types),
            has_null: false,
        });
        while let Some(batch) = self.root.next(x, CHUNK)? {
            x.check()?;
            if let Some(hashed) = &mut self.hashed {
                hashed.keys.make_room(x, batch.len())?;
                for row in batch.rows() {
                    hashed.has_null |= !hashed.keys.add(x, &Row(&batch), row)?;
                }
                // One value is in the set, is not, or is NULL: no row is looked at again.
                if batch.columns().len() == 1 {
                    continue;
                }
            }
            let rows = match &mut self.rows {
                Some(rows) => rows,
                none => none.insert(Kept::new(x, &x.heap("SubPlanRows"))),
            };
            rows.push(x, &batch)?;
        }
        self.hashed.as_mut().map_or(Ok(()), |hashed| hashed.keys.finish(x))
    }
}

/// `ARRAY(SELECT ...)`; of arrays an array with one dimension more.
struct Elements {
    values: Builder,
    nested: bool,
    /// The rows, and the dimensions of each if they are arrays.
    rows: usize,
    dims: Option<Dimensions>,
}

impl Elements {
    fn new(element: u32, nested: bool, heap: &Heap) -> Elements {
        Elements { values: Builder::new(element, heap), nested, rows: 0, dims: None }
    }

    fn push(&mut self, value: &Datum<'_>) -> Result<()> {
        self.rows += 1;
        if !self.nested {
            return self.values.push(value);
        }
        if value.is_null() {
            return Err(err!(NULL_VALUE_NOT_ALLOWED, "cannot accumulate null arrays"));
        }
        let array = Array::from_datum(value)?;
        let its = array.dimensions();
        if its.is_empty() {
            return Err(err!(ARRAY_SUBSCRIPT_ERROR, "cannot accumulate empty arrays"));
        }
        if *self.dims.get_or_insert(its) != its {
            return Err(err!(
                ARRAY_SUBSCRIPT_ERROR,
                "cannot accumulate arrays of different dimensionality"
            ));
        }
        for element in array.iter() {
            self.values.push(&element?)?;
        }
        Ok(())
    }

    fn finish<'m>(self, bump: &'m Bump) -> Result<Datum<'m>> {
        let mut dims = vec![Dimension::from_one(self.rows)];
        dims.extend_from_slice(&self.dims.unwrap_or_default());
        self.values.finish(&dims, &bump)
    }
}
