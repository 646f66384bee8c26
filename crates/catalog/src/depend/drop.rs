//! What DROP takes along.

use super::{Dependency, is_pinned, key};
use crate::builtin;
use crate::columns::*;
use crate::describe::{ObjectAddress, index_by_oid};
use crate::lookup::Catalog;
use crate::rows::DependencyKind;
use crate::store::Value;
use base::{Error, Oid, Result, SqlState, err};
use std::fmt::Write;

/// The lines of a message's detail; the log has the rest.
const LINES_MAX: usize = 100;

/// RESTRICT or CASCADE.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[expect(missing_docs, reason = "the names are SQL's")]
pub enum Behavior {
    Restrict,
    Cascade,
}

/// What a DROP drops.
#[derive(Debug)]
pub struct DropPlan {
    /// The objects in the order in which they go: dependents first, those that were named
    /// included.
    pub objects: Vec<ObjectAddress>,
    /// What CASCADE tells: message and detail.
    pub notice: Option<(String, Option<String>)>,
}

/// How an object was reached.
#[derive(Clone, Copy, Debug, Default)]
struct Reached {
    original: bool,
    normal: bool,
    /// Silently, in at least one way (rule 2).
    silent: bool,
}

impl Reached {
    fn add(&mut self, other: Reached) {
        self.original |= other.original;
        self.normal |= other.normal;
        self.silent |= other.silent;
    }
}

struct Target {
    address: ObjectAddress,
    reached: Reached,
    /// The object because of which it goes.
    because: Option<ObjectAddress>,
}

/// The walk along the dependencies.
struct Walk<'a> {
    catalog: &'a Catalog,
    originals: &'a [ObjectAddress],
    /// Found so far, dependents first.
    targets: Vec<Target>,
    /// The way to the object that is looked at.
    stack: Vec<Target>,
}

/// Whether `part` is `whole` or a column of it.
fn is_within(part: &ObjectAddress, whole: &ObjectAddress) -> bool {
    part == whole || (whole.column == 0 && part.class == whole.class && part.object == whole.object)
}

impl Walk<'_> {
    /// Finds what depends on an object, and then adds the object.
    fn visit(&mut self, address: ObjectAddress, reached: Reached) -> Result<()> {
        base::stack::check_stack_depth()?;
        let known = self.stack.iter_mut().chain(&mut self.targets);
        if let Some(target) = known.into_iter().find(|t| is_within(&address, &t.address)) {
            if target.address == address {
                target.reached.add(reached);
            }
            return Ok(());
        }
        if is_pinned(&address) {
            let what = self.catalog.describe(&address)?;
            return Err(err!(
                DEPENDENT_OBJECTS_STILL_EXIST,
                "cannot drop {what} because it is required by the database system"
            ));
        }
        if let Some(owner) = self.owner(&address)? {
            if self.stack.is_empty() {
                if self.originals.iter().any(|original| is_within(&owner, original)) {
                    // It goes when its owner, which was named as well, is visited.
                    return Ok(());
                }
                return Err(self.owned(&address, &owner)?);
            }
            if !self.stack.iter().any(|target| is_within(&owner, &target.address)) {
                // The owner goes instead, and takes this part of it along.
                return self.visit(owner, reached);
            }
        }
        let because = self.stack.last().map(|target| target.address);
        let mut dependents = self.catalog.dependents_of(&address)?;
        dependents.retain(|dependency| !is_within(&dependency.dependent, &address));
        // Rule 3.
        dependents.sort_by_key(|d| (std::cmp::Reverse(d.dependent.object), d.dependent.column));
        self.stack.push(Target { address, reached, because });
        for dependency in dependents {
            self.visit(dependency.dependent, reached_by(&dependency))?;
        }
        self.targets.extend(self.stack.pop());
        Ok(())
    }

    /// The object that this one is an internal part of.
    fn owner(&self, address: &ObjectAddress) -> Result<Option<ObjectAddress>> {
        let needs = self.catalog.dependencies_of(address)?;
        let owner = needs.iter().find(|dependency| {
            matches!(dependency.kind, DependencyKind::Internal | DependencyKind::Extension)
                && dependency.dependent == *address
        });
        Ok(owner.map(|dependency| dependency.referenced))
    }

    fn owned(&self, address: &ObjectAddress, owner: &ObjectAddress) -> Result<Error> {
        let what = self.catalog.describe(address)?;
        let owner = self.catalog.describe(owner)?;
        let error =
            err!(DEPENDENT_OBJECTS_STILL_EXIST, "cannot drop {what} because {owner} requires it");
        Ok(error.hint(format!("You can drop {owner} instead.")))
    }

    /// Whether an object is a column of a table that goes as a whole.
    fn goes_with_table(&self, address: &ObjectAddress) -> bool {
        let whole = ObjectAddress { column: 0, ..*address };
        address.column != 0 && self.targets.iter().any(|target| target.address == whole)
    }

    /// The error of RESTRICT or the notice of CASCADE, when something must be told.
    fn report(&self, behavior: Behavior) -> Result<Option<(String, Option<String>)>> {
        let mut lines = Vec::new();
        // Those nearest to what was named come first.
        for target in self.targets.iter().rev() {
            let Reached { original, normal, silent } = target.reached;
            if original || silent || !normal || self.goes_with_table(&target.address) {
                continue;
            }
            let what = self.catalog.describe(&target.address)?;
            lines.push(match (behavior, &target.because) {
                (Behavior::Restrict, Some(because)) => {
                    format!("{what} depends on {}", self.catalog.describe(because)?)
                }
                _ => format!("drop cascades to {what}"),
            });
        }
        if lines.is_empty() {
            return Ok(None);
        }
        if behavior == Behavior::Cascade && lines.len() == 1 {
            return Ok(lines.pop().map(|line| (line, None)));
        }
        let count = lines.len();
        let mut detail = lines[..count.min(LINES_MAX)].join("\n");
        if count > LINES_MAX {
            let more = count - LINES_MAX;
            let objects = if more == 1 { "object" } else { "objects" };
            let _ = write!(detail, "\nand {more} other {objects} (see server log for list)");
        }
        if behavior == Behavior::Cascade {
            return Ok(Some((format!("drop cascades to {count} other objects"), Some(detail))));
        }
        let message = match self.originals {
            [one] => format!(
                "cannot drop {} because other objects depend on it",
                self.catalog.describe(one)?
            ),
            _ => "cannot drop desired object(s) because other objects depend on them".to_string(),
        };
        let error = Error::new(SqlState::DEPENDENT_OBJECTS_STILL_EXIST, message).detail(detail);
        Err(error.hint("Use DROP ... CASCADE to drop the dependent objects too."))
    }
}

