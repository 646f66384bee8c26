//! Joins whose rows are looked at again.

use super::{Again, Before, CHUNK};
use crate::keys::put_hash_key;
use base::{Error, Oid, Result};
use expr::Program;
use plan::{Join, Node, NodeKind};
use types::Datum;

/// A join of either kind.
struct Pairing<'q> {
    join: Join,
    left: &'q Node<'q>,
    right: &'q Node<'q>,
    sets: &'q [(u16, u16)],
    keys: Option<Keys<'q>>,
    on: Option<Program<'q>>,
}

struct Keys<'q> {
    left: Program<'q>,
    right: Program<'q>,
    types: &'q [Oid],
    nulls_equal: bool,
}

/// The key of one side; `has_null` where a NULL is in it.
#[derive(PartialEq)]
struct Key {
    bytes: Vec<u8>,
    has_null: bool,
}

fn pairing<'q>(node: &'q Node<'q>) -> Result<Pairing<'q>> {
    match node.kind {
        NodeKind::NestedLoop { join, left, right, sets, on } => {
            Ok(Pairing { join, left, right, sets, keys: None, on })
        }
        NodeKind::HashJoin {
            join,
            left,
            right,
            left_keys,
            right_keys,
            key_types,
            on,
            nulls_equal,
            ..
        } => {
            let keys = Keys { left: left_keys, right: right_keys, types: key_types, nulls_equal };
            Ok(Pairing { join, left, right, sets: &[], keys: Some(keys), on })
        }
        _ => Err(Error::internal("a join that is none")),
    }
}

/// Whether a side was missing.
fn is_missing(side: &Before<'_>) -> bool {
    side.iter().all(|value| matches!(value, Some(Datum::Null)))
}

/// The row of a join for the newest versions of rows.
pub(super) fn recheck_join<'q: 'm, 'm>(
    again: &Again<'_, 'q, 'm>,
    node: &'q Node<'q>,
    before: &Before<'m>,
) -> Result<Option<Vec<Datum<'m>>>> {
    let pairing = pairing(node)?;
    let (left_before, right_before) = before.split_at(pairing.left.columns.len().min(before.len()));
    let left_before = left_before.to_vec();
    let has_newest = again.has_newest(pairing.left);
    if pairing.join == Join::Full && !has_newest && is_missing(&left_before) {
        let right = again.node(pairing.right, &right_before.to_vec())?;
        return Ok(right.map(|right| extended(pairing.left.columns.len(), right)));
    }
    let Some(left) = again.node(pairing.left, &left_before)? else {
        if pairing.join != Join::Full {
            return Ok(None);
        }
        let right = right_side(again, &pairing, &right_before.to_vec())?;
        return Ok(right.map(|right| extended(pairing.left.columns.len(), right)));
    };
    // The right side may read columns of the left row.
    let x = again.x;
    let outer: Vec<_> = pairing.sets.iter().map(|(param, _)| (*param, x.param(*param))).collect();
    for (param, column) in pairing.sets {
        x.set_param(*param, &left[usize::from(*column)]);
        if has_newest {
            again.changed.borrow_mut().push(*param);
        }
    }
    let result = pairs(again, &pairing, left, &right_before.to_vec());
    for (param, value) in outer {
        x.set_param(param, &value.get());
        if has_newest {
            again.changed.borrow_mut().pop();
        }
    }
    result
}

/// NULLs before a row.
fn extended<'m>(left: usize, right: Vec<Datum<'m>>) -> Vec<Datum<'m>> {
    let mut row = vec![Datum::Null; left];
    row.extend(right);
    row
}

/// The row of the right side; none if it was missing (rule 2) or is out of the conditions now.
fn right_side<'q: 'm, 'm>(
    again: &Again<'_, 'q, 'm>,
    pairing: &Pairing<'q>,
    before: &Before<'m>,
) -> Result<Option<Vec<Datum<'m>>>> {
    let outer = matches!(pairing.join, Join::Left | Join::Full);
    if outer && !again.has_newest(pairing.right) && is_missing(before) {
        return Ok(None);
    }
    again.node(pairing.right, before)
}

