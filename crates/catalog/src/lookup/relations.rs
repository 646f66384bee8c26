//! Relations: by name, and whole.

use super::{Catalog, lookup_failed};
use crate::acl::Acl;
use crate::builtin::{self, SystemRelation};
use crate::cache::{KeyRef, Kind};
use crate::columns::{
    hidden, index, pg_attrdef, pg_attribute, pg_class, pg_constraint, pg_depend, pg_index,
    pg_inherits, pg_policy, pg_rewrite, pg_sequence, pg_trigger,
};
use crate::relation::{
    Column, Constraint, ForeignKey, ForeignReference, Index, IndexKey, Policy, Relation, Rule,
    Sequence, Trigger,
};
use crate::rows::{
    ConstraintKind, ForeignAction, ForeignMatch, Generated, Identity, Persistence, RelationKind,
    ReplicaIdentity, Stored,
};
use crate::store::{Row, Value};
use crate::{files, stored};
use base::{ColumnId, FileId, Oid, Result};
use std::sync::Arc;

const BTREE: Oid = Oid(403);
const HEAP: Oid = Oid(2);

impl Catalog {
    /// The OID of the relation of a name in a schema or along the search path.
    ///
    /// # Errors
    /// Those of storage.
    pub fn relation_named(&self, schema: Option<&str>, name: &str) -> Result<Option<Oid>> {
        for namespace in self.schemas(schema)?.iter() {
            if let Some(oid) = self.relation_in(*namespace, name)? {
                return Ok(Some(oid));
            }
        }
        Ok(None)
    }

    /// The OID of the relation of a name in a schema.
    ///
    /// # Errors
    /// Those of storage.
    pub fn relation_in(&self, namespace: Oid, name: &str) -> Result<Option<Oid>> {
        if let Some(relation) = builtin::relation_by_name(namespace, name) {
            return Ok(Some(relation.oid));
        }
        let key = KeyRef::named(Kind::RelationNamed, namespace, name);
        let entry = self.cached(key, || {
            let key = [Value::Text(name.to_string()), Value::Oid(namespace)];
            self.row(index::PG_CLASS_RELNAME_NSP_INDEX, &key, |row| row.oid(pg_class::OID))
        })?;
        Ok(*entry)
    }

    /// A relation, if there is one.
    ///
    /// # Errors
    /// Those of storage.
    pub fn find_relation(&self, oid: Oid) -> Result<Option<Arc<Relation>>> {
        let entry: Arc<Option<Arc<Relation>>> =
            self.cached(KeyRef::oid(Kind::Relation, oid), || {
                if let Some(system) = builtin::relation(oid) {
                    return Ok(Some(Arc::new(self.system_relation(system)?)));
                }
                Ok(self.load_relation(oid)?.map(Arc::new))
            })?;
        Ok((*entry).clone())
    }

    /// A relation.
    ///
    /// # Errors
    /// XX000 when there is none.
    pub fn relation(&self, oid: Oid) -> Result<Arc<Relation>> {
        self.find_relation(oid)?.ok_or_else(|| lookup_failed("relation", oid))
    }

    /// The table that an index belongs to.
    ///
    /// # Errors
    /// Those of storage.
    pub fn table_of_index(&self, oid: Oid) -> Result<Option<Oid>> {
        if let Some(system) = builtin::index(oid) {
            return Ok(Some(system.table));
        }
        let entry = self.cached(KeyRef::oid(Kind::IndexTable, oid), || {
            let key = [Value::Oid(oid)];
            self.row(index::PG_INDEX_INDEXRELID_INDEX, &key, |row| row.oid(pg_index::INDRELID))
        })?;
        Ok(*entry)
    }

    /// An index by its OID.
    ///
    /// # Errors
    /// XX000 when there is none.
    pub fn index(&self, oid: Oid) -> Result<Arc<Index>> {
        let table = self.table_of_index(oid)?.ok_or_else(|| lookup_failed("index", oid))?;
        let table = self.relation(table)?;
        let found = table.indexes.iter().find(|index| index.oid == oid);
        found.cloned().ok_or_else(|| lookup_failed("index", oid))
    }

