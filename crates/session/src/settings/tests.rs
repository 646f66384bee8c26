use super::*;
use std::sync::Arc;

fn session() -> Settings {
    let mut settings = Settings::new(Arc::new(Base::new()));
    settings.set_superuser(true);
    settings
}

/// What SET and then SHOW give on PostgreSQL 18.4, or the error's code, text and hint or detail.
#[test]
fn values_are_read_and_printed_as_the_oracle_does() {
    let cases = include_str!("oracle.tsv");
    let mut count = 0;
    for line in cases.lines().filter(|line| !line.is_empty()) {
        let fields: Vec<&str> = line.split('\t').collect();
        let [name, text, expected] = fields[..] else { panic!("three fields: {line:?}") };
        let mut settings = session();
        let got = match settings.set(name, Some(text), Action::Set) {
            Ok(()) => settings.show(name).unwrap(),
            Err(error) => {
                let more = error.fields().hint.as_ref().or(error.fields().detail.as_ref());
                let more = more.map(|m| format!("|{m}")).unwrap_or_default();
                format!("{}|{}{more}", error.sqlstate(), error.message())
            }
        };
        assert_eq!(got, expected, "SET {name} = '{text}'");
        count += 1;
    }
    assert!(count > 60, "only {count} cases");
}

#[test]
fn every_default_is_a_valid_value() {
    for (_, definition) in definitions() {
        let raw = definition.boot.raw(definition);
        let exempt = ["archive_command", "seed", "timezone_abbreviations", "debug_io_direct"];
        if exempt.contains(&definition.name) || definition.hidden {
            continue;
        }
        let parsed = Value::parse(definition, &raw);
        assert_eq!(parsed.ok().as_ref(), Some(&definition.boot), "{} {raw:?}", definition.name);
    }
}

#[test]
fn set_local_ends_with_the_transaction_and_set_survives_a_commit() {
    let work_mem = |s: &Settings| s.show("work_mem").unwrap();
    let mut s = session();
    s.begin_level();
    s.set("work_mem", Some("1MB"), Action::Set).unwrap();
    s.set("work_mem", Some("2MB"), Action::Local).unwrap();
    assert_eq!(work_mem(&s), "2MB");
    s.end_level(true);
    assert_eq!(work_mem(&s), "1MB");
    s.begin_level();
    s.set("work_mem", Some("3MB"), Action::Set).unwrap();
    s.begin_level();
    s.set("work_mem", Some("5MB"), Action::Local).unwrap();
    s.end_level(true);
    assert_eq!(work_mem(&s), "5MB", "a released savepoint's SET LOCAL holds on");
    s.begin_level();
    s.set("work_mem", Some("6MB"), Action::Set).unwrap();
    s.end_level(false);
    assert_eq!(work_mem(&s), "5MB");
    s.end_level(true);
    assert_eq!(work_mem(&s), "3MB");
    s.begin_level();
    s.set("work_mem", None, Action::Set).unwrap();
    assert_eq!(work_mem(&s), "4MB");
    s.end_level(false);
    assert_eq!(work_mem(&s), "3MB");
    s.reset_all();
    assert_eq!(work_mem(&s), "4MB");
}

#[test]
fn clients_hear_of_each_change_once() {
    let mut s = session();
    s.report_all(|_, _| {});
    let told = |s: &mut Settings| {
        let mut list = Vec::new();
        s.report_changes(|name, value| list.push(format!("{name}={value}")));
        list
    };
    s.set("timezone", Some("Europe/Berlin"), Action::Set).unwrap();
    s.set("work_mem", Some("1MB"), Action::Set).unwrap();
    assert_eq!(told(&mut s), ["TimeZone=Europe/Berlin"]);
    s.set("timezone", Some("europe/berlin"), Action::Set).unwrap();
    assert!(told(&mut s).is_empty());
}

#[test]
fn only_superusers_set_what_is_theirs() {
    let mut s = session();
    s.set_superuser(false);
    let error = s.set("log_statement", Some("all"), Action::Set).unwrap_err();
    assert_eq!(error.message(), "permission denied to set parameter \"log_statement\"");
    assert_eq!(s.show("is_superuser").unwrap(), "off");
}
