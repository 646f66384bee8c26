//! The catalog rows of a relation: `pg_class`, `pg_attribute`, and its row type.

use crate::{Env, depend, grant, object};
use base::{FileId, Oid, Result, err};
use catalog::acl::AclKind;
use catalog::builtin;
use catalog::columns::{hidden, pg_attribute, pg_class, pg_type};
use catalog::rows::{
    DependencyKind, Generated, Identity, Persistence, RelationKind, Type, TypeKind,
};
use catalog::store::{Row, Value};

/// The access method `heap`.
pub(crate) const HEAP: Oid = Oid(2);

/// What is new about a relation.
#[derive(Debug, Clone)]
pub(crate) struct NewRelation {
    pub(crate) oid: Oid,
    pub(crate) name: String,
    /// Indexes and the sequences of columns belong to their table's owner, whoever makes them.
    pub(crate) owner: Oid,
    pub(crate) namespace: Oid,
    pub(crate) kind: RelationKind,
    pub(crate) persistence: Persistence,
    pub(crate) method: Oid,
    pub(crate) file: FileId,
    pub(crate) options: Vec<String>,
    pub(crate) columns: Vec<NewColumn>,
}

/// What is new about a column.
#[derive(Debug, Clone)]
pub(crate) struct NewColumn {
    pub(crate) name: String,
    pub(crate) type_oid: Oid,
    pub(crate) typmod: i32,
    pub(crate) collation: Oid,
    pub(crate) dimensions: i16,
    pub(crate) not_null: bool,
    pub(crate) has_default: bool,
    pub(crate) identity: Option<Identity>,
    pub(crate) generated: Option<Generated>,
    pub(crate) statistics: Option<i16>,
    /// Where it is not its type's.
    pub(crate) storage: Option<u8>,
    pub(crate) compression: u8,
}

impl NewColumn {
    /// A column without anything special.
    pub(crate) fn plain(name: &str, type_oid: Oid, typmod: i32, collation: Oid) -> NewColumn {
        NewColumn {
            name: name.into(),
            type_oid,
            typmod,
            collation,
            dimensions: 0,
            not_null: false,
            has_default: false,
            identity: None,
            generated: None,
            statistics: None,
            storage: None,
            compression: 0,
        }
    }
}

/// There are no multixacts, so none is older than the first.
const FIRST_MULTIXACT: i64 = 1;

/// Writes the `pg_class` row, the columns' rows and, for kinds that have one, the row type.
pub(crate) fn insert(env: &Env<'_>, relation: &NewRelation) -> Result<()> {
    use RelationKind::{Index, PartitionedIndex, Sequence};
    let catalog = env.catalog();
    let row_type = match relation.kind {
        Index | PartitionedIndex | Sequence => Oid::INVALID,
        _ => insert_row_type(env, relation)?,
    };
    let columns = i16::try_from(relation.columns.len()).unwrap_or(i16::MAX);
    let storage = i64::try_from(relation.file.0).unwrap_or(0);
    // What shows as a file node is no more than a number that is unique.
    let file_node = if relation.file.0 == 0 { Oid::INVALID } else { relation.oid };
    let options = (!relation.options.is_empty()).then(|| relation.options.clone());
    let tuples = if relation.kind == Sequence { 1.0f32 } else { -1.0 };
    let tuples = if file_node.is_valid() { tuples } else { 0.0 };
    let acl = match relation.kind {
        Index | PartitionedIndex => None,
        kind => {
            let kind = if kind == Sequence { AclKind::Sequence } else { AclKind::Table };
            let address = object::relation(relation.oid);
            grant::for_new(env, kind, &address, relation.owner, relation.namespace)?
        }
    };
    let has_rows = matches!(relation.kind, RelationKind::Table | RelationKind::MaterializedView);
    use pg_class::*;
    let row = Row::new(RELATION)
        .with(OID, relation.oid)
        .with(RELNAME, relation.name.as_str())
        .with(RELNAMESPACE, relation.namespace)
        .with(RELTYPE, row_type)
        .with(RELOFTYPE, Oid::INVALID)
        .with(RELOWNER, relation.owner)
        .with(RELAM, relation.method)
        .with(RELFILENODE, file_node)
        .with(RELTABLESPACE, Oid::INVALID)
        .with(RELPAGES, i32::from(relation.kind == Sequence))
        .with(RELTUPLES, tuples)
        .with(RELALLVISIBLE, 0)
        .with(RELALLFROZEN, 0)
        .with(RELTOASTRELID, Oid::INVALID)
        .with(RELHASINDEX, false)
        .with(RELISSHARED, false)
        .with(RELPERSISTENCE, relation.persistence.code())
        .with(RELKIND, relation.kind.code())
        .with(RELNATTS, columns)
        .with(RELCHECKS, 0i16)
        .with(RELHASRULES, false)
        .with(RELHASTRIGGERS, false)
        .with(RELHASSUBCLASS, false)
        .with(RELROWSECURITY, false)
        .with(RELFORCEROWSECURITY, false)
        .with(RELISPOPULATED, true)
        .with(
            RELREPLIDENT,
            if columns > 0 && row_type.is_valid() && relation.kind != RelationKind::Composite {
                b'd'
            } else {
                b'n'
            },
        )
        .with(RELISPARTITION, false)
        .with(RELREWRITE, Oid::INVALID)
        .with(RELFROZENXID, 0i64)
        .with(RELMINMXID, if has_rows { FIRST_MULTIXACT } else { 0i64 })
        .with(RELOPTIONS, options)
        .with(RELACL, acl)
        .with(hidden::PG_CLASS_FILE, storage);
    catalog.insert(&row)?;
    for (column, attribute) in relation.columns.iter().zip(1i16..) {
        let id = u32::from(attribute.unsigned_abs());
        match relation.kind {
            // An index needs its table's columns, not their types.
            Index | PartitionedIndex => {
                let ty = catalog.type_(column.type_oid)?;
                catalog.insert(&column_row(relation.oid, attribute, id, column, &ty))?;
            }
            _ => insert_column(env, relation.oid, attribute, id, column)?,
        }
    }
    if !matches!(relation.kind, Index | PartitionedIndex | RelationKind::Composite) {
        let schema = object::schema(relation.namespace);
        depend::record(env, object::relation(relation.oid), schema, DependencyKind::Normal)?;
        object::record_owner(env, object::relation(relation.oid), relation.owner)?;
    }
    Ok(())
}

