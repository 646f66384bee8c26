//! FROM: relations, subqueries, functions, joins.

mod function;
mod join;
mod json;

use crate::Analyzer;
use crate::scope::{Clause, Column, Item, Level};
use crate::tree::{
    ColumnUse, CteUse, Expr, FromItem, Range, RangeId, RangeKind, ReturningRow, Type,
};
use base::{Error, Oid, Result, err};
use catalog::relation::Relation;
use catalog::rows::RelationKind;
use parse::{Alias, Expression, Location, RangeSubselect, RangeVar, Statement, TableRef};
use std::sync::Arc;

/// What an item of FROM became.
pub(crate) struct Placed<'q> {
    pub(crate) from: FromItem<'q>,
    /// The item as a whole, for what joins it.
    whole: Item<'q>,
    /// The names that it brings.
    names: Vec<Item<'q>>,
}

/// Lock modes by number.
pub(crate) const ACCESS_SHARE: u8 = 1;
pub(crate) const ROW_SHARE: u8 = 2;
pub(crate) const ROW_EXCLUSIVE: u8 = 3;

impl<'q> Analyzer<'q, '_> {
    /// FROM, or USING of DELETE. The names join the level's namespace.
    pub(crate) fn analyze_from(
        &self,
        level: &Level<'q, '_>,
        from: &[TableRef<'_>],
    ) -> Result<Vec<FromItem<'q>>> {
        let mut items = Vec::with_capacity(from.len());
        for item in from {
            let mut placed = self.place_item(level, item)?;
            self.no_conflicts(&level.namespace.borrow(), &placed.names)?;
            for name in &mut placed.names {
                (name.lateral_only, name.lateral_ok) = (true, true);
            }
            level.namespace.borrow_mut().extend(placed.names);
            items.push(placed.from);
        }
        for item in level.namespace.borrow_mut().iter_mut() {
            (item.lateral_only, item.lateral_ok) = (false, true);
        }
        Ok(items)
    }

    fn no_conflicts(&self, old: &[Item<'q>], new: &[Item<'q>]) -> Result<()> {
        for item in new.iter().filter(|item| item.rel_visible) {
            for other in old.iter().filter(|other| other.rel_visible) {
                // Two tables of one name in different schemas can be told apart.
                let apart = item.relation.is_valid()
                    && other.relation.is_valid()
                    && item.relation != other.relation;
                if item.alias == other.alias && !apart {
                    return Err(err!(
                        DUPLICATE_ALIAS,
                        "table name \"{}\" specified more than once",
                        item.alias
                    ));
                }
            }
        }
        Ok(())
    }

    fn place_item(&self, level: &Level<'q, '_>, item: &TableRef<'_>) -> Result<Placed<'q>> {
        base::stack::check_stack_depth()?;
        match item {
            TableRef::Relation(name) => self.relation_item(level, name),
            TableRef::Subselect(subselect) => self.subselect(level, subselect),
            TableRef::Function(function) => self.range_function(level, function),
            TableRef::Join(join) => self.join(level, join),
            TableRef::Sample(sample) => {
                let error = Error::unsupported("TABLESAMPLE is not supported yet");
                Err(self.at(error, sample.location))
            }
            TableRef::Json(table) => self.json_table(level, table),
            TableRef::Other { what, location } => {
                let error = Error::unsupported(format!("{what} is not supported yet"));
                Err(self.at(error, *location))
            }
        }
    }

    fn relation_item(&self, level: &Level<'q, '_>, name: &RangeVar<'_>) -> Result<Placed<'q>> {
        if name.schema.is_none()
            && let Some(placed) = self.cte_item(level, name)?
        {
            return Ok(placed);
        }
        let lock_mode = if level.locks_rows.get() { ROW_SHARE } else { ACCESS_SHARE };
        let relation = self.open_relation(level, name, lock_mode)?;
        let (range, item) = self.add_relation(level, &relation, name, lock_mode, true)?;
        Ok(Placed { from: FromItem::Range(range), whole: item, names: vec![item] })
    }

    /// Finds and locks a relation that a statement reads or writes.
    pub(crate) fn open_relation(
        &self,
        level: &Level<'q, '_>,
        name: &RangeVar<'_>,
        lock_mode: u8,
    ) -> Result<Arc<Relation>> {
        let catalog = self.env.catalog();
        if let Some(database) = name.catalog {
            let parts = [database, name.schema.unwrap_or_default(), name.name];
            self.check_database(database, &parts).map_err(|e| self.at(e, name.location))?;
        }
        // The name may come to mean another relation until the lock is held.
        loop {
            let generation = catalog.generation();
            let Some(oid) = catalog.relation_named(name.schema, name.name)? else {
                return Err(self.missing_relation(level, name));
            };
            self.env.lock_relation(oid, lock_mode)?;
            if catalog.generation() != generation {
                continue;
            }
            let relation = catalog.relation(oid)?;
            let what = match relation.kind {
                RelationKind::Index | RelationKind::PartitionedIndex => "indexes",
                RelationKind::Composite => "composite types",
                RelationKind::MaterializedView if !relation.populated => {
                    return Err(err!(
                        OBJECT_NOT_IN_PREREQUISITE_STATE,
                        "materialized view \"{}\" has not been populated",
                        relation.name
                    )
                    .hint("Use the REFRESH MATERIALIZED VIEW command."));
                }
                _ => return Ok(relation),
            };
            let error = err!(WRONG_OBJECT_TYPE, "cannot open relation \"{}\"", relation.name)
                .detail(format!("This operation is not supported for {what}."));
            return Err(self.at(error, name.location));
        }
    }

    #[cold]
    fn missing_relation(&self, level: &Level<'q, '_>, name: &RangeVar<'_>) -> Error {
        if let Some(schema) = name.schema {
            let error = err!(UNDEFINED_TABLE, "relation \"{schema}.{}\" does not exist", name.name);
            return self.at(error, name.location);
        }
        let error = err!(UNDEFINED_TABLE, "relation \"{}\" does not exist", name.name);
        let future = level.levels().any(|outer| outer.future_ctes.borrow().contains(&name.name));
        let error = if future {
            error
                .detail(format!(
                    "There is a WITH item named \"{}\", but it cannot be referenced from this part \
                     of the query.",
                    name.name
                ))
                .hint(
                    "Use WITH RECURSIVE, or re-order the WITH items to remove forward references.",
                )
        } else {
            error
        };
        self.at(error, name.location)
    }

    /// Adds a relation to the level's ranges.
    pub(crate) fn add_relation(
        &self,
        level: &Level<'q, '_>,
        relation: &Relation,
        name: &RangeVar<'_>,
        lock_mode: u8,
        in_from: bool,
    ) -> Result<(RangeId, Item<'q>)> {
        let expand = relation.kind == RelationKind::View && in_from;
        let kind = if expand {
            let query = crate::view::view_query(self.bump, self.env, relation.oid)?;
            RangeKind::Subquery { query, view: relation.oid }
        } else {
            RangeKind::Relation {
                relation: relation.oid,
                row_type: relation.row_type,
                inherit: name.inherit,
                lock_mode,
                selected: &[],
                sampled: false,
                check_as: self.check_as,
            }
        };
        let mut names = Vec::new();
        let mut types = Vec::new();
        for column in &relation.columns {
            names.push(if column.dropped { "" } else { self.text(&column.name)? });
            types.push(Type {
                oid: column.type_oid,
                typmod: column.typmod,
                collation: column.collation,
            });
        }
        let alias = name.alias.as_ref();
        let shown = self.text(alias.map_or(name.name, |alias| alias.name))?;
        self.alias_columns(&mut names, alias, shown)?;
        let range = Range {
            kind,
            alias: shown,
            alias_given: alias.is_some(),
            aliased: aliased(alias),
            columns: self.slice(&names)?,
            types: self.slice(&types)?,
            lateral: false,
            in_from,
        };
        let id = level.add_range(range);
        let mut item = self.item(id, &range)?;
        if alias.is_none() {
            item.relation = relation.oid;
        }
        Ok((id, item))
    }

    /// Puts the column aliases over the columns that are not dropped.
    fn alias_columns(
        &self,
        names: &mut [&'q str],
        alias: Option<&Alias<'_>>,
        shown: &str,
    ) -> Result<()> {
        let Some(alias) = alias else { return Ok(()) };
        let mut aliases = alias.columns.iter();
        let mut live = 0;
        for name in names.iter_mut().filter(|name| !name.is_empty()) {
            live += 1;
            if let Some(alias) = aliases.next() {
                *name = self.text(alias)?;
            }
        }
        if aliases.next().is_some() {
            return Err(err!(
                INVALID_COLUMN_REFERENCE,
                "table \"{shown}\" has {live} columns available but {} columns specified",
                alias.columns.len()
            ));
        }
        Ok(())
    }

    /// The names that a range brings: all visible.
    pub(crate) fn item(&self, id: RangeId, range: &Range<'q>) -> Result<Item<'q>> {
        let mut columns = Vec::with_capacity(range.columns.len());
        for (at, (name, ty)) in range.columns.iter().zip(range.types).enumerate() {
            let attribute = i16::try_from(at + 1).unwrap_or(i16::MAX);
            let target =
                ColumnUse { range: id, attribute, levels_up: 0, returning: ReturningRow::Default };
            columns.push(Column { name, target, ty: *ty });
        }
        Ok(Item {
            range: id,
            alias: range.alias,
            relation: Oid::INVALID,
            columns: self.slice(&columns)?,
            beyond_star: 0,
            rel_visible: true,
            cols_visible: true,
            lateral_only: false,
            lateral_ok: true,
            returning: ReturningRow::Default,
        })
    }

    /// The only range of an expression that belongs to a table.
    pub(crate) fn relation_scope(&self, level: &Level<'q, '_>, relation: &Relation) -> Result<()> {
        let name = RangeVar {
            catalog: None,
            schema: None,
            name: &relation.name,
            inherit: true,
            persistence: parse::Persistence::Permanent,
            alias: None,
            location: Location::NONE,
        };
        let (_, item) = self.add_relation(level, relation, &name, ACCESS_SHARE, false)?;
        level.namespace.borrow_mut().push(item);
        Ok(())
    }

    /// A reference to a WITH query.
    fn cte_item(&self, level: &Level<'q, '_>, name: &RangeVar<'_>) -> Result<Option<Placed<'q>>> {
        let mut found = None;
        for (levels_up, outer) in level.levels().enumerate() {
            let mut ctes = outer.ctes.borrow_mut();
            if let Some(cte) = ctes.iter_mut().find(|cte| cte.name == name.name) {
                cte.uses += u32::from(!cte.in_progress);
                found = Some((*cte, u16::try_from(levels_up).unwrap_or(u16::MAX)));
                break;
            }
        }
        let Some((cte, levels_up)) = found else { return Ok(None) };
        if cte.without_rows {
            let error = err!(
                FEATURE_NOT_SUPPORTED,
                "WITH query \"{}\" does not have a RETURNING clause",
                cte.name
            );
            return Err(self.at(error, name.location));
        }
        let alias = name.alias.as_ref();
        let shown = self.text(alias.map_or(name.name, |alias| alias.name))?;
        let mut names = cte.columns.to_vec();
        self.alias_columns(&mut names, alias, shown)?;
        let range = Range {
            kind: RangeKind::Cte(CteUse {
                index: cte.index,
                levels_up,
                self_reference: cte.in_progress,
            }),
            alias: shown,
            alias_given: alias.is_some(),
            aliased: aliased(alias),
            columns: self.slice(&names)?,
            types: cte.types,
            lateral: false,
            in_from: true,
        };
        let mut placed = self.place(level, range)?;
        if cte.in_progress {
            placed.whole.beyond_star = cte.added;
            placed.names.iter_mut().for_each(|item| item.beyond_star = cte.added);
        }
        Ok(Some(placed))
    }

    fn place(&self, level: &Level<'q, '_>, range: Range<'q>) -> Result<Placed<'q>> {
        let id = level.add_range(range);
        let item = self.item(id, &range)?;
        Ok(Placed { from: FromItem::Range(id), whole: item, names: vec![item] })
    }

    fn subselect(
        &self,
        level: &Level<'q, '_>,
        subselect: &RangeSubselect<'_>,
    ) -> Result<Placed<'q>> {
        let clause = level.clause.replace(Clause::FromSubselect);
        let lateral = level.lateral_active.replace(subselect.lateral);
        let query = self.statement(&Statement::Select(subselect.query), Some(level));
        level.clause.set(clause);
        level.lateral_active.set(lateral);
        let query = query?;
        let (mut names, mut types) = (Vec::new(), Vec::new());
        for target in crate::sublink::result_columns(query) {
            names.push(target.name);
            types.push(target.expr.ty);
        }
        let alias = subselect.alias.as_ref();
        let shown = alias.map_or("unnamed_subquery", |alias| alias.name);
        self.alias_columns(&mut names, alias, shown)?;
        let range = Range {
            kind: RangeKind::Subquery { query, view: Oid::INVALID },
            alias: self.text(shown)?,
            alias_given: alias.is_some(),
            aliased: aliased(alias),
            columns: self.slice(&names)?,
            types: self.slice(&types)?,
            lateral: subselect.lateral,
            in_from: true,
        };
        let mut placed = self.place(level, range)?;
        if alias.is_none() {
            placed.names[0].rel_visible = false;
            placed.whole.rel_visible = false;
        }
        Ok(placed)
    }

    /// WHERE and its like.
    pub(crate) fn filter(
        &self,
        level: &Level<'q, '_>,
        filter: Option<&Expression<'_>>,
        clause: Clause,
    ) -> Result<Option<&'q Expr<'q>>> {
        let Some(filter) = filter else { return Ok(None) };
        let filter = self.expression(level, filter, clause)?;
        let filter = self.coerce_boolean(filter, clause.describe())?;
        self.alloc(filter).map(Some)
    }
}

/// To how many columns an alias gives names.
fn aliased(alias: Option<&Alias<'_>>) -> u16 {
    alias.map_or(0, |alias| u16::try_from(alias.columns.len()).unwrap_or(u16::MAX))
}
