//! Which trees the catalogs are in.
//!
//! Rules
//! 1. Shared catalogs and their indexes have the file ids from [`SHARED_FIRST`] on, in order of
//!    OID; those of a database follow one another from a number that `pg_database` keeps.
//! 2. Numbers below [`FIRST_NORMAL`] belong to the shared catalogs and to the databases of
//!    bootstrap; the counter of file ids starts there.

use crate::builtin;
use crate::rows::RelationKind;
use base::{FileId, Oid};
use std::sync::OnceLock;

/// The tree of the first shared catalog.
pub const SHARED_FIRST: u64 = 1;
/// The first tree of the first database (template1).
pub const DATABASE_FIRST: u64 = 64;
/// The first file id that is not given out by bootstrap.
pub const FIRST_NORMAL: u64 = 1024;

/// The relations with a tree, catalogs and indexes, in order of OID.
fn lists() -> &'static [Vec<Oid>; 2] {
    static LISTS: OnceLock<[Vec<Oid>; 2]> = OnceLock::new();
    LISTS.get_or_init(|| {
        let catalogs = builtin::relations().iter().filter(|r| r.kind == RelationKind::Table);
        let indexes = builtin::indexes();
        let all: Vec<(Oid, bool)> = catalogs
            .map(|relation| (relation.oid, relation.shared))
            .chain(indexes.iter().map(|index| (index.oid, index.shared)))
            .collect();
        let list = |shared| {
            let mut oids: Vec<Oid> =
                all.iter().filter(|(_, s)| *s == shared).map(|(oid, _)| *oid).collect();
            oids.sort();
            oids
        };
        [list(false), list(true)]
    })
}

/// The number of trees that each database has for its catalogs.
pub fn per_database() -> u64 {
    lists()[0].len() as u64
}

/// The relations of a database's catalogs in the order of their trees.
pub fn database_relations() -> &'static [Oid] {
    &lists()[0]
}

/// The shared relations in the order of their trees.
pub fn shared_relations() -> &'static [Oid] {
    &lists()[1]
}

/// The tree of a catalog or of a catalog's index, where `first` is the database's first; 0 for
/// what has none.
pub fn file_of(relation: Oid, first: u64) -> FileId {
    if let Ok(at) = lists()[0].binary_search(&relation) {
        return FileId(first + at as u64);
    }
    match lists()[1].binary_search(&relation) {
        Ok(at) => FileId(SHARED_FIRST + at as u64),
        Err(_) => FileId(0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_trees_of_bootstrap_do_not_overlap() {
        let shared = shared_relations().len() as u64;
        assert!(SHARED_FIRST + shared <= DATABASE_FIRST, "{shared} shared trees");
        // template1, template0 and postgres
        assert!(DATABASE_FIRST + 3 * per_database() <= FIRST_NORMAL, "{}", per_database());
        assert_eq!(file_of(Oid(1259), 100).0 - 100, {
            let at = database_relations().iter().position(|oid| *oid == Oid(1259));
            at.unwrap() as u64
        });
    }
}
