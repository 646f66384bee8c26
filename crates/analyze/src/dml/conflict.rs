//! ON CONFLICT.

use super::Changed;
use crate::Analyzer;
use crate::scope::{Clause, Level};
use crate::tree::{ConflictAction, OnConflict, Range, RangeKind};
use base::{Error, Oid, Result, err};
use parse::OnConflictClause;

impl<'q> Analyzer<'q, '_> {
    pub(super) fn on_conflict(
        &self,
        level: &Level<'q, '_>,
        changed: &Changed<'q>,
        clause: &OnConflictClause<'_>,
    ) -> Result<OnConflict<'q>> {
        if clause.update && clause.infer.is_none() {
            let error = err!(
                SYNTAX_ERROR,
                "ON CONFLICT DO UPDATE requires inference specification or constraint name"
            )
            .hint("For example, ON CONFLICT (column_name).");
            return Err(self.at(error, clause.location));
        }
        if changed.relation.system {
            let error =
                Error::unsupported("ON CONFLICT is not supported with system catalog tables");
            return Err(self.at(error, clause.location));
        }
        let target = changed.item;
        level.namespace.replace(vec![target]);
        let arbiters = match clause.infer {
            Some(infer) => self.arbiters(level, changed, infer)?,
            None => Vec::new(),
        };
        let range = Range {
            kind: RangeKind::Excluded { relation: changed.relation.oid },
            alias: "excluded",
            alias_given: true,
            aliased: 0,
            in_from: false,
            ..level.range(changed.range)
        };
        // Aliases of the target's columns are its own.
        let mut names = Vec::new();
        for column in &changed.relation.columns {
            names.push(if column.dropped { "" } else { self.text(&column.name)? });
        }
        let range = Range { columns: self.slice(&names)?, ..range };
        let excluded = level.add_range(range);
        let action = if clause.update {
            let item = self.item(excluded, &range)?;
            level.namespace.replace(vec![item, target]);
            let assigned = self.assignments(level, changed, clause.assignments)?;
            let filter = self.filter(level, clause.filter, Clause::Where)?;
            ConflictAction::Update {
                targets: self.slice(&assigned.targets)?,
                assignments: self.slice(&assigned.assignments)?,
                filter,
            }
        } else {
            ConflictAction::Nothing
        };
        Ok(OnConflict { arbiters: self.slice(&arbiters)?, action, excluded })
    }

    /// The unique indexes that an ON CONFLICT target means.
    fn arbiters(
        &self,
        level: &Level<'q, '_>,
        changed: &Changed<'q>,
        infer: &parse::InferClause<'_>,
    ) -> Result<Vec<Oid>> {
        let relation = &changed.relation;
        if let Some(name) = infer.constraint {
            let found = relation.constraints.iter().find(|c| c.name == name);
            let index = found.map(|constraint| constraint.index).filter(|oid| oid.is_valid());
            return match index {
                Some(index) => Ok(vec![index]),
                None => Err(err!(
                    UNDEFINED_OBJECT,
                    "constraint \"{name}\" for table \"{}\" does not exist",
                    relation.name
                )),
            };
        }
        let (mut attributes, mut expressions) = (Vec::new(), Vec::new());
        for element in infer.elements {
            if let Some(name) = element.name {
                let Some(column) = relation.column(name) else {
                    return Err(self.missing_column(level, None, name, infer.location));
                };
                attributes.push(column.attribute);
            } else if let Some(expression) = element.expression {
                expressions.push(self.expression(level, expression, Clause::IndexExpression)?);
            }
        }
        let filter = self.filter(level, infer.filter, Clause::IndexPredicate)?;
        let mut found = Vec::new();
        for index in relation.indexes.iter().filter(|index| index.unique && index.valid) {
            let keys = &index.keys;
            let columns = keys.iter().filter(|key| key.attribute != 0);
            let same_columns = columns.clone().all(|key| attributes.contains(&key.attribute))
                && attributes.iter().all(|a| keys.iter().any(|key| key.attribute == *a));
            let mut same_expressions = true;
            let mut count = 0;
            for key in keys {
                let Some(stored) = &key.expression else { continue };
                count += 1;
                let stored = crate::stored::analyze_stored(self.bump, self.env, stored)?;
                same_expressions &= expressions.iter().any(|given| self.same(given, stored));
            }
            let predicate = match &index.predicate {
                None => true,
                Some(stored) => {
                    let stored = crate::stored::analyze_stored(self.bump, self.env, stored)?;
                    filter.is_some_and(|filter| self.same(filter, stored))
                }
            };
            if same_columns && same_expressions && count == expressions.len() && predicate {
                found.push(index.oid);
            }
        }
        if found.is_empty() {
            return Err(err!(
                INVALID_COLUMN_REFERENCE,
                "there is no unique or exclusion constraint matching the ON CONFLICT specification"
            ));
        }
        Ok(found)
    }
}
