//! Whether the search path finds an object under its bare name, and whether others may.

use crate::shim::{catalog, raw};
use base::{Oid, Result};
use catalog::Catalog;
use catalog::builtin::FIRST_USER;
use catalog::columns::{
    index, pg_conversion, pg_statistic_ext, pg_ts_config, pg_ts_dict, pg_ts_parser, pg_ts_template,
};
use catalog::rows::{Persistence, RelationKind};
use catalog::store::Value;
use expr::{Datum, Entry};

fn given<'m>(visible: Option<bool>) -> Datum<'m> {
    visible.map_or(Datum::Null, Datum::Bool)
}

/// Objects with nothing but a name: their index by OID, and where name and schema are.
fn named(
    catalog: &Catalog,
    by_oid: Oid,
    by_name: Oid,
    columns: (i16, i16),
    oid: Oid,
) -> Result<Option<bool>> {
    let found = catalog.find_rows(by_oid, &[Value::Oid(oid)])?;
    let Some((_, row)) = found.first() else { return Ok(None) };
    let (name, namespace) = (row.text(columns.0)?, row.oid(columns.1)?);
    for schema in catalog.search_path()?.iter() {
        if *schema == namespace {
            return Ok(Some(true));
        }
        let key = [Value::Text(name.clone()), Value::Oid(*schema)];
        if !catalog.find_rows(by_name, &key)?.is_empty() {
            return Ok(Some(false));
        }
    }
    Ok(Some(false))
}

macro_rules! by_name {
    ($name:literal, $module:ident, $by_oid:ident, $by_name:ident, $label:ident, $schema:ident) => {
        raw!($name, |cx, args| {
            let (by_oid, by_name) = (index::$by_oid, index::$by_name);
            let columns = ($module::$label, $module::$schema);
            let oid = Oid(args[0].oid()?);
            Ok(given(named(catalog(cx)?, by_oid, by_name, columns, oid)?))
        })
    };
}

/// The table of this module.
pub(crate) const TABLE: &[Entry] = &[
    raw!("pg_table_is_visible", |cx, args| {
        let (catalog, oid) = (catalog(cx)?, Oid(args[0].oid()?));
        Ok(match catalog.relation_name(oid)? {
            Some(_) => Datum::Bool(catalog.relation_is_visible(oid)?),
            None => Datum::Null,
        })
    }),
    raw!("pg_type_is_visible", |cx, args| {
        let catalog = catalog(cx)?;
        Ok(match catalog.find_type(Oid(args[0].oid()?))? {
            Some(row) => Datum::Bool(catalog.type_is_visible(&row)?),
            None => Datum::Null,
        })
    }),
    raw!("pg_function_is_visible", |cx, args| {
        let (catalog, oid) = (catalog(cx)?, Oid(args[0].oid()?));
        Ok(match catalog.find_proc(oid)? {
            Some(_) => Datum::Bool(catalog.proc_is_visible(oid)?),
            None => Datum::Null,
        })
    }),
    raw!("pg_operator_is_visible", |cx, args| {
        let (catalog, oid) = (catalog(cx)?, Oid(args[0].oid()?));
        Ok(match catalog.operator(oid) {
            Ok(_) => Datum::Bool(catalog.operator_is_visible(oid)?),
            Err(_) => Datum::Null,
        })
    }),
    raw!("pg_opclass_is_visible", |cx, args| {
        let (catalog, oid) = (catalog(cx)?, Oid(args[0].oid()?));
        let Ok(row) = catalog.opclass(oid) else { return Ok(Datum::Null) };
        let found = catalog.opclass_named(row.method, None, &row.name)?;
        Ok(Datum::Bool(found.is_some_and(|found| found.oid == oid)))
    }),
    raw!("pg_opfamily_is_visible", |cx, args| {
        let (catalog, oid) = (catalog(cx)?, Oid(args[0].oid()?));
        let Ok(row) = catalog.opfamily(oid) else { return Ok(Datum::Null) };
        Ok(Datum::Bool(catalog.search_path()?.contains(&row.namespace)))
    }),
    raw!("pg_collation_is_visible", |cx, args| {
        let (catalog, oid) = (catalog(cx)?, Oid(args[0].oid()?));
        let Ok(row) = catalog.collation(oid) else { return Ok(Datum::Null) };
        let found = catalog.collation_named(None, &row.name)?;
        Ok(Datum::Bool(found.is_some_and(|found| found.oid == oid)))
    }),
    by_name!(
        "pg_conversion_is_visible",
        pg_conversion,
        PG_CONVERSION_OID_INDEX,
        PG_CONVERSION_NAME_NSP_INDEX,
        CONNAME,
        CONNAMESPACE
    ),
    by_name!(
        "pg_statistics_obj_is_visible",
        pg_statistic_ext,
        PG_STATISTIC_EXT_OID_INDEX,
        PG_STATISTIC_EXT_NAME_INDEX,
        STXNAME,
        STXNAMESPACE
    ),
    by_name!(
        "pg_ts_config_is_visible",
        pg_ts_config,
        PG_TS_CONFIG_OID_INDEX,
        PG_TS_CONFIG_CFGNAME_INDEX,
        CFGNAME,
        CFGNAMESPACE
    ),
    by_name!(
        "pg_ts_dict_is_visible",
        pg_ts_dict,
        PG_TS_DICT_OID_INDEX,
        PG_TS_DICT_DICTNAME_INDEX,
        DICTNAME,
        DICTNAMESPACE
    ),
    by_name!(
        "pg_ts_parser_is_visible",
        pg_ts_parser,
        PG_TS_PARSER_OID_INDEX,
        PG_TS_PARSER_PRSNAME_INDEX,
        PRSNAME,
        PRSNAMESPACE
    ),
    by_name!(
        "pg_ts_template_is_visible",
        pg_ts_template,
        PG_TS_TEMPLATE_OID_INDEX,
        PG_TS_TEMPLATE_TMPLNAME_INDEX,
        TMPLNAME,
        TMPLNAMESPACE
    ),
    raw!("pg_relation_is_publishable", |cx, args| {
        let oid = Oid(args[0].oid()?);
        let Some(relation) = catalog(cx)?.find_relation(oid)? else { return Ok(Datum::Null) };
        let table = matches!(relation.kind, RelationKind::Table | RelationKind::PartitionedTable);
        let permanent = relation.persistence == Persistence::Permanent;
        Ok(Datum::Bool(table && permanent && oid >= FIRST_USER))
    }),
    raw!("pg_is_other_temp_schema", |cx, args| {
        let (catalog, oid) = (catalog(cx)?, Oid(args[0].oid()?));
        let Ok(schema) = catalog.namespace(oid) else { return Ok(Datum::Bool(false)) };
        let temporary =
            schema.name.starts_with("pg_temp_") || schema.name.starts_with("pg_toast_temp_");
        Ok(Datum::Bool(temporary && oid != catalog.temporary_namespace()))
    }),
];