/// Writes the `pg_attribute` row of a column; `id` is its identity in the leaves.
pub(crate) fn insert_column(
    env: &Env<'_>,
    relation: Oid,
    attribute: i16,
    id: u32,
    column: &NewColumn,
) -> Result<()> {
    let ty = env.catalog().type_(column.type_oid)?;
    let row = column_row(relation, attribute, id, column, &ty);
    env.catalog().insert(&row)?;
    let object = object::column(relation, attribute);
    depend::record(env, object, object::ty(column.type_oid), DependencyKind::Normal)
}

fn column_row(relation: Oid, attribute: i16, id: u32, column: &NewColumn, ty: &Type) -> Row {
    use pg_attribute::*;
    let mut row = Row::new(RELATION)
        .with(ATTRELID, relation)
        .with(ATTNAME, column.name.as_str())
        .with(ATTNUM, attribute)
        .with(ATTNDIMS, column.dimensions)
        .with(ATTCOMPRESSION, column.compression)
        .with(ATTNOTNULL, column.not_null)
        .with(ATTHASDEF, column.has_default)
        .with(ATTHASMISSING, false)
        .with(ATTIDENTITY, column.identity.map_or(0, Identity::code))
        .with(ATTGENERATED, column.generated.map_or(0, Generated::code))
        .with(ATTISDROPPED, false)
        .with(ATTISLOCAL, true)
        .with(ATTINHCOUNT, 0i16)
        .with(ATTSTATTARGET, column.statistics)
        .with(hidden::PG_ATTRIBUTE_COLUMN_ID, id.cast_signed());
    set_type(&mut row, column.type_oid, column.typmod, column.collation, ty);
    if let Some(storage) = column.storage {
        row.set(ATTSTORAGE, storage);
    }
    row
}

/// Sets the columns of a `pg_attribute` row that follow from the type.
pub(crate) fn set_type(row: &mut Row, type_oid: Oid, typmod: i32, collation: Oid, ty: &Type) {
    use pg_attribute::*;
    row.set(ATTTYPID, type_oid)
        .set(ATTLEN, ty.len)
        .set(ATTTYPMOD, typmod)
        .set(ATTBYVAL, ty.by_value)
        .set(ATTALIGN, ty.align)
        .set(ATTSTORAGE, ty.storage)
        .set(ATTCOLLATION, collation);
}

/// The name of the array type over a type: an underscore before it, and more until it is free.
pub(crate) fn array_type_name(env: &Env<'_>, namespace: Oid, name: &str) -> Result<String> {
    let mut underscores = 1;
    loop {
        let mut text = "_".repeat(underscores) + name;
        while text.len() >= base::limits::NAME_BYTES {
            text.pop();
        }
        if env.catalog().type_in(namespace, &text)?.is_none() {
            return Ok(text);
        }
        underscores += 1;
    }
}