    fn system_relation(&self, system: &SystemRelation) -> Result<Relation> {
        let is_table = system.kind == RelationKind::Table;
        let columns = system.columns.iter().zip(1i16..).map(|(column, attribute)| Column {
            attribute,
            id: ColumnId(u32::from(attribute.unsigned_abs())),
            name: column.name.to_string(),
            type_oid: column.type_oid,
            typmod: column.typmod,
            len: column.len,
            by_value: column.by_value,
            align: column.align,
            storage: column.storage,
            compression: 0,
            dimensions: column.dimensions,
            collation: column.collation,
            not_null: column.not_null,
            default: None,
            identity: None,
            generated: None,
            dropped: false,
            missing: None,
            is_local: true,
            parents: 0,
            statistics: None,
            options: Vec::new(),
            acl: None,
        });
        let query =
            if is_table { None } else { crate::views::query(system.namespace, system.name) };
        let mut relation = blank(system.oid, system.name, system.kind);
        relation.namespace = system.namespace;
        relation.row_type = system.row_type;
        relation.method = if is_table { HEAP } else { Oid::INVALID };
        relation.file = files::file_of(system.oid, self.first_file);
        relation.shared = system.shared;
        relation.system = true;
        relation.columns = columns.collect();
        relation.query = query.map(|sql| Stored::Sql(sql.into()));
        // GRANT changes the row; what is compiled in is what the row began with.
        let key = [Value::Oid(system.oid)];
        relation.acl =
            match self.row(index::PG_CLASS_OID_INDEX, &key, |row| acl(row, pg_class::RELACL))? {
                Some(acl) => acl,
                None => system.acl.map(|acl| self.parse_acl(acl)).transpose()?,
            };
        let indexes = builtin::indexes_of(system.oid);
        relation.indexes =
            indexes.map(|index| Arc::new(self.system_index(system, index))).collect();
        Ok(relation)
    }

    fn system_index(&self, table: &SystemRelation, system: &builtin::SystemIndex) -> Index {
        let keys = system.key.iter().zip(system.classes).zip(system.collations);
        let keys = keys.map(|((attribute, class), collation)| IndexKey {
            attribute: *attribute,
            expression: None,
            type_oid: table.columns[usize::from(attribute.unsigned_abs()) - 1].type_oid,
            class: *class,
            collation: *collation,
            descending: false,
            nulls_first: false,
        });
        Index {
            oid: system.oid,
            name: system.name.to_string(),
            namespace: table.namespace,
            table: table.oid,
            file: files::file_of(system.oid, self.first_file),
            method: BTREE,
            unique: system.unique,
            nulls_not_distinct: false,
            primary: system.primary,
            exclusion: false,
            immediate: true,
            clustered: false,
            valid: true,
            ready: true,
            replica_identity: false,
            build_csn: 0,
            keys: keys.collect(),
            included: Vec::new(),
            predicate: None,
            tablespace: Oid::INVALID,
            options: Vec::new(),
            system: true,
        }
    }

    fn load_relation(&self, oid: Oid) -> Result<Option<Relation>> {
        let key = [Value::Oid(oid)];
        let class = self.row(index::PG_CLASS_OID_INDEX, &key, |row| Ok(row.clone()))?;
        let Some(class) = class else { return Ok(None) };
        let mut relation = class_row(&class)?;
        relation.columns = self.load_columns(oid)?;
        if class.bool(pg_class::RELHASINDEX)? {
            relation.indexes = self.load_indexes(&relation)?;
        }
        let mut constraints =
            self.rows(index::PG_CONSTRAINT_CONRELID_CONTYPID_CONNAME_INDEX, &key, constraint_row)?;
        constraints.sort_by(|a, b| a.name.cmp(&b.name));
        relation.constraints = constraints;
        relation.referenced_by = self.load_references(oid)?;
        if class.bool(pg_class::RELHASRULES)? {
            self.load_rules(&mut relation)?;
        }
        if class.bool(pg_class::RELHASTRIGGERS)? {
            let triggers = self.rows(index::PG_TRIGGER_TGRELID_TGNAME_INDEX, &key, trigger_row)?;
            relation.triggers = triggers.into_iter().flatten().collect();
        }
        relation.policies = self.rows(index::PG_POLICY_POLRELID_POLNAME_INDEX, &key, policy_row)?;
        if relation.kind == RelationKind::Sequence {
            relation.sequence = self.row(index::PG_SEQUENCE_SEQRELID_INDEX, &key, sequence_row)?;
        }
        let parent = |row: &Row| row.oid(pg_inherits::INHPARENT);
        relation.parents = self.rows(index::PG_INHERITS_RELID_SEQNO_INDEX, &key, parent)?;
        Ok(Some(relation))
    }

