//! Objects as messages name them: `table foo`, `constraint x on table y`.

use crate::columns::*;
use crate::lookup::Catalog;
use crate::rows::{ProcKind, RelationKind};
use crate::store::{Row, Value};
use base::{Error, Oid, Result};

/// Any object of the database: a catalog, a row of it, and a column of that object.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct ObjectAddress {
    /// The catalog.
    pub class: Oid,
    /// The OID of the row.
    pub object: Oid,
    /// The column of a relation; 0 is the whole object.
    pub column: i32,
}

impl ObjectAddress {
    /// A whole object.
    pub fn new(class: Oid, object: Oid) -> ObjectAddress {
        ObjectAddress { class, object, column: 0 }
    }

    /// A relation.
    pub fn relation(oid: Oid) -> ObjectAddress {
        ObjectAddress::new(pg_class::RELATION, oid)
    }

    /// A column of a relation.
    pub fn column(relation: Oid, attribute: i16) -> ObjectAddress {
        let column = i32::from(attribute);
        ObjectAddress { class: pg_class::RELATION, object: relation, column }
    }
}

/// The index that finds an object by its OID, in catalogs whose objects have one.
pub fn index_by_oid(class: Oid) -> Option<Oid> {
    let catalog = crate::builtin::relation(class)?;
    if catalog.columns.first()?.name != "oid" {
        return None;
    }
    let mut indexes = crate::builtin::indexes_of(class);
    Some(indexes.find(|index| index.unique && index.key == [1])?.oid)
}

/// The word for a relation of a kind.
pub fn relation_word(kind: RelationKind) -> &'static str {
    match kind {
        RelationKind::Table | RelationKind::PartitionedTable => "table",
        RelationKind::Index | RelationKind::PartitionedIndex => "index",
        RelationKind::Sequence => "sequence",
        RelationKind::Toast => "toast table",
        RelationKind::View => "view",
        RelationKind::MaterializedView => "materialized view",
        RelationKind::Composite => "composite type",
        RelationKind::Foreign => "foreign table",
    }
}

/// The detail of an error for a relation of a kind that cannot be meant.
pub fn unsupported_for(kind: RelationKind) -> String {
    let what = match kind {
        RelationKind::Table => "tables",
        RelationKind::Index => "indexes",
        RelationKind::Sequence => "sequences",
        RelationKind::Toast => "TOAST tables",
        RelationKind::View => "views",
        RelationKind::MaterializedView => "materialized views",
        RelationKind::Composite => "composite types",
        RelationKind::Foreign => "foreign tables",
        RelationKind::PartitionedTable => "partitioned tables",
        RelationKind::PartitionedIndex => "partitioned indexes",
    };
    format!("This operation is not supported for {what}.")
}

impl Catalog {
    /// The row of an object.
    ///
    /// # Errors
    /// XX000 when there is none.
    pub(crate) fn object_row(&self, address: &ObjectAddress) -> Result<Row> {
        let gone = || {
            let class = crate::builtin::relation(address.class).map_or("?", |c| c.name);
            Error::internal(format!(
                "could not find tuple for object {} of {class}",
                address.object
            ))
        };
        let index = index_by_oid(address.class).ok_or_else(gone)?;
        let rows = self.find_rows(index, &[Value::Oid(address.object)])?;
        rows.into_iter().next().map(|(_, row)| row).ok_or_else(gone)
    }

    /// A relation with the word for its kind: `table foo`.
    fn describe_relation(&self, oid: Oid) -> Result<String> {
        let kind = if self.table_of_index(oid)?.is_some() {
            RelationKind::Index
        } else {
            self.relation(oid)?.kind
        };
        let name = self.relation_text(oid)?.unwrap_or_default();
        Ok(format!("{} {name}", relation_word(kind)))
    }

    /// What messages call an object.
    ///
    /// # Errors
    /// XX000 when it does not exist.
    pub fn describe(&self, address: &ObjectAddress) -> Result<String> {
        let oid = address.object;
        match address.class {
            pg_class::RELATION if address.column != 0 => {
                let relation = self.relation(oid)?;
                let attribute = i16::try_from(address.column).unwrap_or(0);
                let column = relation.column_at(attribute).map_or("?", |column| &column.name);
                Ok(format!("column {column} of {}", self.describe_relation(oid)?))
            }
            pg_class::RELATION => self.describe_relation(oid),
            pg_type::RELATION => Ok(format!("type {}", self.format_type(oid, Some(-1))?)),
            pg_proc::RELATION => {
                let word = match self.proc(oid)?.kind {
                    ProcKind::Procedure => "procedure",
                    _ => "function",
                };
                Ok(format!("{word} {}", self.proc_text(oid)?))
            }
            pg_operator::RELATION => Ok(format!("operator {}", self.operator_text(oid)?)),
            pg_cast::RELATION => {
                let row = self.object_row(address)?;
                let source = self.format_type(row.oid(pg_cast::CASTSOURCE)?, Some(-1))?;
                let target = self.format_type(row.oid(pg_cast::CASTTARGET)?, Some(-1))?;
                Ok(format!("cast from {source} to {target}"))
            }
            pg_constraint::RELATION => self.describe_constraint(address),
            pg_attrdef::RELATION => {
                let row = self.object_row(address)?;
                let table = row.oid(pg_attrdef::ADRELID)?;
                let column = ObjectAddress::column(table, row.int2(pg_attrdef::ADNUM)?);
                Ok(format!("default value for {}", self.describe(&column)?))
            }
            pg_opclass::RELATION => {
                let row = self.opclass(oid)?;
                let found = self.opclass_named(row.method, None, &row.name)?;
                let visible = found.is_some_and(|found| found.oid == oid);
                let name = self.name_text(row.namespace, &row.name, visible)?;
                Ok(format!("operator class {name} for access method {}", method(row.method)))
            }
            pg_opfamily::RELATION => {
                let row = self.opfamily(oid)?;
                let visible = self.search_path()?.contains(&row.namespace);
                let name = self.name_text(row.namespace, &row.name, visible)?;
                Ok(format!("operator family {name} for access method {}", method(row.method)))
            }
            pg_am::RELATION => Ok(format!("access method {}", method(oid))),
            pg_collation::RELATION => {
                let row = self.collation(oid)?;
                let found = self.collation_named(None, &row.name)?;
                let visible = found.is_some_and(|found| found.oid == oid);
                Ok(format!("collation {}", self.name_text(row.namespace, &row.name, visible)?))
            }
            _ => self.describe_other(address),
        }
    }

