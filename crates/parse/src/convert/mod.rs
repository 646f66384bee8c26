//! Raw parse trees to trees of our own.
//!
//! One file a theme, as in [`crate::tree`]. Every method takes raw nodes and returns copies that
//! live in the converter's context.

mod dml;
mod expression;
mod function;
mod json;
mod names;
mod object;
mod role;
mod select;
mod statement;
mod table;
mod transaction;
mod utility;

pub(crate) use utility::refuse_parameter;

use base::{Error, Result};
use memory::Bump;
use pg_raw_parse::Node;
use pg_raw_parse::list::NodeList;

/// Copies raw nodes into a context.
#[derive(Clone, Copy)]
pub(crate) struct Converter<'a> {
    bump: &'a Bump,
}

impl<'a> Converter<'a> {
    pub(crate) fn new(bump: &'a Bump) -> Converter<'a> {
        Converter { bump }
    }

    fn alloc<T>(&self, value: T) -> Result<&'a T> {
        Ok(self.bump.alloc(value)?)
    }

    /// Converts each node of a list.
    fn list<T>(
        &self,
        list: &NodeList,
        mut convert: impl FnMut(Node<'_>) -> Result<T>,
    ) -> Result<&'a [T]> {
        if list.is_empty() {
            return Ok(&[]);
        }
        Ok(self.bump.try_alloc_slice(list.iter().map(&mut convert))?)
    }
}

/// The grammar built something that this crate does not know.
#[cold]
fn unexpected(what: &str) -> Error {
    Error::internal(format!("unexpected node in the parse tree: {what}"))
}

/// Maps a raw enumeration to ours.
macro_rules! map_enum {
    ($value:expr, $module:ident { $($raw:ident => $ours:expr),* $(,)? }) => {
        match $value {
            $(pg_raw_parse::nodes::$module::$raw => $ours,)*
            _ => return Err($crate::convert::unexpected(stringify!($module))),
        }
    };
}
use map_enum;