    fn load_columns(&self, oid: Oid) -> Result<Vec<Column>> {
        let key = [Value::Oid(oid)];
        let defaults = self.rows(index::PG_ATTRDEF_ADRELID_ADNUM_INDEX, &key, |row| {
            Ok((row.int2(pg_attrdef::ADNUM)?, stored::optional(row, pg_attrdef::ADBIN)?))
        })?;
        let columns = self.rows(index::PG_ATTRIBUTE_RELID_ATTNUM_INDEX, &key, column_row)?;
        let mut columns: Vec<Column> = columns.into_iter().flatten().collect();
        for (attribute, default) in defaults {
            if let Some(column) = columns.iter_mut().find(|c| c.attribute == attribute) {
                column.default = default;
            }
        }
        Ok(columns)
    }

    fn load_indexes(&self, table: &Relation) -> Result<Vec<Arc<Index>>> {
        let key = [Value::Oid(table.oid)];
        let rows = self.rows(index::PG_INDEX_INDRELID_INDEX, &key, |row| Ok(row.clone()))?;
        let mut indexes = Vec::with_capacity(rows.len());
        for row in rows {
            let oid = row.oid(pg_index::INDEXRELID)?;
            let key = [Value::Oid(oid)];
            let class = self.row(index::PG_CLASS_OID_INDEX, &key, class_row)?;
            let class = class.ok_or_else(|| lookup_failed("relation", oid))?;
            let columns = self.load_columns(oid)?;
            indexes.push(Arc::new(index_row(&row, class, &columns)?));
        }
        indexes.sort_by_key(|index| index.oid);
        Ok(indexes)
    }

    /// The constraints of a schema that have a name: their OIDs, and whether they are deferrable.
    ///
    /// # Errors
    /// Those of reading catalogs.
    pub fn constraints_named(&self, namespace: Oid, name: &str) -> Result<Vec<(Oid, bool)>> {
        use pg_constraint::*;
        let key = [Value::Text(name.to_owned()), Value::Oid(namespace)];
        self.rows(index::PG_CONSTRAINT_CONNAME_NSP_INDEX, &key, |row| {
            Ok((row.oid(OID)?, row.bool(CONDEFERRABLE)?))
        })
    }

    /// A constraint with its table and its domain, one of which is none.
    ///
    /// # Errors
    /// Those of reading catalogs.
    pub fn find_constraint(&self, oid: Oid) -> Result<Option<(Constraint, Oid, Oid)>> {
        use pg_constraint::{CONRELID, CONTYPID};
        self.row(index::PG_CONSTRAINT_OID_INDEX, &[Value::Oid(oid)], |row| {
            Ok((constraint_row(row)?, row.oid(CONRELID)?, row.oid(CONTYPID)?))
        })
    }

    /// Foreign keys depend on the table that they refer to; that is how they are found.
    fn load_references(&self, oid: Oid) -> Result<Vec<ForeignReference>> {
        let key = [Value::Oid(pg_class::RELATION), Value::Oid(oid)];
        let mut constraints = self.rows(index::PG_DEPEND_REFERENCE_INDEX, &key, |row| {
            let class = row.oid(pg_depend::CLASSID)?;
            Ok((class == pg_constraint::RELATION).then_some(row.oid(pg_depend::OBJID)?))
        })?;
        constraints.sort();
        constraints.dedup();
        let mut references = Vec::new();
        for constraint in constraints.into_iter().flatten() {
            let key = [Value::Oid(constraint)];
            self.rows(index::PG_CONSTRAINT_OID_INDEX, &key, |row| {
                if row.char(pg_constraint::CONTYPE)? == ConstraintKind::Foreign.code()
                    && row.oid(pg_constraint::CONFRELID)? == oid
                {
                    let table = row.oid(pg_constraint::CONRELID)?;
                    references.push(ForeignReference { constraint, table });
                }
                Ok(())
            })?;
        }
        Ok(references)
    }

