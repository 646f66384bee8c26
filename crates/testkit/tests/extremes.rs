//! Statements that want far more memory than there is end by themselves, or with an error of their
//! own.

use testkit::perdura;
use testkit::soak::extremes::{Size, run};

#[test]
fn statements_that_want_all_memory_end_alone() {
    let dir = std::env::temp_dir().join(format!("perdura-extremes-{}", std::process::id()));
    std::fs::create_dir_all(&dir).unwrap();
    let result = run(perdura::program().unwrap(), &dir, Size::SMALL);
    std::fs::remove_dir_all(&dir).unwrap();
    let lines = result.unwrap();
    assert_eq!(lines.lines().count(), 5, "{lines}");
    assert!(lines.contains("53200"), "{lines}");
}
