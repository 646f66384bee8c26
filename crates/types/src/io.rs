//! Text and binary forms of every type: one dispatch by OID.
//!
//! Types that need a catalog (enums, domains, composite types, the reg* types by name) go to the
//! [`TypeHost`]; [`NoCatalog`] is the host of the built-in types alone.

use crate::datum::{Arena, Datum};
use crate::env::IoEnv;
use crate::oids;
use base::{Error, Result, err};
use memory::Account;
use memory::collections::{Charged, ChargedText, Output};

/// How the values of a type are read and written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TypeClass {
    /// This crate reads and writes it by its OID.
    Builtin,
    /// An array of the element type, with this delimiter.
    Array {
        /// The OID of the element's type.
        element: u32,
        /// The character between elements, `,` but for boxes.
        delimiter: u8,
    },
    /// A row of named or anonymous columns.
    Composite,
    /// The host reads and writes it: enums, domains, ranges, reg* types by name.
    Host,
}

/// The upward door of input and output: what needs a catalog.
pub trait TypeHost {
    /// How values of the type are read and written.
    ///
    /// # Errors
    /// 42704 if there is no such type.
    fn class(&self, type_oid: u32) -> Result<TypeClass>;

    /// The columns of a composite type: type OID and typmod of each; the type of a dropped one is
    /// 0.
    ///
    /// # Errors
    /// 0A000 if the type is `record`: an anonymous row has no input.
    fn columns(&self, type_oid: u32) -> Result<Vec<(u32, i32)>>;

    /// The names of the columns of a row type; `typmod` tells anonymous ones apart. A dropped one
    /// has an empty name. Where none is known callers use f1, f2, ...
    ///
    /// # Errors
    /// Those of reading the catalog.
    fn column_names(&self, _type_oid: u32, typmod: i32) -> Result<Vec<String>> {
        let columns = crate::row_columns::of_typmod(typmod);
        let columns = columns.iter().flat_map(|columns| columns.iter());
        Ok(columns.map(|column| column.name.clone()).collect())
    }

    /// The name of a type as messages show it.
    fn type_name(&self, type_oid: u32) -> String;

    /// The type that a domain is over, with the modifier; none for other types.
    ///
    /// # Errors
    /// Those of reading the catalog.
    fn domain(&self, _type_oid: u32) -> Result<Option<(u32, i32)>> {
        Ok(None)
    }

    /// Checks a value that becomes one of a domain, NULL included; other types have no checks.
    ///
    /// # Errors
    /// 23502, 23514
    fn check_domain(&self, _type_oid: u32, _value: &Datum<'_>) -> Result<()> {
        Ok(())
    }

    /// Checks the pattern of a like_regex; the account pays for it meanwhile.
    ///
    /// # Errors
    /// 2201B, 53200
    fn check_pattern(
        &self,
        _pattern: &str,
        _flags: crate::jsonpath::RegexFlags,
        _account: &Account,
    ) -> Result<()> {
        Ok(())
    }

    /// Text input of a [`TypeClass::Host`] type.
    ///
    /// # Errors
    /// Those of the type.
    fn input<'m>(
        &self,
        io: &Io<'_>,
        type_oid: u32,
        typmod: i32,
        text: &str,
        arena: &dyn Arena<'m>,
    ) -> Result<Datum<'m>>;

    /// Text output of a [`TypeClass::Host`] type.
    ///
    /// # Errors
    /// Those of the type.
    fn output(
        &self,
        io: &Io<'_>,
        type_oid: u32,
        datum: &Datum<'_>,
        out: &mut Output<'_>,
    ) -> Result<()>;

    /// Binary input of a [`TypeClass::Host`] type.
    ///
    /// # Errors
    /// Those of the type.
    fn recv<'m>(
        &self,
        io: &Io<'_>,
        type_oid: u32,
        typmod: i32,
        bytes: &[u8],
        arena: &dyn Arena<'m>,
    ) -> Result<Datum<'m>>;

    /// Binary output of a [`TypeClass::Host`] type.
    ///
    /// # Errors
    /// Those of the type.
    fn send(
        &self,
        io: &Io<'_>,
        type_oid: u32,
        datum: &Datum<'_>,
        out: &mut Output<'_>,
    ) -> Result<()>;

    /// Btree comparison of two values of a [`TypeClass::Host`] type; never NULL.
    ///
    /// # Errors
    /// 42883 if the type has no order.
    fn compare(&self, type_oid: u32, a: &Datum<'_>, b: &Datum<'_>) -> Result<std::cmp::Ordering>;
}

/// What every input and output function gets.
#[derive(Clone, Copy)]
pub struct Io<'a> {
    /// The settings.
    pub env: &'a IoEnv,
    /// The catalog's side.
    pub host: &'a dyn TypeHost,
}