    /// A view's SELECT rule is its query; the others are rules.
    fn load_rules(&self, relation: &mut Relation) -> Result<()> {
        use pg_rewrite::*;
        let key = [Value::Oid(relation.oid)];
        let rules = self.rows(index::PG_REWRITE_REL_RULENAME_INDEX, &key, |row| {
            Ok(Rule {
                oid: row.oid(OID)?,
                name: row.text(RULENAME)?,
                event: row.char(EV_TYPE)?,
                enabled: row.char(EV_ENABLED)?,
                instead: row.bool(IS_INSTEAD)?,
                qualification: stored::optional(row, EV_QUAL)?,
                action: stored::optional(row, EV_ACTION)?,
            })
        })?;
        let (select, others): (Vec<Rule>, Vec<Rule>) =
            rules.into_iter().partition(|rule| rule.event == b'1');
        relation.query = select.into_iter().next().and_then(|rule| rule.action);
        relation.rules = others;
        Ok(())
    }
}

/// A relation of which only the name is known.
fn blank(oid: Oid, name: &str, kind: RelationKind) -> Relation {
    Relation {
        oid,
        name: name.to_string(),
        namespace: Oid::INVALID,
        row_type: Oid::INVALID,
        of_type: Oid::INVALID,
        owner: builtin::BOOTSTRAP_SUPERUSER,
        kind,
        persistence: Persistence::Permanent,
        method: Oid::INVALID,
        file: FileId(0),
        tablespace: Oid::INVALID,
        shared: false,
        system: false,
        columns: Vec::new(),
        constraints: Vec::new(),
        referenced_by: Vec::new(),
        indexes: Vec::new(),
        rules: Vec::new(),
        triggers: Vec::new(),
        policies: Vec::new(),
        query: None,
        sequence: None,
        row_security: false,
        force_row_security: false,
        populated: true,
        replica_identity: ReplicaIdentity::Nothing,
        options: Vec::new(),
        acl: None,
        parents: Vec::new(),
        has_children: false,
        is_partition: false,
        pages: 0,
        rows: -1.0,
    }
}

fn acl(row: &Row, attribute: i16) -> Result<Option<Acl>> {
    row.optional_texts(attribute)?.map(|items| Acl::from_stored(&items)).transpose()
}

fn class_row(row: &Row) -> Result<Relation> {
    use pg_class::*;
    let kind = row.code(RELKIND, RelationKind::from_code)?;
    let mut relation = blank(row.oid(OID)?, &row.text(RELNAME)?, kind);
    relation.namespace = row.oid(RELNAMESPACE)?;
    relation.row_type = row.oid(RELTYPE)?;
    relation.of_type = row.oid(RELOFTYPE)?;
    relation.owner = row.oid(RELOWNER)?;
    relation.persistence = row.code(RELPERSISTENCE, Persistence::from_code)?;
    relation.method = row.oid(RELAM)?;
    relation.file = FileId(row.int8(hidden::PG_CLASS_FILE)?.cast_unsigned());
    relation.tablespace = row.oid(RELTABLESPACE)?;
    relation.shared = row.bool(RELISSHARED)?;
    relation.row_security = row.bool(RELROWSECURITY)?;
    relation.force_row_security = row.bool(RELFORCEROWSECURITY)?;
    relation.populated = row.bool(RELISPOPULATED)?;
    relation.replica_identity = row.code(RELREPLIDENT, ReplicaIdentity::from_code)?;
    relation.options = row.optional_texts(RELOPTIONS)?.unwrap_or_default();
    relation.acl = acl(row, RELACL)?;
    relation.has_children = row.bool(RELHASSUBCLASS)?;
    relation.is_partition = row.bool(RELISPARTITION)?;
    relation.pages = row.int4(RELPAGES)?;
    relation.rows = row.float4(RELTUPLES)?;
    Ok(relation)
}

