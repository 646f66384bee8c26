//! How the rows of a catalog are stored: layouts of its columns, keys of its indexes.

use crate::builtin::{self, SystemIndex};
use crate::store::{Row, Value, column_types};
use base::{ColumnId, Error, Oid, Result};
use batch::Layout;
use parking_lot::Mutex;
use std::collections::HashMap;
use std::sync::{Arc, OnceLock};
use table::{ColumnLayout, TableDescription};
use types::{Array, Datum, KeyColumn, NoCatalog, array, oids};

/// The stored form of one catalog. The same in every database.
#[derive(Debug)]
pub(crate) struct Shape {
    pub(crate) catalog: Oid,
    pub(crate) types: Vec<Oid>,
    pub(crate) layouts: Vec<Layout>,
    pub(crate) indexes: Vec<&'static SystemIndex>,
}

impl Shape {
    /// The shape of a catalog.
    pub(crate) fn of(catalog: Oid) -> Arc<Shape> {
        static SHAPES: OnceLock<Mutex<HashMap<Oid, Arc<Shape>>>> = OnceLock::new();
        let mut shapes = SHAPES.get_or_init(Mutex::default).lock();
        let shape = shapes.entry(catalog).or_insert_with(|| Arc::new(Shape::new(catalog)));
        Arc::clone(shape)
    }

    fn new(catalog: Oid) -> Shape {
        let types = column_types(catalog);
        let layouts = types.iter().map(|oid| {
            let len = builtin::type_by_oid(*oid).map_or(-1, |row| row.len);
            Layout::of(oid.0, len, -1)
        });
        Shape {
            catalog,
            layouts: layouts.collect(),
            indexes: builtin::indexes_of(catalog).collect(),
            types,
        }
    }

    /// The description that its table is opened with.
    pub(crate) fn description(&self, database: Oid) -> Arc<TableDescription> {
        let columns = self.layouts.iter().zip(1..).map(|(layout, id)| ColumnLayout {
            id: ColumnId(id),
            layout: *layout,
            missing: None,
        });
        Arc::new(TableDescription { columns: columns.collect(), relation: self.catalog, database })
    }

    /// The stored bytes of a row's values.
    pub(crate) fn encode(&self, row: &Row) -> Result<Vec<Option<Vec<u8>>>> {
        let mut stored = Vec::with_capacity(self.layouts.len());
        for ((value, type_oid), layout) in row.values().iter().zip(&self.types).zip(&self.layouts) {
            if *value == Value::Null {
                stored.push(None);
                continue;
            }
            let mut bytes = Vec::new();
            with_datum(value, *type_oid, |datum| layout.encode(&datum, &mut bytes))?;
            stored.push(Some(bytes));
        }
        Ok(stored)
    }

    /// Appends a value to a column of its type.
    pub(crate) fn push(
        &self,
        value: &Value,
        type_oid: Oid,
        column: &mut batch::Column,
    ) -> Result<()> {
        with_datum(value, type_oid, |datum| column.push(&datum))
    }

    /// The row of stored values.
    pub(crate) fn decode<'s>(&self, stored: impl Fn(usize) -> Option<&'s [u8]>) -> Result<Row> {
        let mut row = Row::new(self.catalog);
        for (at, (layout, type_oid)) in self.layouts.iter().zip(&self.types).enumerate() {
            if let Some(bytes) = stored(at) {
                let attribute = i16::try_from(at + 1).unwrap_or(0);
                row.set(attribute, from_datum(&layout.decode(bytes)?, *type_oid)?);
            }
        }
        Ok(row)
    }

    /// The beginning of an index key: as many columns as there are values.
    pub(crate) fn key<'v>(
        &self,
        index: &SystemIndex,
        values: impl Iterator<Item = &'v Value>,
    ) -> Result<Vec<u8>> {
        let mut key = Vec::new();
        for (value, attribute) in values.zip(index.key) {
            let type_oid = self.types[usize::from(attribute.unsigned_abs()) - 1];
            let column = KeyColumn::ascending(type_oid.0);
            with_datum(value, type_oid, |datum| {
                types::key::encode_column(&NoCatalog, &column, &datum, &mut key)
            })?;
        }
        Ok(key)
    }

    /// The key of a row in an index.
    pub(crate) fn row_key(&self, index: &SystemIndex, row: &Row) -> Result<Vec<u8>> {
        self.key(index, index.key.iter().map(|attribute| row.get(*attribute)))
    }
}

/// The element type of a list.
fn element_of(type_oid: Oid) -> u32 {
    match type_oid.0 {
        22 => oids::INT2,
        30 => oids::OID,
        _ => builtin::type_by_oid(type_oid).map_or(oids::TEXT, |row| row.element.0),
    }
}

