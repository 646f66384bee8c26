//! The options of VACUUM and ANALYZE.

use base::{Error, Result, err};
use parse::{DefElem, DefValue, VacuumStmt};
use session::settings::parse_integer;

/// What a command does.
#[derive(Clone, Copy, Default, Debug)]
pub(super) struct Work {
    pub(super) vacuum: bool,
    pub(super) analyze: bool,
    pub(super) verbose: bool,
    pub(super) skip_locked: bool,
    /// Free pages at the end of files stay there.
    pub(super) keeps_pages: bool,
    /// No table is looked at.
    pub(super) only_database: bool,
}

/// What is only checked: nothing here depends on it.
#[derive(Clone, Copy, Default, Debug)]
struct Checked {
    full: bool,
    freeze: bool,
    disable_page_skipping: bool,
    without_toast: bool,
    skip_database_stats: bool,
    parallel: bool,
    usage_limit: bool,
}

/// The most workers that PARALLEL may ask for.
const WORKERS_MAX: i32 = 1024;
/// The most that BUFFER_USAGE_LIMIT may say.
const LIMIT_MAX_KB: i64 = 16_777_216;

fn is_on(option: &DefElem<'_>) -> Result<bool> {
    let word = match option.value {
        None | Some(DefValue::Integer(1) | DefValue::Boolean(true)) => return Ok(true),
        Some(DefValue::Integer(0) | DefValue::Boolean(false)) => return Ok(false),
        Some(DefValue::String(text)) => text.to_ascii_lowercase(),
        _ => String::new(),
    };
    match word.as_str() {
        "true" | "on" => Ok(true),
        "false" | "off" => Ok(false),
        _ => Err(err!(SYNTAX_ERROR, "{} requires a Boolean value", option.name)),
    }
}

impl Work {
    /// Reads the options.
    ///
    /// # Errors
    /// 42601, 22023 and 0A000 for what PostgreSQL refuses.
    pub(super) fn of(vacuum: &VacuumStmt<'_>, source: &str) -> Result<Work> {
        let mut work = Work { vacuum: vacuum.vacuum, analyze: !vacuum.vacuum, ..Work::default() };
        let mut checked = Checked::default();
        for option in vacuum.options {
            let at = |error: Error| error.position_or(option.location.position(source));
            match option.name {
                "verbose" => work.verbose = is_on(option)?,
                "skip_locked" => work.skip_locked = is_on(option)?,
                "buffer_usage_limit" => {
                    usage_limit(option)?;
                    checked.usage_limit = true;
                }
                name if !vacuum.vacuum => {
                    return Err(at(err!(SYNTAX_ERROR, "unrecognized ANALYZE option \"{name}\"")));
                }
                "analyze" => work.analyze = is_on(option)?,
                "truncate" => work.keeps_pages = !is_on(option)?,
                "only_database_stats" => work.only_database = is_on(option)?,
                "full" => checked.full = is_on(option)?,
                "freeze" => checked.freeze = is_on(option)?,
                "disable_page_skipping" => checked.disable_page_skipping = is_on(option)?,
                "process_main" => drop(is_on(option)?),
                "process_toast" => checked.without_toast = !is_on(option)?,
                "skip_database_stats" => checked.skip_database_stats = is_on(option)?,
                "index_cleanup" => index_cleanup(option)?,
                "parallel" => checked.parallel = workers(option, &at)? > 0,
                name => {
                    return Err(at(err!(SYNTAX_ERROR, "unrecognized VACUUM option \"{name}\"")));
                }
            }
        }
        work.check(&checked, vacuum)?;
        Ok(work)
    }

    /// Which options do not go together.
    fn check(self, checked: &Checked, vacuum: &VacuumStmt<'_>) -> Result<()> {
        let has_columns = vacuum.relations.iter().any(|target| !target.columns.is_empty());
        let others = self.analyze
            || self.skip_locked
            || checked.full
            || checked.freeze
            || checked.disable_page_skipping
            || checked.skip_database_stats;
        let rules = [
            (checked.full && checked.parallel, "VACUUM FULL cannot be performed in parallel"),
            (
                checked.full && checked.usage_limit && !self.analyze,
                "BUFFER_USAGE_LIMIT cannot be specified for VACUUM FULL",
            ),
            (
                has_columns && !self.analyze,
                "ANALYZE option must be specified when a column list is provided",
            ),
            (
                checked.full && checked.disable_page_skipping,
                "VACUUM option DISABLE_PAGE_SKIPPING cannot be used with FULL",
            ),
            (checked.full && checked.without_toast, "PROCESS_TOAST required with VACUUM FULL"),
            (
                self.only_database && !vacuum.relations.is_empty(),
                "ONLY_DATABASE_STATS cannot be specified with a list of tables",
            ),
            (
                self.only_database && others,
                "ONLY_DATABASE_STATS cannot be specified with other VACUUM options",
            ),
        ];
        match rules.iter().find(|(broken, _)| *broken) {
            Some((_, message)) => Err(err!(FEATURE_NOT_SUPPORTED, "{message}")),
            None => Ok(()),
        }
    }

    pub(super) fn verb(self) -> &'static str {
        if self.vacuum { "vacuum" } else { "analyze" }
    }
}

fn usage_limit(option: &DefElem<'_>) -> Result<()> {
    let number;
    let text = match option.value {
        Some(DefValue::Integer(value)) => {
            number = value.to_string();
            number.as_str()
        }
        Some(DefValue::Float(text)) => text,
        Some(DefValue::Boolean(true)) => "true",
        Some(DefValue::Boolean(false)) => "false",
        Some(ref value) => value.as_word().unwrap_or_default(),
        None => {
            let message = "buffer_usage_limit requires a parameter";
            return Err(err!(SYNTAX_ERROR, "{message}"));
        }
    };
    let refused = |hint: Option<&str>| {
        let mut error = err!(
            INVALID_PARAMETER_VALUE,
            "BUFFER_USAGE_LIMIT option must be 0 or between 128 kB and {LIMIT_MAX_KB} kB"
        );
        error.fields_mut().hint = hint.map(str::to_owned);
        error
    };
    match parse_integer(text, Some("kB"), LIMIT_MAX_KB) {
        Ok(0) => Ok(()),
        Ok(kilobytes) if (128..=LIMIT_MAX_KB).contains(&kilobytes) => Ok(()),
        Ok(_) => Err(refused(None)),
        Err(hint) => Err(refused(hint)),
    }
}

fn index_cleanup(option: &DefElem<'_>) -> Result<()> {
    match option.value {
        None => Ok(()),
        Some(DefValue::String(text)) if text.eq_ignore_ascii_case("auto") => Ok(()),
        _ => is_on(option).map(drop),
    }
}

fn workers(option: &DefElem<'_>, at: &dyn Fn(Error) -> Error) -> Result<i32> {
    match option.value {
        None => Err(at(err!(
            SYNTAX_ERROR,
            "parallel option requires a value between 0 and {WORKERS_MAX}"
        ))),
        Some(DefValue::Integer(count)) if (0..=WORKERS_MAX).contains(&count) => Ok(count),
        Some(DefValue::Integer(_)) => Err(at(err!(
            SYNTAX_ERROR,
            "parallel workers for vacuum must be between 0 and {WORKERS_MAX}"
        ))),
        Some(_) => Err(err!(SYNTAX_ERROR, "{} requires an integer value", option.name)),
    }
}
