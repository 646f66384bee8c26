//! What a function knows of its call.

use crate::{Host, SqlType};
use base::{Oid, Result};
use memory::collections::ChargedText;
use memory::{Bump, Heap, Text};
use std::any::Any;
use std::fmt::Arguments;
use types::{Datum, Io};

/// The part of a call that is the same for every row.
#[derive(Clone, Copy, Debug)]
pub struct Site<'p> {
    /// `pg_proc.oid`
    pub function: Oid,
    /// The types of the arguments, polymorphic ones resolved.
    pub args: &'p [SqlType],
    /// The type of the result.
    pub result: SqlType,
    /// The collation that comparisons use; 0 if none was derived.
    pub collation: Oid,
    /// The last argument is the array of the VARIADIC parameter.
    pub variadic: bool,
}

impl Site<'static> {
    /// A call of which nothing is known.
    pub const UNKNOWN: Site<'static> = Site {
        function: Oid(0),
        args: &[],
        result: SqlType::plain(Oid(0)),
        collation: Oid(0),
        variadic: false,
    };
}

/// One call of a function: where its result goes and whom it may ask.
///
/// Results of variable length live in [`Call::bump`], or are parts of the arguments.
pub struct Call<'c, 'm> {
    /// Where results are put.
    pub bump: &'m Bump,
    /// The session.
    pub host: &'c dyn Host,
    /// What is the same for every row.
    pub site: &'c Site<'c>,
    /// What the call site keeps between rows.
    cache: &'c mut Option<Box<dyn Any>>,
}

impl<'c, 'm> Call<'c, 'm> {
    /// A call at a site whose cache is `cache`.
    pub fn new(
        bump: &'m Bump,
        host: &'c dyn Host,
        site: &'c Site<'c>,
        cache: &'c mut Option<Box<dyn Any>>,
    ) -> Call<'c, 'm> {
        Call { bump, host, site, cache }
    }

    /// Input and output of values.
    pub fn io(&self) -> Io<'c> {
        self.host.io()
    }

    /// The type of an argument; type 0 if the site does not know.
    pub fn arg_type(&self, i: usize) -> SqlType {
        self.site.args.get(i).copied().unwrap_or(SqlType::plain(Oid(0)))
    }

    /// Memory for what a function keeps until it returns, or a set until its end: charged to
    /// those who pay for the result.
    pub fn scratch(&self) -> Heap {
        Heap::new("FunctionScratch", self.bump.account().clone())
    }

    /// A text as a result.
    ///
    /// # Errors
    /// 53200.
    pub fn text(&self, text: &str) -> Result<Datum<'m>> {
        Ok(Datum::Text(self.bump.alloc_str(text)?))
    }

    /// A formatted text as a result.
    ///
    /// # Errors
    /// 53200.
    pub fn format(&self, text: Arguments<'_>) -> Result<Datum<'m>> {
        Ok(Datum::Text(self.bump.alloc_fmt(text)?))
    }

    /// Bytes as a result.
    ///
    /// # Errors
    /// 53200.
    pub fn bytes(&self, bytes: &[u8]) -> Result<Datum<'m>> {
        Ok(Datum::Bytes(self.bump.alloc_bytes(bytes)?))
    }

    /// A text to write a result into.
    pub fn writer(&self) -> Text<'m> {
        Text::new(self.bump)
    }

    /// A text to write a result of about so many bytes into.
    ///
    /// # Errors
    /// 53200.
    pub fn writer_of(&self, bytes: usize) -> Result<Text<'m>> {
        Text::with_capacity(self.bump, bytes)
    }

    /// Texts one behind the other as a result.
    ///
    /// # Errors
    /// 53200.
    pub fn joined(&self, parts: &[&str]) -> Result<Datum<'m>> {
        let mut text = self.writer_of(parts.iter().map(|part| part.len()).sum())?;
        for part in parts {
            text.push_str(part)?;
        }
        Ok(Datum::Text(text.into_str()))
    }

    /// The text form of a value that is not NULL, charged to those who pay for the result.
    ///
    /// # Errors
    /// 53200 and those of the type's output function.
    pub fn text_of(&self, type_oid: u32, value: &Datum<'_>) -> Result<ChargedText> {
        self.io().text(type_oid, value, self.bump.account())
    }

    /// What this call site kept from an earlier row, made by `make` the first time: a compiled
    /// pattern, a format. Check that it still fits the arguments.
    ///
    /// # Errors
    /// Those of `make`.
    pub fn cached<T: 'static>(
        &mut self,
        fits: impl FnOnce(&T) -> bool,
        make: impl FnOnce() -> Result<T>,
    ) -> Result<&mut T> {
        let fresh = self.cache.as_deref().and_then(<dyn Any>::downcast_ref).is_some_and(fits);
        if !fresh {
            *self.cache = Some(Box::new(make()?));
        }
        match self.cache.as_deref_mut().and_then(<dyn Any>::downcast_mut) {
            Some(kept) => Ok(kept),
            None => Err(base::Error::internal("a call site's cache changed its type")),
        }
    }
}
