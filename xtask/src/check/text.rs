//! Checks of files one by one: sizes, names, unfinished work, machine paths.

use super::tree;
use testkit::Result;

/// The lines of a source file, tests included.
const FILE_LINES_MAX: usize = 800;

/// Names that say nothing about what is inside.
const EMPTY_NAMES: [&str; 9] =
    ["util", "utils", "common", "manager", "helper", "helpers", "misc", "stuff", "tools"];

/// Source files that are too long.
pub(super) fn sizes() -> Result<Vec<String>> {
    let mut problems = Vec::new();
    for file in tree::files()?.into_iter().filter(|f| tree::has_extension(f, &["rs", "py", "sh"])) {
        let lines = tree::text(&file).map_or(0, |text| text.lines().count());
        if lines > FILE_LINES_MAX {
            problems
                .push(format!("{}: {lines} lines, {FILE_LINES_MAX} are allowed", file.display()));
        }
    }
    Ok(problems)
}

/// Source files and folders with names that say nothing.
pub(super) fn names() -> Result<Vec<String>> {
    let mut problems = Vec::new();
    for file in tree::files()?.into_iter().filter(|f| tree::has_extension(f, &["rs"])) {
        let stemmed = file.with_extension("");
        let empty = stemmed.iter().find(|part| EMPTY_NAMES.iter().any(|name| part == name));
        if let Some(part) = empty {
            let part = part.display();
            problems.push(format!("{}: {part} is no name for a module", file.display()));
        }
    }
    Ok(problems)
}

/// Marks of work that somebody meant to do.
pub(super) fn unfinished() -> Result<Vec<String>> {
    // In halves, so that this file does not hold them.
    let marks = [("TO", "DO"), ("FIX", "ME"), ("XX", "X:"), ("HA", "CK:")];
    let marks = marks.map(|(a, b)| format!("{a}{b}"));
    lines_with(&["rs", "py", "sh", "md", "toml"], |line| {
        marks.iter().find(|mark| line.contains(mark.as_str())).cloned()
    })
}

/// Paths that exist on one machine only.
pub(super) fn machine_paths() -> Result<Vec<String>> {
    let roots = [("/wo", "rk/"), ("/ho", "me/"), ("/ro", "ot/"), ("/Us", "ers/")];
    let roots = roots.map(|(a, b)| format!("{a}{b}"));
    let kinds = ["rs", "py", "sh", "md", "toml", "tsv", "sql", "out", "spec", "yml", "yaml"];
    lines_with(&kinds, |line| {
        let mut found = roots.iter().filter(|root| {
            // The root of a path, not the middle of one.
            line.match_indices(root.as_str()).any(|(at, _)| {
                let before = line[..at].chars().next_back();
                before.is_none_or(|c| !c.is_alphanumeric() && !"_-./$})".contains(c))
            })
        });
        found.next().cloned()
    })
}

/// Transaction ids that are made narrower than they are. They have 64 bits everywhere; the one place
/// that cuts them off for old binary clients works on bytes.
pub(super) fn narrow_xids() -> Result<Vec<String>> {
    lines_with(&["rs"], |line| {
        let code = line.split("//").next().unwrap_or_default();
        ["as u32", "as i32", "as u16"].iter().find_map(|cast| {
            let before = code.split(&format!(" {cast}")).next().filter(|part| *part != code)?;
            // What is cast: the expression that ends here.
            let is_part = |c: char| c.is_alphanumeric() || "_.()".contains(c);
            let from = before.rfind(|c: char| !is_part(c)).map_or(0, |at| at + 1);
            let word = before[from..].to_ascii_lowercase();
            word.contains("xid").then(|| format!("a transaction id {cast}"))
        })
    })
}

/// The lines for which `wrong` names what is wrong.
fn lines_with(kinds: &[&str], wrong: impl Fn(&str) -> Option<String>) -> Result<Vec<String>> {
    let mut problems = Vec::new();
    for file in tree::files()?.into_iter().filter(|file| tree::has_extension(file, kinds)) {
        let text = tree::text(&file).unwrap_or_default();
        for (index, line) in text.lines().enumerate() {
            if let Some(what) = wrong(line) {
                problems.push(format!("{}:{}: holds {what}", file.display(), index + 1));
            }
        }
    }
    Ok(problems)
}
