//! Names of types, as statements write them.

use crate::Analyzer;
use base::{Error, Oid, Result, err};
use catalog::rows::{Proc, Ref};
use parse::{Constant, Expression, Field, TypeName};
use types::oids;

/// Resolves the name of a type: its OID and its modifier, -1 for none.
///
/// # Errors
/// 42704 when there is no such type, 22023 and 42601 for its modifiers.
pub fn resolve_type(
    environment: &dyn crate::Environment,
    source: &str,
    name: &TypeName<'_>,
) -> Result<(Oid, i32)> {
    let bump = memory::Bump::with_options(
        "type name",
        memory::Account::unlimited(),
        memory::BlockSizes::SMALL,
    );
    let cell = std::cell::RefCell::new(crate::Parameters::none());
    let check_as = Oid::INVALID;
    let analyzer = Analyzer { bump: &bump, env: environment, source, parameters: &cell, check_as };
    analyzer.resolve_type(name)
}

/// Resolves a function, procedure or aggregate that a statement names with its input types.
/// `what` is the word for messages: function, procedure, aggregate, routine.
///
/// # Errors
/// 42883 when there is none; 42725 when no types were written and several have the name.
pub fn resolve_function(
    environment: &dyn crate::Environment,
    source: &str,
    function: &parse::ObjectWithArgs<'_>,
    what: &str,
) -> Result<Ref<Proc>> {
    let (schema, bare) = crate::function::split_name(function.name)?;
    let shown = function.name.join(".");
    let found = environment.catalog().procs_named(schema, bare)?;
    let mut found: Vec<Ref<Proc>> = found.into_iter().map(|candidate| candidate.proc).collect();
    if function.args_unspecified {
        return match found.len() {
            0 => Err(err!(UNDEFINED_FUNCTION, "could not find a {what} named \"{shown}\"")),
            1 => Ok(found.remove(0)),
            _ => Err(err!(AMBIGUOUS_FUNCTION, "{what} name \"{shown}\" is not unique")
                .hint(format!("Specify the argument list to select the {what} unambiguously."))),
        };
    }
    let mut types = Vec::new();
    for name in function.args.iter().flatten() {
        types.push(resolve_type(environment, source, name)?.0);
    }
    if let Some(at) = found.iter().position(|proc| *proc.args == *types) {
        return Ok(found.swap_remove(at));
    }
    let mut names = Vec::new();
    for oid in &types {
        names.push(crate::names::format_type(environment.catalog(), *oid, -1)?);
    }
    Err(err!(UNDEFINED_FUNCTION, "{what} {shown}({}) does not exist", names.join(", ")))
}

impl Analyzer<'_, '_> {
    pub(crate) fn resolve_type(&self, name: &TypeName<'_>) -> Result<(Oid, i32)> {
        if name.percent_type {
            return self.column_type(name);
        }
        let (schema, bare) = match *name.names {
            [bare] => (None, bare),
            [schema, bare] => (Some(schema), bare),
            [database, schema, bare] => {
                self.check_database(database, name.names)?;
                (Some(schema), bare)
            }
            _ => {
                return Err(err!(
                    SYNTAX_ERROR,
                    "improper qualified name (too many dotted names): {}",
                    name.names.join(".")
                ));
            }
        };
        let catalog = self.env.catalog();
        if let Some(schema) = schema {
            catalog.require_namespace(schema).map_err(|e| self.at(e, name.location))?;
        }
        let Some(row) = catalog.type_named(schema, bare)? else {
            let error = err!(UNDEFINED_OBJECT, "type \"{}\" does not exist", shown(name));
            return Err(self.at(error, name.location));
        };
        if !row.defined {
            let error = err!(UNDEFINED_OBJECT, "type \"{}\" is only a shell", shown(name));
            return Err(self.at(error, name.location));
        }
        let typmod = self.modifier(row.oid, name)?;
        if name.array_bounds.is_empty() {
            return Ok((row.oid, typmod));
        }
        let array = if row.is_true_array() { row.oid } else { row.array };
        if !array.is_valid() {
            let error = err!(UNDEFINED_OBJECT, "type \"{}[]\" does not exist", shown(name));
            return Err(self.at(error, name.location));
        }
        Ok((array, typmod))
    }

    pub(crate) fn check_database(&self, database: &str, names: &[&str]) -> Result<()> {
        if database == self.env.database_name() {
            return Ok(());
        }
        Err(err!(
            FEATURE_NOT_SUPPORTED,
            "cross-database references are not implemented: {}",
            names.join(".")
        ))
    }

    /// `relation.column%TYPE`.
    fn column_type(&self, name: &TypeName<'_>) -> Result<(Oid, i32)> {
        let (schema, relation, column) = match *name.names {
            [relation, column] => (None, relation, column),
            [schema, relation, column] => (Some(schema), relation, column),
            _ => {
                let error = err!(
                    SYNTAX_ERROR,
                    "improper %TYPE reference (too few dotted names): {}",
                    name.names.join(".")
                );
                return Err(self.at(error, name.location));
            }
        };
        let missing = || err!(UNDEFINED_TABLE, "relation \"{relation}\" does not exist");
        let oid = self.env.catalog().relation_named(schema, relation)?;
        let oid = oid.ok_or_else(|| self.at(missing(), name.location))?;
        let row = self.env.catalog().relation(oid)?;
        let Some(found) = row.column(column) else {
            let error = err!(
                UNDEFINED_COLUMN,
                "column \"{column}\" of relation \"{relation}\" does not exist"
            );
            return Err(self.at(error, name.location));
        };
        Ok((found.type_oid, found.typmod))
    }

