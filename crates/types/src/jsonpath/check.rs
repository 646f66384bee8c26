//! What the grammar lets through and the meaning forbids; the variables of a path.

use super::{Chain, Item, RegexFlags, UnaryOp};
use base::{Result, err};

/// Where an item stands.
#[derive(Clone, Copy)]
struct Place {
    in_filter: bool,
    in_subscript: bool,
}

/// Checks that `@` stands in filters only and `last` in subscripts only.
///
/// # Errors
/// 42601
pub(super) fn places(chain: &Chain) -> Result<()> {
    check(chain, Place { in_filter: false, in_subscript: false })
}

fn check(chain: &Chain, place: Place) -> Result<()> {
    base::stack::check_stack_depth()?;
    for item in chain {
        match item {
            Item::Current if !place.in_filter => {
                return Err(err!(SYNTAX_ERROR, "@ is not allowed in root expressions"));
            }
            Item::Last if !place.in_subscript => {
                return Err(err!(SYNTAX_ERROR, "LAST is allowed only in array subscripts"));
            }
            Item::Index(subscripts) => {
                let inside = Place { in_subscript: true, ..place };
                for (from, to) in subscripts {
                    check(from, inside)?;
                    if let Some(to) = to {
                        check(to, inside)?;
                    }
                }
            }
            Item::Filter(predicate) => check(predicate, Place { in_filter: true, ..place })?,
            _ => {
                for part in parts(item) {
                    check(part, place)?;
                }
            }
        }
    }
    Ok(())
}

/// The chains inside an item.
fn parts(item: &Item) -> Vec<&Chain> {
    match item {
        Item::Binary(_, left, right) => vec![left, right],
        Item::Unary(
            UnaryOp::Plus | UnaryOp::Minus | UnaryOp::Not | UnaryOp::IsUnknown | UnaryOp::Exists,
            operand,
        )
        | Item::Filter(operand) => vec![operand],
        Item::LikeRegex { value, .. } => vec![value],
        Item::Index(subscripts) => {
            subscripts.iter().flat_map(|(from, to)| std::iter::once(from).chain(to)).collect()
        }
        _ => Vec::new(),
    }
}

/// Appends the names of the variables in a chain.
pub(super) fn variables<'p>(chain: &'p Chain, names: &mut Vec<&'p str>) {
    for item in chain {
        if let Item::Variable(name) = item
            && !names.contains(&name.as_str())
        {
            names.push(name);
        }
        for part in parts(item) {
            variables(part, names);
        }
    }
}

/// Calls `check` with each pattern in a chain and its flags.
pub(super) fn patterns(
    chain: &Chain,
    check: &mut dyn FnMut(&str, RegexFlags) -> Result<()>,
) -> Result<()> {
    for item in chain {
        if let Item::LikeRegex { pattern, flags, .. } = item {
            check(pattern, *flags)?;
        }
        for part in parts(item) {
            patterns(part, check)?;
        }
    }
    Ok(())
}