/// A column; `None` for the system's own.
fn column_row(row: &Row) -> Result<Option<Column>> {
    use pg_attribute::*;
    let attribute = row.int2(ATTNUM)?;
    if attribute <= 0 {
        return Ok(None);
    }
    Ok(Some(Column {
        attribute,
        id: ColumnId(row.int4(hidden::PG_ATTRIBUTE_COLUMN_ID)?.cast_unsigned()),
        name: row.text(ATTNAME)?,
        type_oid: row.oid(ATTTYPID)?,
        typmod: row.int4(ATTTYPMOD)?,
        len: row.int2(ATTLEN)?,
        by_value: row.bool(ATTBYVAL)?,
        align: row.char(ATTALIGN)?,
        storage: row.char(ATTSTORAGE)?,
        compression: row.char(ATTCOMPRESSION)?,
        dimensions: row.int2(ATTNDIMS)?,
        collation: row.oid(ATTCOLLATION)?,
        not_null: row.bool(ATTNOTNULL)?,
        default: None,
        identity: Identity::from_code(row.char(ATTIDENTITY)?),
        generated: Generated::from_code(row.char(ATTGENERATED)?),
        dropped: row.bool(ATTISDROPPED)?,
        missing: match row.get(hidden::PG_ATTRIBUTE_MISSING) {
            Value::Bytes(bytes) => Some(bytes.clone()),
            _ => None,
        },
        is_local: row.bool(ATTISLOCAL)?,
        parents: row.int2(ATTINHCOUNT)?,
        statistics: row.optional(ATTSTATTARGET, Row::int2)?,
        options: row.optional_texts(ATTOPTIONS)?.unwrap_or_default(),
        acl: acl(row, ATTACL)?,
    }))
}

fn int2s(row: &Row, attribute: i16) -> Result<Vec<i16>> {
    Ok(row.optional(attribute, Row::int2s)?.unwrap_or_default())
}

fn oids(row: &Row, attribute: i16) -> Result<Vec<Oid>> {
    Ok(row.optional(attribute, Row::oids)?.unwrap_or_default())
}

fn constraint_row(row: &Row) -> Result<Constraint> {
    use pg_constraint::*;
    let kind = row.code(CONTYPE, ConstraintKind::from_code)?;
    let foreign = if kind == ConstraintKind::Foreign {
        Some(ForeignKey {
            table: row.oid(CONFRELID)?,
            columns: int2s(row, CONFKEY)?,
            on_update: row.code(CONFUPDTYPE, ForeignAction::from_code)?,
            on_delete: row.code(CONFDELTYPE, ForeignAction::from_code)?,
            match_kind: row.code(CONFMATCHTYPE, ForeignMatch::from_code)?,
            operators: oids(row, CONPFEQOP)?,
            set_columns: int2s(row, CONFDELSETCOLS)?,
        })
    } else {
        None
    };
    Ok(Constraint {
        oid: row.oid(OID)?,
        name: row.text(CONNAME)?,
        kind,
        deferrable: row.bool(CONDEFERRABLE)?,
        deferred: row.bool(CONDEFERRED)?,
        enforced: row.bool(CONENFORCED)?,
        validated: row.bool(CONVALIDATED)?,
        no_inherit: row.bool(CONNOINHERIT)?,
        is_local: row.bool(CONISLOCAL)?,
        parents: row.int2(CONINHCOUNT)?,
        columns: int2s(row, CONKEY)?,
        index: row.oid(CONINDID)?,
        check: stored::optional(row, CONBIN)?,
        foreign,
        exclusion: oids(row, CONEXCLOP)?,
    })
}