impl<'a> Io<'a> {
    /// Input and output under `env` with the types of `host`.
    pub fn new(env: &'a IoEnv, host: &'a dyn TypeHost) -> Io<'a> {
        Io { env, host }
    }

    /// Reads the text form of a value. The result is copied into `arena` where it needs room.
    ///
    /// # Errors
    /// Those of the type's input function: 22P02, 22003, 22007, 22008, ...
    pub fn input<'m>(
        &self,
        type_oid: u32,
        typmod: i32,
        text: &str,
        arena: &dyn Arena<'m>,
    ) -> Result<Datum<'m>> {
        crate::io_table::input(self, type_oid, typmod, text, arena)
    }

    /// Writes the text form of a value, which must not be NULL, as UTF-8.
    ///
    /// # Errors
    /// 53200 and those of the type's output function.
    pub fn write(&self, type_oid: u32, datum: &Datum<'_>, out: &mut Output<'_>) -> Result<()> {
        crate::io_table::output(self, type_oid, datum, out)
    }

    /// Appends the text form of a value, which must not be NULL, as UTF-8.
    ///
    /// # Errors
    /// Those of the type's output function.
    pub fn output(&self, type_oid: u32, datum: &Datum<'_>, out: &mut Vec<u8>) -> Result<()> {
        self.write(type_oid, datum, &mut Output::plain(out))
    }

    /// The text form of a value, which must not be NULL, as `account` pays for it.
    ///
    /// # Errors
    /// 53200 and those of the type's output function.
    pub fn text(&self, type_oid: u32, datum: &Datum<'_>, account: &Account) -> Result<ChargedText> {
        let mut text = Charged::new(account.clone(), "ValueText");
        self.write(type_oid, datum, &mut text.output())?;
        text.into_text()
    }

    /// The text form of a value, which must not be NULL: for what is small.
    ///
    /// # Errors
    /// Those of the type's output function.
    pub fn output_string(&self, type_oid: u32, datum: &Datum<'_>) -> Result<String> {
        let mut out = Vec::new();
        self.output(type_oid, datum, &mut out)?;
        String::from_utf8(out).map_err(|_| Error::internal("text output is not UTF-8"))
    }

    /// Reads the binary form of a value.
    ///
    /// # Errors
    /// 22P03, 08P01 and those of the type.
    pub fn recv<'m>(
        &self,
        type_oid: u32,
        typmod: i32,
        bytes: &[u8],
        arena: &dyn Arena<'m>,
    ) -> Result<Datum<'m>> {
        crate::io_table::recv(self, type_oid, typmod, bytes, arena)
    }

    /// Appends the binary form of a value, which must not be NULL.
    ///
    /// # Errors
    /// 42883 if the type has no binary form, 53200.
    pub fn send(&self, type_oid: u32, datum: &Datum<'_>, out: &mut Output<'_>) -> Result<()> {
        crate::io_table::send(self, type_oid, datum, out)
    }
}

/// The host of the built-in types: no enums, domains or composite types.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoCatalog;

/// The class of a built-in type without asking a catalog.
pub fn builtin_class(type_oid: u32) -> Option<TypeClass> {
    let facts = oids::builtin(type_oid)?;
    Some(if facts.is_array {
        let delimiter = oids::builtin(facts.element).map_or(b',', |e| e.delimiter);
        TypeClass::Array { element: facts.element, delimiter }
    } else if type_oid == oids::RECORD {
        TypeClass::Composite
    } else {
        TypeClass::Builtin
    })
}

impl NoCatalog {
    fn missing(type_oid: u32) -> Error {
        err!(UNDEFINED_OBJECT, "cache lookup failed for type {type_oid}")
    }
}

impl TypeHost for NoCatalog {
    fn class(&self, type_oid: u32) -> Result<TypeClass> {
        builtin_class(type_oid).ok_or_else(|| Self::missing(type_oid))
    }

    fn columns(&self, _type_oid: u32) -> Result<Vec<(u32, i32)>> {
        Err(Error::unsupported("input of anonymous composite types is not implemented"))
    }

    fn type_name(&self, type_oid: u32) -> String {
        crate::io_table::format_type(type_oid)
    }

    fn input<'m>(
        &self,
        _io: &Io<'_>,
        type_oid: u32,
        _typmod: i32,
        _text: &str,
        _arena: &dyn Arena<'m>,
    ) -> Result<Datum<'m>> {
        Err(Self::missing(type_oid))
    }

    fn output(
        &self,
        _io: &Io<'_>,
        type_oid: u32,
        _datum: &Datum<'_>,
        _out: &mut Output<'_>,
    ) -> Result<()> {
        Err(Self::missing(type_oid))
    }

    fn recv<'m>(
        &self,
        _io: &Io<'_>,
        type_oid: u32,
        _typmod: i32,
        _bytes: &[u8],
        _arena: &dyn Arena<'m>,
    ) -> Result<Datum<'m>> {
        Err(Self::missing(type_oid))
    }

    fn send(
        &self,
        _io: &Io<'_>,
        type_oid: u32,
        _datum: &Datum<'_>,
        _out: &mut Output<'_>,
    ) -> Result<()> {
        Err(Self::missing(type_oid))
    }

    fn compare(&self, type_oid: u32, _a: &Datum<'_>, _b: &Datum<'_>) -> Result<std::cmp::Ordering> {
        Err(Self::missing(type_oid))
    }
}