/// The join of a left row with what the join kept of the right side.
fn pairs<'q: 'm, 'm>(
    again: &Again<'_, 'q, 'm>,
    pairing: &Pairing<'q>,
    left: Vec<Datum<'m>>,
    right_before: &Before<'m>,
) -> Result<Option<Vec<Datum<'m>>>> {
    if !pairing.join.has_right() {
        let partner = has_partner(again, pairing, &left)?;
        return Ok((partner == (pairing.join == Join::Semi)).then_some(left));
    }
    let width = left.len();
    let mut row = left;
    if let Some(right) = right_side(again, pairing, right_before)? {
        let key = left_key(again, pairing, &row)?;
        if meets(again, pairing, key.as_ref(), &mut row, &right)? {
            return Ok(Some(row));
        }
    }
    if pairing.join == Join::Inner {
        return Ok(None);
    }
    row.truncate(width);
    row.resize(width + pairing.right.columns.len(), Datum::Null);
    Ok(Some(row))
}

/// Whether a pair meets the conditions; `row` is the left row, and the pair afterwards.
fn meets<'q: 'm, 'm>(
    again: &Again<'_, 'q, 'm>,
    pairing: &Pairing<'q>,
    left_key: Option<&Key>,
    row: &mut Vec<Datum<'m>>,
    right: &[Datum<'m>],
) -> Result<bool> {
    if let (Some(keys), Some(left_key)) = (&pairing.keys, left_key) {
        let right_key = key(again, &keys.right, keys.types, right)?;
        if *left_key != right_key || left_key.has_null && !keys.nulls_equal {
            return Ok(false);
        }
    }
    row.extend_from_slice(right);
    match &pairing.on {
        Some(on) => again.meets(std::slice::from_ref(on), row),
        None => Ok(true),
    }
}

fn left_key<'q: 'm, 'm>(
    again: &Again<'_, 'q, 'm>,
    pairing: &Pairing<'q>,
    left: &[Datum<'m>],
) -> Result<Option<Key>> {
    match &pairing.keys {
        Some(keys) => key(again, &keys.left, keys.types, left).map(Some),
        None => Ok(None),
    }
}

fn key<'q: 'm, 'm>(
    again: &Again<'_, 'q, 'm>,
    program: &Program<'q>,
    types: &[Oid],
    row: &[Datum<'m>],
) -> Result<Key> {
    let host = again.x.host.io().host;
    let mut key = Key { bytes: Vec::new(), has_null: false };
    for (value, ty) in again.values(program, row)?.iter().zip(types) {
        key.has_null |= value.is_null();
        key.bytes.push(u8::from(value.is_null()));
        if !value.is_null() {
            put_hash_key(host, *ty, value, &mut key.bytes)?;
        }
    }
    Ok(key)
}

/// Whether the right side of a semi or anti join, read anew (rule 3), has a partner for a row.
fn has_partner<'q: 'm, 'm>(
    again: &Again<'_, 'q, 'm>,
    pairing: &Pairing<'q>,
    left: &[Datum<'m>],
) -> Result<bool> {
    let left_key = left_key(again, pairing, left)?;
    let mut operator = crate::build::build(again.x, pairing.right)?;
    while let Some(batch) = operator.next(again.x, CHUNK)? {
        again.x.check()?;
        for at in batch.rows() {
            let right = batch.columns().iter().map(|column| column.get(at).copy_to(&again.bump));
            let right: Vec<Datum<'m>> = right.collect::<Result<_>>()?;
            let mut row = left.to_vec();
            if meets(again, pairing, left_key.as_ref(), &mut row, &right)? {
                return Ok(true);
            }
        }
    }
    Ok(false)
}
