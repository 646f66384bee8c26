//! Docs name only what exists: paths and crates in every `.md` file.
//!
//! A word in backticks, or the target of a link, is a path when it ends in an extension of the
//! project or begins with a folder of it. It is looked up from the root, from the file's own
//! folder and from `crates/`; a bare file name may stand anywhere in the tree. Words with `<`,
//! `$`, `{` or a blank are patterns, not paths, and `foo` stands for any name.

use super::{layers, tree};
use std::path::{Path, PathBuf};
use testkit::{Result, workspace};

const EXTENSIONS: [&str; 9] = ["rs", "md", "toml", "tsv", "sh", "py", "sql", "spec", "out"];
/// Folders that come into being when the project is built or run.
const MADE: [&str; 3] = ["target/", "build/", "data/"];

/// Paths and crates that are named and do not exist.
pub(super) fn problems() -> Result<Vec<String>> {
    let members = layers::members()?;
    let files = tree::files()?;
    let mut problems = Vec::new();
    for file in files.iter().filter(|file| tree::has_extension(file, &["md"])) {
        let text = tree::text(file).unwrap_or_default();
        let mut in_block = false;
        for (index, line) in text.lines().enumerate() {
            if line.trim_start().starts_with("```") {
                in_block = !in_block;
            }
            if in_block {
                continue;
            }
            let at = format!("{}:{}", file.display(), index + 1);
            for path in paths(line).into_iter().filter(|path| !exists(&files, file, path)) {
                problems.push(format!("{at}: {path} does not exist"));
            }
            for name in crates(line).into_iter().filter(|name| !known(&members, name)) {
                problems.push(format!("{at}: there is no crate {name}"));
            }
        }
    }
    Ok(problems)
}

/// The words in backticks.
fn quoted(line: &str) -> impl Iterator<Item = &str> {
    line.split('`').skip(1).step_by(2)
}

/// The paths that a line names.
fn paths(line: &str) -> Vec<String> {
    let links = line.match_indices("](").filter_map(|(at, _)| {
        let target = &line[at + 2..];
        let target = &target[..target.find(')')?];
        let target = target.split('#').next().unwrap_or_default();
        (!target.is_empty() && !target.contains("://")).then_some(target)
    });
    let words = quoted(line).filter(|word| is_path(word));
    links.chain(words).map(|path| path.trim_end_matches('/').to_string()).collect()
}

fn is_path(word: &str) -> bool {
    if word.contains(|c: char| c.is_whitespace() || "<>${}()=:\\|\"'".contains(c))
        || word.starts_with(['/', '-', '*', '.', '~'])
    {
        return false;
    }
    if MADE.iter().any(|made| word.starts_with(made)) || word.starts_with("foo") {
        return false;
    }
    let extension = Path::new(word).extension().and_then(|e| e.to_str()).unwrap_or_default();
    let first = word.split('/').next().unwrap_or_default();
    EXTENSIONS.contains(&extension)
        || (word.contains('/') && !first.is_empty() && workspace().join(first).is_dir())
}

fn exists(files: &[PathBuf], file: &Path, path: &str) -> bool {
    if files.iter().any(|known| known.file_name().is_some_and(|name| name == path)) {
        return true;
    }
    // With a wildcard, what stands before it.
    let path = path.split('*').next().unwrap_or(path);
    let path = if path.ends_with(['/', '_', '-']) || path.is_empty() {
        path.rsplit_once('/').map_or("", |(dir, _)| dir)
    } else {
        path
    };
    let root = workspace();
    let beside = file.parent().unwrap_or(Path::new(""));
    [Path::new(""), beside, Path::new("crates")]
        .iter()
        .any(|from| root.join(from).join(path).exists())
}

/// The names that follow the word "crate" or "crates" in backticks.
fn crates(line: &str) -> Vec<&str> {
    let mut named = Vec::new();
    let mut parts = line.split('`');
    let mut before = parts.next().unwrap_or_default();
    while let (Some(word), Some(after)) = (parts.next(), parts.next()) {
        let introduced =
            before.trim_end().ends_with("crate") || before.trim_end().ends_with("Crate");
        if introduced && word.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '-') {
            named.push(word);
        }
        before = after;
    }
    named
}

/// Whether it is a crate of ours or one that the workspace depends on.
fn known(members: &[String], name: &str) -> bool {
    members.iter().any(|member| member == name)
        || tree::text(Path::new("Cargo.toml")).is_some_and(|manifest| {
            manifest.lines().any(|line| line.split('=').next().unwrap_or("").trim() == name)
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_told_from_other_words() {
        for (line, expected) in [
            ("see `crates/base/src/ids.rs` and `make test`", vec!["crates/base/src/ids.rs"]),
            ("[map](docs/map.md#top), [site](https://x.org/a.md)", vec!["docs/map.md"]),
            ("`tests/sql/<area>.sql`, `SELECT/UPDATE`, `16/B374D848`, `data/x.md`", vec![]),
            ("`STYLE.md`, `facts/*.tsv`", vec!["STYLE.md", "facts/*.tsv"]),
        ] {
            assert_eq!(paths(line), expected, "{line}");
        }
    }

    #[test]
    fn a_crate_is_what_the_word_crate_introduces() {
        assert_eq!(crates("The crate `wal` writes; `page` does not."), ["wal"]);
    }
}
