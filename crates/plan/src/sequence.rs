//! Reading a sequence: its row is what the session's host says, not what its tree holds.

use crate::node::{FunctionBody, FunctionCall, NodeKind};
use crate::planner::{Columns, Cond, Level, Planner, Rel};
use analyze::tree::Type;
use base::{Error, Oid, Result};
use catalog::relation::Relation;
use expr::{Builder, Call, SetRows, Site, SqlType};
use types::{Datum, oids};

/// The one row of a sequence; none when it was given.
struct SequenceRow(Option<(i64, i64, bool)>);

impl SetRows for SequenceRow {
    fn next<'m>(&mut self, _: &mut Call<'_, 'm>, out: &mut [Datum<'m>]) -> Result<bool> {
        let Some((last_value, log_count, is_called)) = self.0.take() else { return Ok(false) };
        let row = [Datum::Int8(last_value), Datum::Int8(log_count), Datum::Bool(is_called)];
        for (place, value) in out.iter_mut().zip(row) {
            *place = value;
        }
        Ok(true)
    }
}

fn sequence_row<'m>(cx: &mut Call<'_, 'm>, args: &[Datum<'m>]) -> Result<Box<dyn SetRows>> {
    let values = match args {
        [sequence] => cx.host.sequence_values(Oid(sequence.oid()?))?,
        _ => return Err(Error::internal("a sequence is read without its number")),
    };
    Ok(Box::new(SequenceRow(Some(values))))
}

impl<'q, 'p> Planner<'_, 'q, 'p> {
    /// Reads a sequence under conditions.
    pub(crate) fn sequence_scan(
        &self,
        level: &Level<'_, 'q>,
        range: u32,
        relation: &Relation,
        conds: &[Cond<'_, 'q>],
    ) -> Result<Rel<'q, 'p>> {
        let mut columns = Columns::default();
        let mut out = Vec::new();
        for column in &relation.columns {
            columns.vars.push((level.var(range, column.attribute), out.len() as u16));
            out.push(self.column(Type::plain(column.type_oid))?);
        }
        if level.needed.borrow().range((range, i16::MIN)..(range, 1)).next().is_some() {
            return Err(Error::unsupported("system columns of a sequence are not supported yet"));
        }
        let mut builder = Builder::new(self.bump);
        let number = builder.constant(&Datum::Oid(relation.oid.0))?;
        let site = Site {
            function: Oid::INVALID,
            args: self.bump.alloc_slice_copy(&[SqlType::plain(Oid(oids::REGCLASS))])?,
            result: SqlType::plain(Oid(oids::RECORD)),
            collation: Oid::INVALID,
            variadic: false,
        };
        let body = FunctionBody::Set {
            function: sequence_row,
            args: builder.finish(&[number])?,
            strict: true,
            site,
        };
        let call = FunctionCall { body, columns: out.len() as u16, composite: false, record: &[] };
        let functions = self.bump.alloc_slice_copy(&[call])?;
        let kind = NodeKind::FunctionScan { functions, ordinality: false };
        let node = self.node(kind, &out, (1.0, 0.0, 1.0), &Default::default())?;
        self.note_range(node, level, range);
        self.filter(Rel { node, columns, unique: Vec::new() }, conds)
    }
}
