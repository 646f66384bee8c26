//! Rows as results: of functions that return a record, and of those that return a set.

use base::{Oid, Result};
use expr::{Call, Datum, SetRows};
use std::net::IpAddr;
use types::{Inet, oids, record};

/// A value of a row, owned.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Cell {
    Null,
    Bool(bool),
    Char(u8),
    Int2(i16),
    Int4(i32),
    Int8(i64),
    Oid(Oid),
    Text(String),
    /// Decimal digits.
    Numeric(String),
    Texts(Vec<String>),
    Types(Vec<Oid>),
    Numbers(Vec<i32>),
    Address(IpAddr),
}

impl Cell {
    /// A text, or NULL.
    pub(crate) fn text(text: Option<impl Into<String>>) -> Cell {
        text.map_or(Cell::Null, |text| Cell::Text(text.into()))
    }

    /// A moment or another bigint, or NULL.
    pub(crate) fn int8(value: Option<i64>) -> Cell {
        value.map_or(Cell::Null, Cell::Int8)
    }

    /// The address of a host, or NULL.
    pub(crate) fn address(value: Option<IpAddr>) -> Cell {
        value.map_or(Cell::Null, Cell::Address)
    }

    /// The value, put where results are.
    pub(crate) fn datum<'m>(&self, cx: &Call<'_, 'm>) -> Result<Datum<'m>> {
        Ok(match self {
            Cell::Null => Datum::Null,
            Cell::Bool(value) => Datum::Bool(*value),
            Cell::Char(value) => Datum::Char(*value),
            Cell::Int2(value) => Datum::Int2(*value),
            Cell::Int4(value) => Datum::Int4(*value),
            Cell::Int8(value) => Datum::Int8(*value),
            Cell::Oid(value) => Datum::Oid(value.0),
            Cell::Text(value) => cx.text(value)?,
            Cell::Numeric(digits) => {
                types::numeric::NumericBuf::parse(digits)?.to_datum(&cx.bump)?
            }
            Cell::Types(values) => {
                let values: Vec<Datum<'_>> = values.iter().map(|oid| Datum::Oid(oid.0)).collect();
                types::array::from_list(oids::REGTYPE, &values, &cx.bump)?
            }
            Cell::Numbers(values) => {
                let values: Vec<Datum<'_>> = values.iter().map(|n| Datum::Int4(*n)).collect();
                types::array::from_list(oids::INT4, &values, &cx.bump)?
            }
            Cell::Address(value) => Inet::of_host(*value).with_stored(|stored| cx.bytes(stored))?,
            Cell::Texts(values) => texts(cx, oids::TEXT, values)?,
        })
    }
}

struct Rows(std::vec::IntoIter<Vec<Cell>>);

impl SetRows for Rows {
    fn next<'m>(&mut self, cx: &mut Call<'_, 'm>, out: &mut [Datum<'m>]) -> Result<bool> {
        let Some(row) = self.0.next() else { return Ok(false) };
        for (place, cell) in out.iter_mut().zip(&row) {
            *place = cell.datum(cx)?;
        }
        Ok(true)
    }
}

/// The set of some rows.
pub(crate) fn set(rows: Vec<Vec<Cell>>) -> Box<dyn SetRows> {
    Box::new(Rows(rows.into_iter()))
}

/// A row as one value: each column's type and value.
pub(crate) fn row<'m>(cx: &Call<'_, 'm>, columns: &[(u32, Cell)]) -> Result<Datum<'m>> {
    let mut values = Vec::with_capacity(columns.len());
    for (type_oid, cell) in columns {
        values.push((*type_oid, cell.datum(cx)?));
    }
    record::to_datum(oids::RECORD, -1, &values, &cx.bump)
}

/// An array of texts of a type.
pub(crate) fn texts<'m>(cx: &Call<'_, 'm>, element: u32, texts: &[String]) -> Result<Datum<'m>> {
    let values: Vec<Datum<'_>> = texts.iter().map(|text| Datum::Text(text)).collect();
    types::array::from_list(element, &values, &cx.bump)
}