    fn modifier(&self, oid: Oid, name: &TypeName<'_>) -> Result<i32> {
        if name.typmods.is_empty() {
            return Ok(-1);
        }
        let row = self.type_row(oid)?;
        if !row.modifier_input.is_valid() {
            let shown = self.type_name(oid)?;
            let error = err!(SYNTAX_ERROR, "type modifier is not allowed for type \"{shown}\"");
            return Err(self.at(error, name.location));
        }
        let mut values = Vec::new();
        for typmod in name.typmods {
            values.push(match *typmod {
                Expression::Const { value: Constant::Integer(value), .. } => value.to_string(),
                Expression::Const { value: Constant::Float(text), .. }
                | Expression::Const { value: Constant::String(text), .. } => text.to_string(),
                Expression::ColumnRef { fields: [Field::Name(text)], .. } => text.to_string(),
                _ => {
                    let error = err!(
                        SYNTAX_ERROR,
                        "type modifiers must be simple constants or identifiers"
                    );
                    return Err(self.at(error, name.location));
                }
            });
        }
        encode(oid, &values).map_err(|error| self.at(error, name.location))
    }
}

fn shown(name: &TypeName<'_>) -> String {
    format!("{}{}", name.names.join("."), "[]".repeat(name.array_bounds.len()))
}

/// What the type's own modifier function makes of the words in parentheses.
fn encode(oid: Oid, words: &[String]) -> Result<i32> {
    let mut values = Vec::new();
    for word in words {
        let value: i32 = word.parse().map_err(|_| {
            err!(INVALID_TEXT_REPRESENTATION, "invalid input syntax for type integer: \"{word}\"")
        })?;
        values.push(value);
    }
    let one = || match values[..] {
        [value] => Ok(value),
        _ => Err(err!(INVALID_PARAMETER_VALUE, "invalid type modifier")),
    };
    let bad = |message: String| Err(Error::new(base::SqlState::INVALID_PARAMETER_VALUE, message));
    match oid.0 {
        oids::BPCHAR | oids::VARCHAR => {
            let name = if oid.0 == oids::BPCHAR { "char" } else { "varchar" };
            match one()? {
                n if n < 1 => bad(format!("length for type {name} must be at least 1")),
                n if n > 10_485_760 => {
                    bad(format!("length for type {name} cannot exceed 10485760"))
                }
                n => Ok(n + 4),
            }
        }
        oids::BIT | oids::VARBIT => {
            let name = if oid.0 == oids::BIT { "bit" } else { "varbit" };
            match one()? {
                n if n < 1 => bad(format!("length for type {name} must be at least 1")),
                n if n > 83_886_080 => {
                    bad(format!("length for type {name} cannot exceed 83886080"))
                }
                n => Ok(n),
            }
        }
        oids::NUMERIC => encode_numeric(&values),
        oids::TIME | oids::TIMETZ | oids::TIMESTAMP | oids::TIMESTAMPTZ => {
            let n = one()?;
            let (name, zone) = match oid.0 {
                oids::TIME => ("TIME", ""),
                oids::TIMETZ => ("TIME", " WITH TIME ZONE"),
                oids::TIMESTAMP => ("TIMESTAMP", ""),
                _ => ("TIMESTAMP", " WITH TIME ZONE"),
            };
            if n < 0 {
                return bad(format!("{name}({n}){zone} precision must not be negative"));
            }
            Ok(n.min(6))
        }
        oids::INTERVAL => encode_interval(&values),
        _ => Err(Error::unsupported("modifiers of user-defined types are not supported yet")),
    }
}

fn encode_numeric(values: &[i32]) -> Result<i32> {
    let (precision, scale) = match *values {
        [precision] => (precision, 0),
        [precision, scale] => (precision, scale),
        _ => return Err(err!(INVALID_PARAMETER_VALUE, "invalid NUMERIC type modifier")),
    };
    if !(1..=1000).contains(&precision) {
        return Err(err!(
            INVALID_PARAMETER_VALUE,
            "NUMERIC precision {precision} must be between 1 and 1000"
        ));
    }
    if !(-1000..=1000).contains(&scale) {
        return Err(err!(
            INVALID_PARAMETER_VALUE,
            "NUMERIC scale {scale} must be between -1000 and 1000"
        ));
    }
    Ok(((precision << 16) | (scale & 0x7ff)) + 4)
}

/// The grammar gives the mask of fields, then the precision.
fn encode_interval(values: &[i32]) -> Result<i32> {
    const FULL_PRECISION: i32 = 0xffff;
    const FULL_RANGE: i32 = 0x7fff;
    let invalid = || err!(INVALID_PARAMETER_VALUE, "invalid INTERVAL type modifier");
    let (fields, precision) = match *values {
        [fields] if fields == FULL_RANGE => return Ok(-1),
        [fields] => (fields, FULL_PRECISION),
        [fields, precision] => (fields, precision),
        _ => return Err(invalid()),
    };
    if precision != FULL_PRECISION && precision < 0 {
        return Err(err!(
            INVALID_PARAMETER_VALUE,
            "INTERVAL({precision}) precision must not be negative"
        ));
    }
    let precision = if precision == FULL_PRECISION { precision } else { precision.min(6) };
    Ok((precision & 0xffff) | ((fields & 0x7fff) << 16))
}
