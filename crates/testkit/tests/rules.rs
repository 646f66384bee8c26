//! The storage rules have tests: which, by number.

#![expect(clippy::unwrap_used, reason = "a test ends with the first surprise")]

use std::collections::BTreeSet;
use std::fs;
use testkit::workspace;

/// The rules that there are.
const RULES: u32 = 25;

const TXN: &str = "crates/txn/src/tests.rs";
const SCHEDULES: &str = "crates/txn/tests/schedules.rs";
const LOCKS: &str = "crates/txn/src/lock/tests.rs";
const SERIALIZABLE: &str = "crates/txn/src/serializable/tests.rs";
const BTREE: &str = "crates/btree/src/tests/sequential.rs";
const BTREE_CONCURRENT: &str = "crates/btree/src/tests/concurrent.rs";
const TABLE: &str = "crates/table/src/tests/mod.rs";
const VERSIONS: &str = "crates/table/src/tests/versions.rs";
const WAL: &str = "crates/wal/src/tests.rs";
const SIMULATION: &str = "crates/recovery/tests/simulation/main.rs";
const SCENARIOS: &str = "crates/recovery/tests/scenarios.rs";
const SERVE: &str = "crates/perdura/tests/serve/memory.rs";
const PREPARED: &str = "crates/testkit/tests/prepared.rs";
const SCRIPT: &str = "tests/sql/isolation";
const SPILL: &str = "tests/sql/memory";

/// A rule, a file, and a test in it that bears the rule's number; for scripts the folder and the
/// topic.
const TESTS: [(u32, &str, &str); 44] = [
    (1, SCHEDULES, "a_snapshot_sees_all_of_a_transaction_or_nothing"),
    (1, SCHEDULES, "the_order_of_commits_counts_not_that_of_xids"),
    (2, SCHEDULES, "what_is_settled_is_visible_to_every_snapshot_and_durable"),
    (2, SCENARIOS, "idle_holders_keep_neither_map_nor_log_nor_chains_over_a_thousand_million_ids"),
    (3, SCHEDULES, "a_visible_commit_that_is_not_durable_is_met"),
    (3, SCENARIOS, "a_commit_that_is_not_flushed_at_the_crash_was_told_to_nobody"),
    (4, "crates/buffer/src/tests/mod.rs", "pages_come_back_after_eviction_from_sixteen_frames"),
    (5, BTREE_CONCURRENT, "writers_and_readers_on_few_frames_keep_the_tree_whole"),
    (5, BTREE, "an_old_root_still_leads_everywhere"),
    (6, "crates/buffer/src/tests/mod.rs", "pages_come_back_after_eviction_from_sixteen_frames"),
    (7, TABLE, "rows_before_a_column_was_added_read_its_missing_value"),
    (7, SCRIPT, "reader_across_ddl"),
    (8, VERSIONS, "views_see_what_a_model_sees"),
    (8, SIMULATION, "after_any_crash_there_is_exactly_what_was_committed"),
    (9, TABLE, "deleted_rows_are_purged_and_leaves_merge"),
    (10, TXN, "a_command_does_not_see_its_own_changes_and_a_cursor_keeps_its_view"),
    (11, TXN, "a_missing_version_record_is_corruption_and_never_an_absent_row"),
    (11, TXN, "splits_and_merges_take_runs_along"),
    (12, TXN, "an_idle_writer_and_an_old_snapshot_do_not_make_the_map_or_the_chain_grow"),
    (12, "crates/table/src/record.rs", "two_changes_of_a_row_are_taken_back_in_one_step"),
    (13, SCENARIOS, "a_large_update_that_dies_while_it_is_rolled_back_leaves_nothing"),
    (14, WAL, "a_full_disk_stops_writers_before_rollbacks"),
    (15, WAL, "segments_are_recycled_except_those_kept_and_old_records_do_not_reappear"),
    (16, SCENARIOS, "a_prepared_transaction_keeps_versions_and_locks_over_crashes"),
    (16, PREPARED, "prepared_transactions_survive_a_crash"),
    (17, WAL, "damaged_bytes_never_decode"),
    (18, BTREE, "a_to_b_to_a_with_purges_between_keeps_the_live_entry"),
    (18, BTREE, "a_snapshot_holds_dead_entries_back"),
    (18, SIMULATION, "every_mistake_is_noticed_within_a_minute"),
    (19, BTREE_CONCURRENT, "of_many_who_insert_one_key_exactly_one_succeeds"),
    (20, SCRIPT, "index_after_update"),
    (20, SIMULATION, "after_any_crash_there_is_exactly_what_was_committed"),
    (21, LOCKS, "row_locks_conflict_by_their_table_and_a_writer_sees_them"),
    (21, TXN, "rollback_to_a_savepoint_wakes_who_waits_for_a_row_it_restores"),
    (21, SCRIPT, "row_locks"),
    (22, SIMULATION, "after_any_crash_there_is_exactly_what_was_committed"),
    (22, TXN, "counters_are_logged_ahead_and_file_ids_never_come_twice"),
    (23, SERIALIZABLE, "a_phantom_in_a_range_is_found_and_one_beside_it_is_not"),
    (23, SERIALIZABLE, "dropped_indexes_leave_their_locks_to_the_table"),
    (24, SPILL, "spill"),
    (24, SPILL, "spill_more"),
    (24, SERVE, "what_runs_out_of_memory_is_told_and_rolled_back_and_spilling_finishes"),
    (25, "crates/sched/src/fiber/tests.rs", "endless_recursion_on_a_fiber_ends_with_54001"),
    (
        25,
        "crates/sched/src/fiber/tests.rs",
        "foreign_code_runs_on_the_stack_of_the_thread_from_any_depth",
    ),
];

