//! The column names of anonymous row types.
//!
//! A subquery's rows as values are of type `record`, but functions that print them by name, as
//! `row_to_json` does, know the names: the typmod of such a row is the number of its list of names.
//! The numbers are the same in all sessions, because plans are.
//!
//! # Limits
//! [`LISTS_MAX`] lists are kept; rows of further ones have no names.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

/// How many lists of names are kept.
const LISTS_MAX: usize = 20_000;

type Names = Arc<[String]>;

static LISTS: RwLock<Vec<Names>> = RwLock::new(Vec::new());
static NUMBERS: RwLock<Option<HashMap<Names, i32>>> = RwLock::new(None);

/// The typmod of rows with these names; -1 if it has none.
pub fn typmod(names: &[String]) -> i32 {
    let known = NUMBERS.read().unwrap_or_else(PoisonError::into_inner);
    if let Some(number) = known.as_ref().and_then(|known| known.get(names)) {
        return *number;
    }
    drop(known);
    let mut known = NUMBERS.write().unwrap_or_else(PoisonError::into_inner);
    let known = known.get_or_insert_default();
    if let Some(number) = known.get(names) {
        return *number;
    }
    let mut lists = LISTS.write().unwrap_or_else(PoisonError::into_inner);
    if lists.len() >= LISTS_MAX {
        return -1;
    }
    let number = i32::try_from(lists.len()).unwrap_or(-1);
    let names: Names = names.into();
    lists.push(names.clone());
    known.insert(names, number);
    number
}

/// The names of rows with this typmod; empty for rows without names.
pub fn of_typmod(typmod: i32) -> Vec<String> {
    let lists = LISTS.read().unwrap_or_else(PoisonError::into_inner);
    let names = usize::try_from(typmod).ok().and_then(|number| lists.get(number));
    names.map(|names| names.to_vec()).unwrap_or_default()
}