fn index_row(row: &Row, class: Relation, columns: &[Column]) -> Result<Index> {
    use pg_index::*;
    let key = row.int2s(INDKEY)?;
    let key_count = usize::from(row.int2(INDNKEYATTS)?.unsigned_abs()).min(key.len());
    let (classes, collations) = (row.oids(INDCLASS)?, row.oids(INDCOLLATION)?);
    let options = row.int2s(INDOPTION)?;
    let mut expressions = stored::list(row, INDEXPRS)?.into_iter();
    let keys = key[..key_count].iter().enumerate().map(|(at, attribute)| IndexKey {
        attribute: *attribute,
        expression: if *attribute == 0 { expressions.next() } else { None },
        type_oid: columns.get(at).map_or(Oid::INVALID, |column| column.type_oid),
        class: classes.get(at).copied().unwrap_or_default(),
        collation: collations.get(at).copied().unwrap_or_default(),
        descending: options.get(at).is_some_and(|option| option & 1 != 0),
        nulls_first: options.get(at).is_some_and(|option| option & 2 != 0),
    });
    Ok(Index {
        oid: class.oid,
        namespace: class.namespace,
        table: row.oid(INDRELID)?,
        file: class.file,
        method: class.method,
        unique: row.bool(INDISUNIQUE)?,
        nulls_not_distinct: row.bool(INDNULLSNOTDISTINCT)?,
        primary: row.bool(INDISPRIMARY)?,
        exclusion: row.bool(INDISEXCLUSION)?,
        immediate: row.bool(INDIMMEDIATE)?,
        clustered: row.bool(INDISCLUSTERED)?,
        valid: row.bool(INDISVALID)?,
        ready: row.bool(INDISREADY)?,
        replica_identity: row.bool(INDISREPLIDENT)?,
        build_csn: match row.get(hidden::PG_INDEX_BUILD_CSN) {
            Value::Int8(csn) => csn.cast_unsigned(),
            _ => 0,
        },
        keys: keys.collect(),
        included: key[key_count..].to_vec(),
        predicate: stored::optional(row, INDPRED)?,
        tablespace: class.tablespace,
        options: class.options,
        system: false,
        name: class.name,
    })
}

/// A trigger; `None` for those that the system makes for itself.
fn trigger_row(row: &Row) -> Result<Option<Trigger>> {
    use pg_trigger::*;
    if row.bool(TGISINTERNAL)? {
        return Ok(None);
    }
    let arguments = match row.get(TGARGS) {
        Value::Bytes(bytes) => bytes
            .split(|byte| *byte == 0)
            .take(usize::from(row.int2(TGNARGS)?.unsigned_abs()))
            .map(|argument| String::from_utf8_lossy(argument).into_owned())
            .collect(),
        _ => Vec::new(),
    };
    Ok(Some(Trigger {
        oid: row.oid(OID)?,
        name: row.text(TGNAME)?,
        function: row.oid(TGFOID)?,
        kind: row.int2(TGTYPE)?,
        enabled: row.char(TGENABLED)?,
        constraint: row.oid(TGCONSTRAINT)?,
        deferrable: row.bool(TGDEFERRABLE)?,
        deferred: row.bool(TGINITDEFERRED)?,
        columns: int2s(row, TGATTR)?,
        arguments,
        when: stored::optional(row, TGQUAL)?,
        old_table: row.optional_text(TGOLDTABLE)?,
        new_table: row.optional_text(TGNEWTABLE)?,
    }))
}

fn policy_row(row: &Row) -> Result<Policy> {
    use pg_policy::*;
    Ok(Policy {
        oid: row.oid(OID)?,
        name: row.text(POLNAME)?,
        command: row.char(POLCMD)?,
        permissive: row.bool(POLPERMISSIVE)?,
        roles: oids(row, POLROLES)?,
        using: stored::optional(row, POLQUAL)?,
        check: stored::optional(row, POLWITHCHECK)?,
    })
}

fn sequence_row(row: &Row) -> Result<Sequence> {
    use pg_sequence::*;
    Ok(Sequence {
        type_oid: row.oid(SEQTYPID)?,
        start: row.int8(SEQSTART)?,
        increment: row.int8(SEQINCREMENT)?,
        max: row.int8(SEQMAX)?,
        min: row.int8(SEQMIN)?,
        cache: row.int8(SEQCACHE)?,
        cycle: row.bool(SEQCYCLE)?,
    })
}
