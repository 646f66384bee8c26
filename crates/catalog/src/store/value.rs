//! A row of a catalog as owned values.

use base::{Error, Oid, Result};

/// One value of a catalog row.
#[derive(Debug, Clone, PartialEq, PartialOrd)]
pub enum Value {
    /// NULL
    Null,
    /// boolean
    Bool(bool),
    /// "char"
    Char(u8),
    /// smallint
    Int2(i16),
    /// integer
    Int4(i32),
    /// bigint, xid, timestamptz, pg_lsn
    Int8(i64),
    /// oid and the reg* types
    Oid(Oid),
    /// real
    Float4(f32),
    /// double precision
    Float8(f64),
    /// name, text, `pg_node_tree`
    Text(String),
    /// bytea and what is opaque here
    Bytes(Vec<u8>),
    /// int2vector, smallint[]
    Int2s(Vec<i16>),
    /// oidvector, oid[]
    Oids(Vec<Oid>),
    /// "char"[]
    Chars(Vec<u8>),
    /// real[]
    Floats(Vec<f32>),
    /// text[], aclitem[]
    Texts(Vec<String>),
}

macro_rules! from {
    ($($ty:ty => $variant:ident),+ $(,)?) => {$(
        impl From<$ty> for Value {
            fn from(value: $ty) -> Value {
                Value::$variant(value.into())
            }
        }
    )+};
}

from! {
    bool => Bool, u8 => Char, i16 => Int2, i32 => Int4, i64 => Int8, Oid => Oid, f32 => Float4,
    f64 => Float8, &str => Text, String => Text, Vec<u8> => Bytes, Vec<i16> => Int2s,
    Vec<Oid> => Oids, Vec<String> => Texts, Vec<f32> => Floats,
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Value {
        value.map_or(Value::Null, Into::into)
    }
}

/// A row of a catalog: one value for each of its columns, hidden ones included.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    catalog: Oid,
    values: Box<[Value]>,
}

macro_rules! getter {
    ($(#[$meta:meta])* $name:ident, $variant:ident, $ty:ty, $copy:expr) => {
        $(#[$meta])*
        ///
        /// # Errors
        /// XX001 when the stored value is NULL or of another kind.
        pub fn $name(&self, attribute: i16) -> Result<$ty> {
            match self.get(attribute) {
                Value::$variant(value) => Ok($copy(value)),
                _ => Err(self.wrong(attribute)),
            }
        }
    };
}

impl Row {
    /// A row of NULLs.
    pub fn new(catalog: Oid) -> Row {
        Row { catalog, values: vec![Value::Null; super::width(catalog)].into_boxed_slice() }
    }

    /// The catalog that it belongs to.
    pub fn catalog(&self) -> Oid {
        self.catalog
    }

    /// All values: the first has attribute number 1.
    pub fn values(&self) -> &[Value] {
        &self.values
    }

    /// The value of a column; NULL for a column that the row does not have.
    pub fn get(&self, attribute: i16) -> &Value {
        let at = usize::try_from(attribute).ok().and_then(|n| n.checked_sub(1));
        at.and_then(|at| self.values.get(at)).unwrap_or(&Value::Null)
    }

    /// Sets the value of a column.
    ///
    /// # Panics
    /// When the catalog has no such column.
    pub fn set(&mut self, attribute: i16, value: impl Into<Value>) -> &mut Row {
        let at = usize::from(attribute.unsigned_abs()) - 1;
        self.values[at] = value.into();
        self
    }

    /// The same row with a value set.
    #[must_use]
    pub fn with(mut self, attribute: i16, value: impl Into<Value>) -> Row {
        self.set(attribute, value);
        self
    }

    #[cold]
    fn wrong(&self, attribute: i16) -> Error {
        let catalog = crate::builtin::relation(self.catalog).map_or("?", |catalog| catalog.name);
        Error::corrupted(format!(
            "unexpected value {:?} in column {attribute} of {catalog}",
            self.get(attribute)
        ))
    }

    getter!(
        /// A boolean.
        bool, Bool, bool, |v: &bool| *v);
    getter!(
        /// A "char".
        char, Char, u8, |v: &u8| *v);
    getter!(
        /// A smallint.
        int2, Int2, i16, |v: &i16| *v);
    getter!(
        /// An integer.
        int4, Int4, i32, |v: &i32| *v);
    getter!(
        /// A bigint.
        int8, Int8, i64, |v: &i64| *v);
    getter!(
        /// An OID.
        oid, Oid, Oid, |v: &Oid| *v);
    getter!(
        /// A real.
        float4, Float4, f32, |v: &f32| *v);
    getter!(
        /// A name or text.
        text, Text, String, |v: &String| v.clone());
    getter!(
        /// An int2vector.
        int2s, Int2s, Vec<i16>, |v: &Vec<i16>| v.clone());
    getter!(
        /// An oidvector.
        oids, Oids, Vec<Oid>, |v: &Vec<Oid>| v.clone());

    /// A value that may be NULL.
    ///
    /// # Errors
    /// Those of `read`.
    pub fn optional<T>(
        &self,
        attribute: i16,
        read: impl FnOnce(&Row, i16) -> Result<T>,
    ) -> Result<Option<T>> {
        match self.get(attribute) {
            Value::Null => Ok(None),
            _ => read(self, attribute).map(Some),
        }
    }

    /// A text that may be NULL.
    ///
    /// # Errors
    /// XX001 when the stored value is of another kind.
    pub fn optional_text(&self, attribute: i16) -> Result<Option<String>> {
        self.optional(attribute, Row::text)
    }

    /// The strings of a text[] or aclitem[] that may be NULL.
    ///
    /// # Errors
    /// XX001 when the stored value is of another kind.
    pub fn optional_texts(&self, attribute: i16) -> Result<Option<Vec<String>>> {
        match self.get(attribute) {
            Value::Null => Ok(None),
            Value::Texts(texts) => Ok(Some(texts.clone())),
            _ => Err(self.wrong(attribute)),
        }
    }

    /// The enum variant of a "char".
    ///
    /// # Errors
    /// XX001 when no variant has the stored code.
    pub fn code<T>(&self, attribute: i16, from_code: impl Fn(u8) -> Option<T>) -> Result<T> {
        from_code(self.char(attribute)?).ok_or_else(|| self.wrong(attribute))
    }
}