/// The scenarios that the rules want to be tested first, with a test of each.
const SCENARIOS_FIRST: [(u32, &str, &str); 14] = [
    (1, SCHEDULES, "a_snapshot_sees_all_of_a_transaction_or_nothing"),
    (1, SCHEDULES, "xids_are_drawn_once_and_in_order"),
    (2, BTREE, "a_to_b_to_a_with_purges_between_keeps_the_live_entry"),
    (2, SIMULATION, "after_any_crash_there_is_exactly_what_was_committed"),
    (3, SCENARIOS, "a_prepared_transaction_keeps_versions_and_locks_over_crashes"),
    (4, SCENARIOS, "a_rollback_finds_room_for_what_others_have_taken_on_a_full_disk"),
    (5, TXN, "splits_and_merges_take_runs_along"),
    (5, VERSIONS, "views_see_what_a_model_sees"),
    (6, BTREE_CONCURRENT, "writers_and_readers_on_few_frames_keep_the_tree_whole"),
    (7, SCRIPT, "reader_across_ddl"),
    (8, LOCKS, "row_locks_conflict_by_their_table_and_a_writer_sees_them"),
    (8, TXN, "rollback_to_a_savepoint_wakes_who_waits_for_a_row_it_restores"),
    (9, SCENARIOS, "idle_holders_keep_neither_map_nor_log_nor_chains_over_a_thousand_million_ids"),
    (10, SCENARIOS, "a_large_update_that_dies_while_it_is_rolled_back_leaves_nothing"),
];

/// What stands above a test, if it is there; nothing is said of a script but that it is there.
fn heading(place: &str, name: &str) -> Option<String> {
    if place.starts_with("tests/sql/") {
        let script = workspace().join(place).join(format!("{name}.sql"));
        assert!(script.is_file(), "{} is not there", script.display());
        return None;
    }
    let text = fs::read_to_string(workspace().join(place)).unwrap();
    let at = text.find(&format!("fn {name}("));
    let at = at.unwrap_or_else(|| panic!("{place} has no {name}"));
    let above: Vec<&str> = text[..at]
        .trim_end()
        .lines()
        .rev()
        .map(str::trim_start)
        .take_while(|line| line.starts_with("///") || line.starts_with("#["))
        .collect();
    assert!(above.contains(&"#[test]"), "{place}: {name} is no test");
    Some(above.into_iter().rev().collect::<Vec<_>>().join(" "))
}

/// The numbers after `what`, in any sentence: "storage rules 13 and 14".
fn numbers_after(text: &str, what: &str) -> BTreeSet<u32> {
    let mut numbers = BTreeSet::new();
    for (at, _) in text.match_indices(what) {
        let rest = text[at + what.len()..].trim_start_matches('s');
        for word in rest.split_whitespace() {
            match word.trim_matches(|c: char| !c.is_ascii_digit()).parse() {
                Ok(number) => drop(numbers.insert(number)),
                Err(_) if word == "and" || word == "///" => {}
                Err(_) => break,
            }
            if word.ends_with(['.', ':', ')']) {
                break;
            }
        }
    }
    numbers
}

#[test]
fn every_storage_rule_has_a_test_that_bears_its_number() {
    let mut tested: BTreeSet<u32> = BTreeSet::new();
    for (rule, place, name) in TESTS {
        tested.insert(rule);
        if let Some(heading) = heading(place, name) {
            let borne = numbers_after(&heading, "torage rule");
            assert!(
                borne.contains(&rule),
                "{place}: {name} does not say that it tests rule {rule}"
            );
        }
    }
    assert_eq!(tested, (1..=RULES).collect());
}

#[test]
fn every_scenario_that_comes_first_has_a_test() {
    let mut tested: BTreeSet<u32> = BTreeSet::new();
    for (scenario, place, name) in SCENARIOS_FIRST {
        tested.insert(scenario);
        heading(place, name);
    }
    assert_eq!(tested, (1..=10).collect());
}

#[test]
fn numbers_are_read_from_a_sentence() {
    let found = numbers_after("/// Scenario 4 (storage rules 13 and 14): 7 rows.", "torage rule");
    assert_eq!(found, BTreeSet::from([13, 14]));
    let found = numbers_after("/// Storage rules 2, 12 and 15. #[test]", "torage rule");
    assert_eq!(found, BTreeSet::from([2, 12, 15]));
    assert_eq!(numbers_after("/// Storage rule 9: what 5", "torage rule"), BTreeSet::from([9]));
}