fn reached_by(dependency: &Dependency) -> Reached {
    let normal = dependency.kind == DependencyKind::Normal;
    Reached { original: false, normal, silent: !normal }
}

impl Catalog {
    /// Finds what goes when `originals` are dropped. Changes nothing.
    ///
    /// # Errors
    /// 2BP01 when something else needs them and `behavior` is RESTRICT, when one of them is part
    /// of another object, or when it is built in.
    pub fn plan_drop(&self, originals: &[ObjectAddress], behavior: Behavior) -> Result<DropPlan> {
        let mut walk = Walk { catalog: self, originals, targets: Vec::new(), stack: Vec::new() };
        for address in originals {
            walk.visit(*address, Reached { original: true, ..Reached::default() })?;
        }
        let notice = walk.report(behavior)?;
        let objects = walk.targets.iter().map(|target| target.address).collect();
        Ok(DropPlan { objects, notice })
    }

    /// Removes every catalog row of a whole object: its own, those of its parts that are no
    /// objects themselves, and those that say what it needs. Storage is the caller's business.
    ///
    /// # Errors
    /// Those of storage; XX000 for a column, which is dropped by marking it.
    pub fn remove_object(&self, address: &ObjectAddress) -> Result<()> {
        if address.column != 0 {
            return Err(Error::internal("a column is dropped by marking it"));
        }
        let oid = [Value::Oid(address.object)];
        let parts: &[Oid] = match address.class {
            pg_class::RELATION => &[
                index::PG_ATTRIBUTE_RELID_ATTNUM_INDEX,
                index::PG_INDEX_INDEXRELID_INDEX,
                index::PG_SEQUENCE_SEQRELID_INDEX,
                index::PG_INHERITS_RELID_SEQNO_INDEX,
                index::PG_PARTITIONED_TABLE_PARTRELID_INDEX,
                index::PG_STATISTIC_RELID_ATT_INH_INDEX,
                index::PG_FOREIGN_TABLE_RELID_INDEX,
            ],
            pg_type::RELATION => {
                &[index::PG_ENUM_TYPID_LABEL_INDEX, index::PG_RANGE_RNGTYPID_INDEX]
            }
            pg_proc::RELATION => &[index::PG_AGGREGATE_FNOID_INDEX],
            pg_ts_config::RELATION => &[index::PG_TS_CONFIG_MAP_INDEX],
            _ => &[],
        };
        for part in parts {
            self.delete_rows(*part, &oid)?;
        }
        if address.class == pg_attrdef::RELATION {
            self.forget_default(address)?;
        }
        if let Some(index) = index_by_oid(address.class) {
            self.delete_rows(index, &oid)?;
        }
        self.delete_rows(index::PG_DEPEND_DEPENDER_INDEX, &key(address))?;
        self.delete_comments(address)?;
        self.delete_shared_dependencies(address)
    }

    /// A column whose default goes has none.
    fn forget_default(&self, address: &ObjectAddress) -> Result<()> {
        let row = self.object_row(address)?;
        let column =
            [Value::Oid(row.oid(pg_attrdef::ADRELID)?), Value::Int2(row.int2(pg_attrdef::ADNUM)?)];
        self.update_rows(index::PG_ATTRIBUTE_RELID_ATTNUM_INDEX, &column, |row| {
            row.set(pg_attribute::ATTHASDEF, false).set(pg_attribute::ATTGENERATED, 0u8);
            Ok(())
        })?;
        Ok(())
    }

    /// Removes the comments and security labels of an object or column.
    ///
    /// # Errors
    /// Those of storage.
    pub fn delete_comments(&self, address: &ObjectAddress) -> Result<()> {
        let shared = builtin::relation(address.class).is_some_and(|class| class.shared);
        let mut key = vec![Value::Oid(address.object), Value::Oid(address.class)];
        if shared {
            self.delete_rows(index::PG_SHDESCRIPTION_O_C_INDEX, &key)?;
            self.delete_rows(index::PG_SHSECLABEL_OBJECT_INDEX, &key)?;
            return Ok(());
        }
        if address.column != 0 {
            key.push(Value::Int4(address.column));
        }
        self.delete_rows(index::PG_DESCRIPTION_O_C_O_INDEX, &key)?;
        self.delete_rows(index::PG_SECLABEL_OBJECT_INDEX, &key)?;
        Ok(())
    }
}
