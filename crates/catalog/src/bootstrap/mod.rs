//! The rows that catalogs have from the beginning.

mod build;
mod facts;
pub mod structure;

pub use build::{build, build_database};

use crate::columns::{hidden, pg_class, pg_database};
use crate::store::{Row, Store};
use crate::{builtin, files};
use base::{Oid, Result};
use hashbrown::HashMap;

/// The database `template1`.
pub const TEMPLATE1: Oid = Oid(1);
/// The database `template0`.
pub const TEMPLATE0: Oid = Oid(4);
/// The database `postgres`.
pub const POSTGRES: Oid = Oid(5);

/// Puts every row of bootstrap into `store`, which is empty: the shared catalogs and those of one
/// database.
///
/// # Errors
/// Those of the store.
pub fn fill(store: &dyn Store) -> Result<()> {
    rows(true, &mut |row| store.insert(&row).map(drop))
}

/// Calls `each` for every row of bootstrap: those of a database, and with `shared` those of the
/// shared catalogs.
///
/// # Errors
/// Those of `each`.
pub fn rows(shared: bool, each: &mut dyn FnMut(Row) -> Result<()>) -> Result<()> {
    let mut counts: HashMap<Oid, u32> = HashMap::default();
    let mut counted = |row: Row| {
        let is_shared = builtin::relation(row.catalog()).is_some_and(|catalog| catalog.shared);
        if is_shared && !shared {
            return Ok(());
        }
        *counts.entry(row.catalog()).or_default() += 1;
        each(row)
    };
    facts::rows(&mut counted)?;
    if shared {
        databases(&mut counted)?;
    }
    structure::attributes(&mut counted)?;
    let class = pg_class::RELATION;
    counts.insert(class, u32::try_from(structure::relations()).unwrap_or(0));
    structure::classes(&|oid| counts.get(&oid).copied().unwrap_or(0), each)
}

/// The OIDs of the databases of bootstrap with their first trees.
pub fn database_files() -> [(Oid, u64); 3] {
    let first = files::DATABASE_FIRST;
    let count = files::per_database();
    [(TEMPLATE1, first), (TEMPLATE0, first + count), (POSTGRES, first + 2 * count)]
}

fn databases(each: &mut dyn FnMut(Row) -> Result<()>) -> Result<()> {
    use pg_database::*;
    for ((oid, first), name) in
        database_files().into_iter().zip(["template1", "template0", "postgres"])
    {
        let template = oid != POSTGRES;
        let mut row = Row::new(RELATION);
        row.set(OID, oid).set(DATNAME, name).set(DATDBA, builtin::BOOTSTRAP_SUPERUSER);
        // UTF8, with the builtin provider's C.UTF-8.
        row.set(ENCODING, 6).set(DATLOCPROVIDER, b'b').set(DATCOLLATE, "C.UTF-8");
        row.set(DATCTYPE, "C.UTF-8").set(DATLOCALE, "C.UTF-8").set(DATCOLLVERSION, "1");
        row.set(DATISTEMPLATE, template).set(DATALLOWCONN, oid != TEMPLATE0);
        row.set(DATHASLOGINEVT, false).set(DATCONNLIMIT, -1).set(DATTABLESPACE, Oid(1663));
        row.set(DATFROZENXID, 3i64).set(DATMINMXID, 1i64);
        row.set(hidden::PG_DATABASE_FIRST_FILE, first.cast_signed());
        if template {
            row.set(DATACL, vec!["=c/10".to_string(), "10=CTc/10".to_string()]);
        }
        each(row)?;
    }
    Ok(())
}
