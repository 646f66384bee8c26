//! The settings that docs/compatibility.md says to be without effect are settings, and nothing asks
//! for their values.

#![expect(clippy::unwrap_used, reason = "a test ends with the first surprise")]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Files where the name of a setting is not asked for its value: what views call it, who may see it.
const NAMES_ONLY: [&str; 3] = [
    "crates/engine/src/explain.rs",
    "crates/functions_system/src/activity.rs",
    "crates/session/src/settings/confidential.rs",
];

fn without_effect() -> Vec<String> {
    let path = testkit::workspace().join("docs/compatibility.md");
    let text = std::fs::read_to_string(path).unwrap();
    let (_, list) = text.split_once("## Settings without effect").unwrap();
    list.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() && name != "tests" && name != "target" {
            sources(&path, found);
        } else if name.ends_with(".rs") && name != "tests.rs" {
            found.push(path);
        }
    }
}

#[test]
fn settings_without_effect_are_settings_and_are_listed_once() {
    let listed = without_effect();
    let known: BTreeSet<&str> =
        session::settings::definitions().map(|(_, definition)| definition.name).collect();
    let unknown: Vec<&String> = listed.iter().filter(|name| !known.contains(&***name)).collect();
    assert!(unknown.is_empty(), "no settings: {unknown:?}");
    let distinct: BTreeSet<&String> = listed.iter().collect();
    assert_eq!(distinct.len(), listed.len(), "a setting is listed twice");
    assert!(listed.len() > 100, "{} settings", listed.len());
}

#[test]
fn exactly_the_settings_that_nothing_asks_for_are_listed() {
    let root = testkit::workspace();
    let mut files = Vec::new();
    sources(&root.join("crates"), &mut files);
    let mut asked = BTreeSet::new();
    for path in files {
        if !NAMES_ONLY.iter().any(|file| path == root.join(file)) {
            let text = std::fs::read_to_string(&path).unwrap();
            asked.extend(text.split('"').map(str::to_owned));
        }
    }
    let listed: BTreeSet<String> = without_effect().into_iter().collect();
    let effective: Vec<&String> = listed.intersection(&asked).collect();
    assert!(effective.is_empty(), "these have an effect: {effective:?}");
    let missing: Vec<&str> = session::settings::definitions()
        .map(|(_, definition)| definition.name)
        .filter(|name| !asked.contains(*name) && !listed.contains(*name))
        .collect();
    assert!(missing.is_empty(), "nothing asks for these: {missing:?}");
}
