//! The settings that docs/compatibility.md says to be without effect are settings.

use std::collections::BTreeSet;

#[test]
fn settings_without_effect_are_settings_and_are_listed_once() {
    let path = testkit::workspace().join("docs/compatibility.md");
    let text = std::fs::read_to_string(path).unwrap();
    let (_, list) = text.split_once("## Settings without effect").unwrap();
    let listed: Vec<&str> = list.split('`').skip(1).step_by(2).collect();
    let known: BTreeSet<&str> =
        session::settings::definitions().map(|(_, definition)| definition.name).collect();
    let unknown: Vec<&&str> = listed.iter().filter(|name| !known.contains(**name)).collect();
    assert!(unknown.is_empty(), "no settings: {unknown:?}");
    let distinct: BTreeSet<&&str> = listed.iter().collect();
    assert_eq!(distinct.len(), listed.len(), "a setting is listed twice");
    assert!(listed.len() > 100, "{} settings", listed.len());
    for name in ["search_path", "statement_timeout", "password_encryption"] {
        assert!(!listed.contains(&name), "{name} has an effect");
    }
}