/// Calls `then` with a value as a datum of its type.
pub(crate) fn with_datum<T>(
    value: &Value,
    type_oid: Oid,
    then: impl FnOnce(Datum<'_>) -> Result<T>,
) -> Result<T> {
    let list = |values: &[Datum<'_>]| {
        let lower = i32::from(!matches!(type_oid.0, 22 | 30));
        let length = i32::try_from(values.len()).unwrap_or(0);
        // Vectors count from 0 and keep their dimension when they are empty.
        let dimensions = [array::Dimension { length, lower }];
        array::encode(element_of(type_oid), &dimensions, values)
    };
    match value {
        Value::Null => then(Datum::Null),
        Value::Bool(v) => then(Datum::Bool(*v)),
        Value::Char(v) => then(Datum::Char(*v)),
        Value::Int2(v) => then(Datum::Int2(*v)),
        Value::Int4(v) => then(Datum::Int4(*v)),
        Value::Int8(v) => then(Datum::Int8(*v)),
        Value::Oid(v) => then(Datum::Oid(v.0)),
        Value::Float4(v) => then(Datum::Float4(*v)),
        Value::Float8(v) => then(Datum::Float8(*v)),
        Value::Text(v) => then(Datum::Text(v)),
        Value::Bytes(v) => then(Datum::Bytes(v)),
        Value::Int2s(v) => {
            let bytes = list(&v.iter().map(|v| Datum::Int2(*v)).collect::<Vec<_>>())?;
            then(Datum::Bytes(&bytes))
        }
        Value::Oids(v) => {
            let bytes = list(&v.iter().map(|v| Datum::Oid(v.0)).collect::<Vec<_>>())?;
            then(Datum::Bytes(&bytes))
        }
        Value::Chars(v) => {
            let bytes = list(&v.iter().map(|v| Datum::Char(*v)).collect::<Vec<_>>())?;
            then(Datum::Bytes(&bytes))
        }
        Value::Floats(v) => {
            let bytes = list(&v.iter().map(|v| Datum::Float4(*v)).collect::<Vec<_>>())?;
            then(Datum::Bytes(&bytes))
        }
        Value::Texts(v) => {
            let bytes = list(&v.iter().map(|v| Datum::Text(v)).collect::<Vec<_>>())?;
            then(Datum::Bytes(&bytes))
        }
    }
}

/// The owned value of a datum.
pub(crate) fn from_datum(datum: &Datum<'_>, type_oid: Oid) -> Result<Value> {
    Ok(match *datum {
        Datum::Null => Value::Null,
        Datum::Bool(v) => Value::Bool(v),
        Datum::Char(v) => Value::Char(v),
        Datum::Int2(v) => Value::Int2(v),
        Datum::Int4(v) => Value::Int4(v),
        Datum::Int8(v) => Value::Int8(v),
        Datum::Oid(v) => Value::Oid(Oid(v)),
        Datum::Float4(v) => Value::Float4(v),
        Datum::Float8(v) => Value::Float8(v),
        Datum::Text(v) => Value::Text(v.to_string()),
        Datum::Bytes(bytes) => list_value(bytes, type_oid)?,
        Datum::Decimal { .. } | Datum::Fixed16(_) => {
            return Err(Error::corrupted(format!("a value of type {type_oid} in a catalog")));
        }
    })
}

fn list_value(bytes: &[u8], type_oid: Oid) -> Result<Value> {
    fn elements<T>(bytes: &[u8], read: impl Fn(Datum<'_>) -> Result<T>) -> Result<Vec<T>> {
        let elements = Array::new(bytes)?.elements()?;
        elements.into_iter().filter(|element| !element.is_null()).map(read).collect()
    }
    Ok(match type_oid.0 {
        22 | 1005 => Value::Int2s(elements(bytes, |d| d.int2())?),
        30 | 1028 => Value::Oids(elements(bytes, |d| d.oid().map(Oid))?),
        1002 => Value::Chars(elements(bytes, |d| d.char())?),
        1021 => Value::Floats(elements(bytes, |d| d.float4())?),
        1009 | 1034 => Value::Texts(elements(bytes, |d| d.text().map(str::to_string))?),
        _ => Value::Bytes(bytes.to_vec()),
    })
}

/// The text of an index key for a message: `(relname, relnamespace)=(t, 2200)`.
pub(crate) fn key_text(index: &SystemIndex, row: &Row) -> String {
    let columns = builtin::relation(row.catalog()).map_or(&[][..], |catalog| catalog.columns);
    let place = |attribute: &i16| usize::from(attribute.unsigned_abs()) - 1;
    let names: Vec<&str> =
        index.key.iter().map(|a| columns.get(place(a)).map_or("?", |c| c.name)).collect();
    let env = types::IoEnv::default();
    let io = types::Io::new(&env, &NoCatalog);
    let values = index.key.iter().map(|attribute| {
        let type_oid = columns.get(place(attribute)).map_or(Oid(oids::TEXT), |c| c.type_oid);
        let text = with_datum(row.get(*attribute), type_oid, |datum| {
            if datum.is_null() { Ok("null".into()) } else { io.output_string(type_oid.0, &datum) }
        });
        text.unwrap_or_default()
    });
    format!("({})=({})", names.join(", "), values.collect::<Vec<_>>().join(", "))
}
