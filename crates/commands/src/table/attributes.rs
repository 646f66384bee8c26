//! DEFERRABLE and its kin, which are clauses of their own behind a column's constraint.

use crate::Env;
use base::{Result, err};
use parse::{Constraint, ConstraintKind as Kind};

/// What was said of the constraint that is last.
#[derive(Default)]
struct Seen {
    deferrability: bool,
    initially: bool,
    enforced: bool,
}

/// The constraints of a column, each with the clauses that follow it.
///
/// # Errors
/// 42601 for a clause in the wrong place, for a second one and for one that contradicts another.
pub(super) fn attach<'a>(env: &Env<'_>, list: &[Constraint<'a>]) -> Result<Vec<Constraint<'a>>> {
    let mut result: Vec<Constraint<'a>> = Vec::new();
    let mut seen = Seen::default();
    for clause in list {
        let Some(word) = word(&clause.kind) else {
            seen = Seen::default();
            result.push(*clause);
            continue;
        };
        let refused = |message: String| env.at(err!(SYNTAX_ERROR, "{message}"), clause.location);
        let last = result.last_mut().filter(|last| takes(&last.kind, &clause.kind));
        let last = last.ok_or_else(|| refused(format!("misplaced {word} clause")))?;
        let (known, both) = match clause.kind {
            Kind::AttributeDeferrable | Kind::AttributeNotDeferrable => {
                (&mut seen.deferrability, "DEFERRABLE/NOT DEFERRABLE")
            }
            Kind::AttributeDeferred | Kind::AttributeImmediate => {
                (&mut seen.initially, "INITIALLY IMMEDIATE/DEFERRED")
            }
            _ => (&mut seen.enforced, "ENFORCED/NOT ENFORCED"),
        };
        if std::mem::replace(known, true) {
            return Err(refused(format!("multiple {both} clauses not allowed")));
        }
        match clause.kind {
            Kind::AttributeDeferrable => last.deferrable = true,
            Kind::AttributeNotDeferrable => last.deferrable = false,
            Kind::AttributeDeferred => {
                last.initially_deferred = true;
                // INITIALLY DEFERRED alone says DEFERRABLE, too.
                last.deferrable |= !seen.deferrability;
            }
            Kind::AttributeImmediate => last.initially_deferred = false,
            Kind::AttributeEnforced => last.enforced = true,
            _ => {
                last.enforced = false;
                last.not_valid = true;
            }
        }
        if last.initially_deferred && !last.deferrable {
            let message = "constraint declared INITIALLY DEFERRED must be DEFERRABLE";
            return Err(refused(message.to_owned()));
        }
    }
    Ok(result)
}

/// How a message calls a clause; none for a constraint.
fn word(kind: &Kind<'_>) -> Option<&'static str> {
    Some(match kind {
        Kind::AttributeDeferrable => "DEFERRABLE",
        Kind::AttributeNotDeferrable => "NOT DEFERRABLE",
        Kind::AttributeDeferred => "INITIALLY DEFERRED",
        Kind::AttributeImmediate => "INITIALLY IMMEDIATE",
        Kind::AttributeEnforced => "ENFORCED",
        Kind::AttributeNotEnforced => "NOT ENFORCED",
        _ => return None,
    })
}

/// Whether a clause may stand behind a constraint.
fn takes(constraint: &Kind<'_>, clause: &Kind<'_>) -> bool {
    match clause {
        Kind::AttributeEnforced | Kind::AttributeNotEnforced => {
            matches!(constraint, Kind::Check(_) | Kind::Foreign(_))
        }
        _ => matches!(constraint, Kind::Key(_) | Kind::Exclusion { .. } | Kind::Foreign(_)),
    }
}
