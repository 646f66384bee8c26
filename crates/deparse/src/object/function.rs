//! Functions and procedures.

use crate::printer::{Style, literal};
use analyze::Environment;
use base::{Error, Oid, Result, err};
use catalog::names::qualified;
use catalog::quote_identifier;
use catalog::rows::{AggregateKind, ArgMode, Parallel, Proc, ProcKind, Volatility};
use memory::Bump;

const INTERNAL: Oid = Oid(12);
const C: Oid = Oid(13);

/// An argument of a function.
struct Argument<'p> {
    type_oid: Oid,
    mode: ArgMode,
    name: Option<&'p str>,
}

impl Argument<'_> {
    fn is_input(&self) -> bool {
        matches!(self.mode, ArgMode::In | ArgMode::InOut | ArgMode::Variadic)
    }
}

fn arguments_of(proc: &Proc) -> Vec<Argument<'_>> {
    let types = proc.all_args.as_deref().unwrap_or(&proc.args);
    let modes = proc.arg_modes.as_deref().unwrap_or_default();
    let names = proc.arg_names.as_deref().unwrap_or_default();
    let argument = |(at, type_oid): (usize, &Oid)| Argument {
        type_oid: *type_oid,
        mode: modes.get(at).copied().unwrap_or(ArgMode::In),
        name: names.get(at).map(|name| &**name).filter(|name| !name.is_empty()),
    };
    types.iter().enumerate().map(argument).collect()
}

/// The defaults of the last arguments, as text.
fn defaults(env: &dyn Environment, bump: &Bump, proc: &Proc) -> Result<Vec<String>> {
    let Some(stored) = &proc.defaults else { return Ok(Vec::new()) };
    let exprs = analyze::analyze_stored_list(bump, env, stored)?;
    let text = |expr| super::print_expression(env, expr, Oid::INVALID, Style::default());
    exprs.iter().map(text).collect()
}

/// The text of arguments, of a table that is returned or of the others, and how many there are.
fn print_arguments(
    env: &dyn Environment,
    bump: &Bump,
    proc: &Proc,
    of_table: bool,
    with_defaults: bool,
) -> Result<(String, usize)> {
    let defaults = if with_defaults { defaults(env, bump, proc)? } else { Vec::new() };
    let without = proc.args.len().saturating_sub(defaults.len());
    let aggregate = env.catalog().aggregate(proc.oid)?;
    let order_at = aggregate
        .filter(|aggregate| aggregate.kind != AggregateKind::Normal)
        .and_then(|aggregate| usize::try_from(aggregate.direct_args).ok());
    let all = arguments_of(proc);
    let (mut text, mut printed, mut inputs) = (String::new(), 0, 0);
    let mut list: Vec<&Argument<'_>> = all.iter().collect();
    // A VARIADIC argument that is the last direct one is the aggregated one, too.
    if order_at == Some(all.len())
        && let Some(last) = all.last()
    {
        list.push(last);
    }
    for argument in list {
        inputs += usize::from(argument.is_input());
        if of_table != (argument.mode == ArgMode::Table) {
            continue;
        }
        if Some(printed) == order_at {
            text.push_str(if printed > 0 { " ORDER BY " } else { "ORDER BY " });
        } else if printed > 0 {
            text.push_str(", ");
        }
        text.push_str(match argument.mode {
            ArgMode::In if proc.kind == ProcKind::Procedure => "IN ",
            ArgMode::In | ArgMode::Table => "",
            ArgMode::InOut => "INOUT ",
            ArgMode::Out => "OUT ",
            ArgMode::Variadic => "VARIADIC ",
        });
        if let Some(name) = argument.name {
            text.push_str(&format!("{} ", quote_identifier(name)));
        }
        text.push_str(&env.catalog().format_type(argument.type_oid, None)?);
        let default = inputs.checked_sub(without + 1).and_then(|at| defaults.get(at));
        if let Some(default) = default.filter(|_| argument.is_input()) {
            text.push_str(&format!(" DEFAULT {default}"));
        }
        printed += 1;
    }
    Ok((text, printed))
}

/// `pg_get_function_arguments` and `pg_get_function_identity_arguments`
pub(super) fn arguments(
    env: &dyn Environment,
    bump: &Bump,
    oid: Oid,
    with_defaults: bool,
) -> Result<Option<String>> {
    let Some(proc) = env.catalog().find_proc(oid)? else { return Ok(None) };
    Ok(Some(print_arguments(env, bump, &proc, false, with_defaults)?.0))
}

fn result_text(env: &dyn Environment, bump: &Bump, proc: &Proc) -> Result<String> {
    if proc.returns_set {
        let (columns, count) = print_arguments(env, bump, proc, true, false)?;
        if count > 0 {
            return Ok(format!("TABLE({columns})"));
        }
    }
    let name = env.catalog().format_type(proc.result, None)?;
    Ok(if proc.returns_set { format!("SETOF {name}") } else { name })
}

/// `pg_get_function_result`
pub(super) fn result(env: &dyn Environment, bump: &Bump, oid: Oid) -> Result<Option<String>> {
    match env.catalog().find_proc(oid)? {
        Some(proc) if proc.kind != ProcKind::Procedure => result_text(env, bump, &proc).map(Some),
        _ => Ok(None),
    }
}