    fn describe_constraint(&self, address: &ObjectAddress) -> Result<String> {
        let row = self.object_row(address)?;
        let name = row.text(pg_constraint::CONNAME)?;
        let table = row.oid(pg_constraint::CONRELID)?;
        if table.is_valid() {
            return Ok(format!("constraint {name} on {}", self.describe_relation(table)?));
        }
        Ok(format!("constraint {name}"))
    }

    fn describe_default_acl(&self, address: &ObjectAddress) -> Result<String> {
        let row = self.object_row(address)?;
        let what = match row.char(pg_default_acl::DEFACLOBJTYPE)? {
            b'r' => "on new relations ",
            b'S' => "on new sequences ",
            b'f' => "on new functions ",
            b'T' => "on new types ",
            b'n' => "on new schemas ",
            b'L' => "on new large objects ",
            _ => "",
        };
        let role = self.role(row.oid(pg_default_acl::DEFACLROLE)?)?;
        let text = format!("default privileges {what}belonging to role {}", role.name);
        let schema = row.oid(pg_default_acl::DEFACLNAMESPACE)?;
        if !schema.is_valid() {
            return Ok(text);
        }
        Ok(format!("{text} in schema {}", self.namespace(schema)?.name))
    }

    fn describe_membership(&self, address: &ObjectAddress) -> Result<String> {
        let row = self.object_row(address)?;
        let member = self.role(row.oid(pg_auth_members::MEMBER)?)?;
        let role = self.role(row.oid(pg_auth_members::ROLEID)?)?;
        Ok(format!("membership of role {} in role {}", member.name, role.name))
    }

    /// Objects that are part of a relation, and objects with nothing but a name.
    fn describe_other(&self, address: &ObjectAddress) -> Result<String> {
        match address.class {
            pg_auth_members::RELATION => return self.describe_membership(address),
            pg_default_acl::RELATION => return self.describe_default_acl(address),
            _ => {}
        }
        let part = match address.class {
            pg_rewrite::RELATION => Some(("rule", pg_rewrite::RULENAME, pg_rewrite::EV_CLASS)),
            pg_trigger::RELATION => Some(("trigger", pg_trigger::TGNAME, pg_trigger::TGRELID)),
            pg_policy::RELATION => Some(("policy", pg_policy::POLNAME, pg_policy::POLRELID)),
            _ => None,
        };
        if let Some((word, name, relation)) = part {
            let row = self.object_row(address)?;
            let name = row.text(name)?;
            return Ok(format!("{word} {name} on {}", self.describe_relation(row.oid(relation)?)?));
        }
        let named = [
            (pg_namespace::RELATION, "schema", pg_namespace::NSPNAME),
            (pg_language::RELATION, "language", pg_language::LANNAME),
            (pg_authid::RELATION, "role", pg_authid::ROLNAME),
            (pg_database::RELATION, "database", pg_database::DATNAME),
            (pg_tablespace::RELATION, "tablespace", pg_tablespace::SPCNAME),
            (pg_conversion::RELATION, "conversion", pg_conversion::CONNAME),
            (pg_extension::RELATION, "extension", pg_extension::EXTNAME),
            (pg_ts_config::RELATION, "text search configuration", pg_ts_config::CFGNAME),
            (pg_ts_dict::RELATION, "text search dictionary", pg_ts_dict::DICTNAME),
            (pg_ts_parser::RELATION, "text search parser", pg_ts_parser::PRSNAME),
            (pg_ts_template::RELATION, "text search template", pg_ts_template::TMPLNAME),
            (pg_event_trigger::RELATION, "event trigger", pg_event_trigger::EVTNAME),
            (pg_foreign_server::RELATION, "server", pg_foreign_server::SRVNAME),
            (
                pg_foreign_data_wrapper::RELATION,
                "foreign-data wrapper",
                pg_foreign_data_wrapper::FDWNAME,
            ),
            (pg_publication::RELATION, "publication", pg_publication::PUBNAME),
            (pg_subscription::RELATION, "subscription", pg_subscription::SUBNAME),
            (pg_statistic_ext::RELATION, "statistics object", pg_statistic_ext::STXNAME),
        ];
        match named.iter().find(|(class, ..)| *class == address.class) {
            Some((_, word, name)) => {
                let name = self.object_row(address)?.text(*name)?;
                Ok(format!("{word} {name}"))
            }
            None => Err(Error::internal(format!("unsupported object class: {}", address.class))),
        }
    }
}

fn method(oid: Oid) -> &'static str {
    crate::builtin::access_method_by_oid(oid).map_or("???", |method| &method.name)
}
