//! The columns of anonymous row types.
//!
//! The rows of a subquery as values, and those of a function with a column definition list, are of
//! type `record`, but functions that read or write them by name know the columns: the typmod of
//! such a row is the number of its list of columns. The numbers are the same in all sessions,
//! because plans are.
//!
//! # Limits
//! [`LISTS_MAX`] lists are kept; rows of further ones have no names.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

/// How many lists are kept.
const LISTS_MAX: usize = 20_000;

/// A column of a row.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RowColumn {
    /// Its name.
    pub name: String,
    /// The OID of its type.
    pub type_oid: u32,
    /// The typmod of its type.
    pub typmod: i32,
}

type Columns = Arc<[RowColumn]>;

/// The lists by number, and the numbers by list.
#[derive(Default)]
struct Lists {
    lists: Vec<Columns>,
    numbers: HashMap<Columns, i32>,
}

static LISTS: RwLock<Option<Lists>> = RwLock::new(None);

/// The typmod of rows with these columns; -1 if it has none.
pub fn typmod(columns: &[RowColumn]) -> i32 {
    let known = LISTS.read().unwrap_or_else(PoisonError::into_inner);
    if let Some(number) = known.as_ref().and_then(|known| known.numbers.get(columns)) {
        return *number;
    }
    drop(known);
    let mut known = LISTS.write().unwrap_or_else(PoisonError::into_inner);
    let known = known.get_or_insert_default();
    if let Some(number) = known.numbers.get(columns) {
        return *number;
    }
    if known.lists.len() >= LISTS_MAX {
        return -1;
    }
    let number = i32::try_from(known.lists.len()).unwrap_or(-1);
    let columns: Columns = columns.into();
    known.lists.push(columns.clone());
    known.numbers.insert(columns, number);
    number
}

/// The columns of rows with this typmod; none for rows whose columns are not known.
pub fn of_typmod(typmod: i32) -> Option<Arc<[RowColumn]>> {
    let known = LISTS.read().unwrap_or_else(PoisonError::into_inner);
    let lists = &known.as_ref()?.lists;
    usize::try_from(typmod).ok().and_then(|number| lists.get(number)).cloned()
}