/// Writes the row type of a relation and the array type over it; returns the row type.
fn insert_row_type(env: &Env<'_>, relation: &NewRelation) -> Result<Oid> {
    let catalog = env.catalog();
    if catalog.type_in(relation.namespace, &relation.name)?.is_some() {
        return Err(err!(DUPLICATE_OBJECT, "type \"{}\" already exists", relation.name).hint(
            "A relation has an associated type of the same name, so you must use a name that \
             doesn't conflict with any existing type.",
        ));
    }
    let row_type = catalog.new_oid(pg_type::RELATION)?;
    let array = catalog.new_oid(pg_type::RELATION)?;
    let mut composite = type_row(env, row_type, &relation.name, relation.namespace)
        .with(pg_type::TYPTYPE, TypeKind::Composite.code())
        .with(pg_type::TYPCATEGORY, b'C')
        .with(pg_type::TYPRELID, relation.oid)
        .with(pg_type::TYPARRAY, array)
        .with(pg_type::TYPINPUT, Oid(2290))
        .with(pg_type::TYPOUTPUT, Oid(2291))
        .with(pg_type::TYPRECEIVE, Oid(2402))
        .with(pg_type::TYPSEND, Oid(2403));
    let (ty, class) = (object::ty(row_type), object::relation(relation.oid));
    // Only a type that somebody asked for has default privileges.
    if relation.kind == RelationKind::Composite
        && let Some(acl) =
            grant::for_new(env, AclKind::Type, &ty, relation.owner, relation.namespace)?
    {
        composite.set(pg_type::TYPACL, acl);
    }
    catalog.insert(&composite)?;
    insert_array_type(env, array, row_type, &relation.name, relation.namespace, b'd', Oid(0))?;
    if relation.kind == RelationKind::Composite {
        // The type is what the user made; the relation only describes it.
        let schema = object::schema(relation.namespace);
        depend::record(env, ty, schema, DependencyKind::Normal)?;
        object::record_owner(env, ty, relation.owner)?;
        depend::record(env, class, ty, DependencyKind::Internal)?;
    } else {
        depend::record(env, ty, class, DependencyKind::Internal)?;
    }
    Ok(row_type)
}

/// Writes the array type over a type, which needs it.
pub(crate) fn insert_array_type(
    env: &Env<'_>,
    array: Oid,
    element: Oid,
    element_name: &str,
    namespace: Oid,
    align: u8,
    collation: Oid,
) -> Result<()> {
    let name = array_type_name(env, namespace, element_name)?;
    let row = type_row(env, array, &name, namespace)
        .with(pg_type::TYPTYPE, TypeKind::Base.code())
        .with(pg_type::TYPCATEGORY, b'A')
        .with(pg_type::TYPSUBSCRIPT, Type::ARRAY_SUBSCRIPT_HANDLER)
        .with(pg_type::TYPELEM, element)
        .with(pg_type::TYPINPUT, Oid(750))
        .with(pg_type::TYPOUTPUT, Oid(751))
        .with(pg_type::TYPRECEIVE, Oid(2400))
        .with(pg_type::TYPSEND, Oid(2401))
        .with(pg_type::TYPANALYZE, Oid(3816))
        .with(pg_type::TYPALIGN, align)
        .with(pg_type::TYPCOLLATION, collation);
    env.catalog().insert(&row)?;
    depend::record(env, object::ty(array), object::ty(element), DependencyKind::Internal)
}

/// A `pg_type` row with what most user-made types have.
pub(crate) fn type_row(env: &Env<'_>, oid: Oid, name: &str, namespace: Oid) -> Row {
    use pg_type::*;
    let none = Oid::INVALID;
    let mut row = Row::new(RELATION)
        .with(OID, oid)
        .with(TYPNAME, name)
        .with(TYPNAMESPACE, namespace)
        .with(TYPOWNER, env.catalog().user())
        .with(TYPLEN, -1i16)
        .with(TYPBYVAL, false)
        .with(TYPISPREFERRED, false)
        .with(TYPISDEFINED, true)
        .with(TYPDELIM, b',')
        .with(TYPALIGN, b'd')
        .with(TYPSTORAGE, b'x')
        .with(TYPNOTNULL, false)
        .with(TYPTYPMOD, -1)
        .with(TYPNDIMS, 0);
    for attribute in [
        TYPRELID,
        TYPSUBSCRIPT,
        TYPELEM,
        TYPARRAY,
        TYPRECEIVE,
        TYPSEND,
        TYPMODIN,
        TYPMODOUT,
        TYPANALYZE,
        TYPBASETYPE,
        TYPCOLLATION,
    ] {
        row.set(attribute, none);
    }
    row
}

/// Whether users may not change the relation: it was there from the beginning.
pub(crate) fn refuse_system(relation: &catalog::relation::Relation) -> Result<()> {
    if relation.oid < builtin::FIRST_USER {
        return Err(err!(
            INSUFFICIENT_PRIVILEGE,
            "permission denied: \"{}\" is a system catalog",
            relation.name
        ));
    }
    Ok(())
}

/// Changes the `pg_class` row of a relation.
pub(crate) fn update_class(
    env: &Env<'_>,
    relation: Oid,
    change: impl FnMut(&mut Row) -> Result<()>,
) -> Result<()> {
    let key = [Value::Oid(relation)];
    let index = catalog::columns::index::PG_CLASS_OID_INDEX;
    env.catalog().update_rows(index, &key, change).map(drop)
}

/// Changes the `pg_attribute` row of a column.
pub(crate) fn update_column(
    env: &Env<'_>,
    relation: Oid,
    attribute: i16,
    change: impl FnMut(&mut Row) -> Result<()>,
) -> Result<()> {
    let key = [Value::Oid(relation), Value::Int2(attribute)];
    let index = catalog::columns::index::PG_ATTRIBUTE_RELID_ATTNUM_INDEX;
    env.catalog().update_rows(index, &key, change).map(drop)
}
