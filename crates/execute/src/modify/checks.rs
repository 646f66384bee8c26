//! NOT NULL and CHECK.

use super::ModifyTable;
use crate::state::Execution;
use base::{Result, err};
use catalog::rows::Generated;
use memory::Bump;
use plan::Check;
use types::Datum;

/// The most bytes of a value that an error shows.
const SHOWN_BYTES_MAX: usize = 64;

impl<'q> ModifyTable<'q> {
    pub(super) fn check<'m>(
        &mut self,
        x: &'m Execution<'q>,
        wide: &[Datum<'m>],
        bump: &'m Bump,
    ) -> Result<()>
    where
        'q: 'm,
    {
        let attributes = self.attributes();
        for check in self.modify.checks {
            match check {
                Check::NotNull(attribute) => {
                    if wide[attributes + *attribute as usize - 1].is_null() {
                        return Err(self.null_value(x, *attribute, wide)?);
                    }
                }
                Check::NotNullValue(attribute, program) => {
                    if self.eval(x, program, wide, bump)?.iter().any(Datum::is_null) {
                        return Err(self.null_value(x, *attribute, wide)?);
                    }
                }
                Check::View(view, program) => {
                    let holds = self.eval(x, program, wide, bump)?;
                    if matches!(holds, [Datum::Bool(true)]) {
                        continue;
                    }
                    let error = err!(
                        WITH_CHECK_OPTION_VIOLATION,
                        "new row violates check option for view \"{view}\""
                    );
                    return Err(self.with_failing_row(x, error, wide)?);
                }
                Check::Constraint(number, program) => {
                    let holds = self.eval(x, program, wide, bump)?;
                    if !matches!(holds, [Datum::Bool(false)]) {
                        continue;
                    }
                    let constraint = &self.relation.constraints[usize::from(*number)].name;
                    let error = err!(
                        CHECK_VIOLATION,
                        "new row for relation \"{}\" violates check constraint \"{constraint}\"",
                        self.relation.name
                    );
                    let error = self.with_failing_row(x, error, wide)?.constraint(constraint);
                    return Err(self.named(x, error));
                }
            }
        }
        Ok(())
    }

    fn null_value(
        &self,
        x: &Execution<'q>,
        attribute: i16,
        wide: &[Datum<'_>],
    ) -> Result<base::Error> {
        let column = &self.relation.columns[attribute as usize - 1].name;
        let error = err!(
            NOT_NULL_VIOLATION,
            "null value in column \"{column}\" of relation \"{}\" violates not-null constraint",
            self.relation.name
        );
        let error = self.with_failing_row(x, error, wide)?.column(column);
        Ok(self.named(x, error))
    }

    /// An error with the table's schema and name.
    pub(super) fn named(&self, x: &Execution<'q>, error: base::Error) -> base::Error {
        let error = error.table(&self.relation.name);
        match x.host.schema_name(self.relation.namespace) {
            Some(schema) => error.schema(schema),
            None => error,
        }
    }

    /// The error with the columns that the role may read, or has named itself.
    fn with_failing_row(
        &self,
        x: &Execution<'q>,
        error: base::Error,
        wide: &[Datum<'_>],
    ) -> Result<base::Error> {
        let table = self.relation.oid;
        let all = x.host.may_select(table, 0)?;
        let (mut names, mut values) = (Vec::new(), Vec::new());
        for column in self.relation.live_columns() {
            let shows = all
                || self.modify.named.contains(&column.attribute)
                || x.host.may_select(table, column.attribute)?;
            if !shows {
                continue;
            }
            names.push(column.name.as_str());
            values.push(if column.generated == Some(Generated::Virtual) {
                "virtual".into()
            } else {
                let value = &wide[self.attributes() + column.attribute as usize - 1];
                shown(x, column.type_oid, value)?
            });
        }
        let values = values.join(", ");
        Ok(match (all, names.is_empty()) {
            (true, _) => error.detail(format!("Failing row contains ({values}).")),
            (false, true) => error,
            (false, false) => {
                let names = names.join(", ");
                error.detail(format!("Failing row contains ({names}) = ({values})."))
            }
        })
    }
}

/// A value of a key as errors show it.
pub(super) fn key_shown(
    x: &Execution<'_>,
    type_oid: base::Oid,
    value: &Datum<'_>,
) -> Result<String> {
    if value.is_null() {
        return Ok("null".into());
    }
    x.host.io().output_string(type_oid.0, value)
}

/// A value of a row as errors show it: its beginning.
fn shown(x: &Execution<'_>, type_oid: base::Oid, value: &Datum<'_>) -> Result<String> {
    let mut text = key_shown(x, type_oid, value)?;
    if text.len() > SHOWN_BYTES_MAX {
        let mut end = SHOWN_BYTES_MAX;
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        text.truncate(end);
        text.push_str("...");
    }
    Ok(text)
}