/// `pg_get_function_arg_default`
pub(super) fn argument_default(
    env: &dyn Environment,
    bump: &Bump,
    oid: Oid,
    number: i32,
) -> Result<Option<String>> {
    let Some(proc) = env.catalog().find_proc(oid)? else { return Ok(None) };
    let all = arguments_of(&proc);
    let at = usize::try_from(number).ok().and_then(|number| number.checked_sub(1));
    let Some(at) = at.filter(|at| all.get(*at).is_some_and(Argument::is_input)) else {
        return Ok(None);
    };
    let inputs = all.iter().take(at).filter(|argument| argument.is_input()).count();
    let defaults = defaults(env, bump, &proc)?;
    let without = proc.args.len().saturating_sub(defaults.len());
    Ok(inputs.checked_sub(without).and_then(|at| defaults.into_iter().nth(at)))
}

/// `pg_get_function_sqlbody`
pub(super) fn body(env: &dyn Environment, _bump: &Bump, oid: Oid) -> Result<Option<String>> {
    match env.catalog().find_proc(oid)? {
        Some(proc) if proc.sql_body.is_some() => Err(Error::unsupported(
            "showing the body of a function in SQL-standard form is not supported yet",
        )),
        _ => Ok(None),
    }
}

/// `pg_get_functiondef`
pub(super) fn definition(env: &dyn Environment, bump: &Bump, oid: Oid) -> Result<Option<String>> {
    let catalog = env.catalog();
    let Some(proc) = catalog.find_proc(oid)? else { return Ok(None) };
    if proc.kind == ProcKind::Aggregate {
        return Err(err!(WRONG_OBJECT_TYPE, "\"{}\" is an aggregate function", proc.name));
    }
    let procedure = proc.kind == ProcKind::Procedure;
    let word = if procedure { "PROCEDURE" } else { "FUNCTION" };
    let schema = catalog.namespace(proc.namespace)?;
    let mut text = format!(
        "CREATE OR REPLACE {word} {}({})\n",
        qualified(&schema.name, &proc.name),
        print_arguments(env, bump, &proc, false, true)?.0,
    );
    if !procedure {
        text.push_str(&format!(" RETURNS {}\n", result_text(env, bump, &proc)?));
    }
    let language = catalog.language(proc.language)?;
    text.push_str(&format!(" LANGUAGE {}\n", quote_identifier(&language.name)));
    let properties = properties(env, &proc)?;
    if !properties.is_empty() {
        text.push_str(&format!("{properties}\n"));
    }
    for setting in proc.config.as_deref().unwrap_or_default() {
        if let Some((name, value)) = setting.split_once('=') {
            let value = setting_value(name, value);
            text.push_str(&format!(" SET {} TO {value}\n", quote_identifier(name)));
        }
    }
    match body(env, bump, oid)? {
        Some(body) => text.push_str(&body),
        None => {
            text.push_str("AS ");
            if let Some(binary) = &proc.binary {
                text.push_str(&format!("{}, ", literal(binary)));
            }
            let mut quote = format!("${}", word.to_lowercase());
            while proc.source.contains(&quote) {
                quote.push('x');
            }
            text.push_str(&format!("{quote}${}{quote}$", proc.source));
        }
    }
    text.push('\n');
    Ok(Some(text))
}

/// Settings that are lists of names keep their elements apart.
fn setting_value(name: &str, value: &str) -> String {
    let lists = [
        "local_preload_libraries",
        "search_path",
        "session_preload_libraries",
        "shared_preload_libraries",
        "temp_tablespaces",
        "unix_socket_directories",
    ];
    if !lists.contains(&name.to_ascii_lowercase().as_str()) {
        return literal(value);
    }
    let part = |part: &str| {
        let part = part.trim();
        let inner = part.strip_prefix('"').and_then(|part| part.strip_suffix('"'));
        literal(&inner.map_or_else(|| part.to_owned(), |inner| inner.replace("\"\"", "\"")))
    };
    value.split(',').map(part).collect::<Vec<_>>().join(", ")
}

fn properties(env: &dyn Environment, proc: &Proc) -> Result<String> {
    let mut text = String::new();
    text.push_str(if proc.kind == ProcKind::Window { " WINDOW" } else { "" });
    text.push_str(match proc.volatility {
        Volatility::Immutable => " IMMUTABLE",
        Volatility::Stable => " STABLE",
        Volatility::Volatile => "",
    });
    text.push_str(match proc.parallel {
        Parallel::Safe => " PARALLEL SAFE",
        Parallel::Restricted => " PARALLEL RESTRICTED",
        Parallel::Unsafe => "",
    });
    text.push_str(if proc.strict { " STRICT" } else { "" });
    text.push_str(if proc.security_definer { " SECURITY DEFINER" } else { "" });
    text.push_str(if proc.leakproof { " LEAKPROOF" } else { "" });
    let cost = if matches!(proc.language, INTERNAL | C) { 1.0 } else { 100.0 };
    if proc.cost != cost {
        text.push_str(&format!(" COST {}", proc.cost));
    }
    if proc.rows > 0.0 && proc.rows != 1000.0 {
        text.push_str(&format!(" ROWS {}", proc.rows));
    }
    if proc.support.is_valid() {
        let support = env.catalog().proc(proc.support)?;
        text.push_str(&format!(" SUPPORT {}", quote_identifier(&support.name)));
    }
    Ok(text)
}
