//! Cuts a psql script, and what psql printed for it, into statements.
//!
//! # How it works
//! A [`Step`] is a run of source lines after which psql's query buffer is empty again and
//! something was executed: nearly always one statement. [`instrument`] writes a comment after
//! each step, which `psql -a` echoes, so the output falls apart exactly where it should
//! ([`cut_marked`]). A recorded `.out` file has no such comments; [`cut_recorded`] finds its
//! segments by the echoed source lines.
//!
//! # Rules
//! 1. The marker is followed by `\r`, which empties the query buffer: COPY data that a server
//!    refused cannot swallow the statement behind it.
//! 2. psql echoes every line but empty ones outside quotes, and never COPY data.
//!
//! # Limits
//! `\if` branches, pipelines and `\set ECHO` are not understood.

mod scanner;

use scanner::Scanner;

/// A run of source lines that executes something at its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// The number of its first line in the script, counted from 1.
    pub line: usize,
    /// Its source lines, COPY data included.
    pub source: Vec<String>,
    /// The lines that `psql -a` echoes for it.
    pub echo: Vec<String>,
    /// How many of `echo` stand before anything can be printed.
    pub silent: usize,
    /// The statements in it, psql's own commands not counted.
    pub statements: usize,
}

/// Cuts a script into steps; together they hold every line of it.
pub fn split(text: &str) -> Vec<Step> {
    let mut scanner = Scanner::default();
    let mut steps = Vec::new();
    let mut step: Option<Step> = None;
    let mut lines = text.lines().enumerate();
    while let Some((index, line)) = lines.next() {
        let open = step.get_or_insert_with(|| Step {
            line: index + 1,
            source: Vec::new(),
            echo: Vec::new(),
            silent: 0,
            statements: 0,
        });
        open.source.push(line.to_string());
        if line.is_empty() && !scanner.in_quote() {
            continue;
        }
        let done = scanner.line(line);
        open.echo.push(line.to_string());
        open.statements += done.statements;
        let executed = done.statements + done.commands > 0;
        if executed && open.silent == 0 {
            open.silent = open.echo.len();
        }
        if done.copies_in {
            for (_, data) in lines.by_ref() {
                open.source.push(data.to_string());
                if data == "\\." {
                    break;
                }
            }
        }
        if executed && scanner.is_empty() {
            steps.extend(step.take());
        }
    }
    steps.extend(step);
    steps
}

/// The line that marks the end of step `number`.
fn marker(tag: &str, number: usize) -> String {
    format!("-- @@{tag}@{number}")
}

/// The script with a marker after each step.
pub fn instrument(steps: &[Step], tag: &str) -> String {
    let steps = steps.iter().enumerate();
    steps.map(|(number, step)| instrument_step(step, number, tag)).collect()
}

/// One step with the marker after it.
pub(crate) fn instrument_step(step: &Step, number: usize, tag: &str) -> String {
    let mut text = String::new();
    for line in &step.source {
        text.push_str(line);
        text.push('\n');
    }
    text.push_str(&marker(tag, number));
    text.push_str("\n\\r\n");
    text
}

/// Whether the output has come to the end of step `number`.
pub(crate) fn is_marked(output: &str, number: usize, tag: &str) -> bool {
    find_line(output, &marker(tag, number)).is_some()
}

/// Cuts the output of an instrumented script. A step that psql did not come to is `None`; the
/// one that it did not finish has what was printed.
pub fn cut_marked(output: &str, steps: usize, tag: &str) -> Vec<Option<String>> {
    let numbers: Vec<usize> = (0..steps).collect();
    cut_marked_steps(output, &numbers, tag)
}

/// Cuts the output of some steps of an instrumented script, as [`cut_marked`] does.
pub(crate) fn cut_marked_steps(output: &str, numbers: &[usize], tag: &str) -> Vec<Option<String>> {
    let mut segments = vec![None; numbers.len()];
    let mut rest = output;
    for (number, segment) in numbers.iter().zip(&mut segments) {
        let marker = marker(tag, *number);
        let Some(at) = find_line(rest, &marker) else {
            if !rest.is_empty() {
                *segment = Some(rest.to_string());
            }
            break;
        };
        *segment = Some(rest[..at].to_string());
        rest = &rest[at + marker.len() + 1..];
        rest = rest.strip_prefix("\\r\n").unwrap_or(rest);
    }
    segments
}

/// Where `line`, with its end, begins in `text`. It may stand behind an unfinished line, as
/// `\echo -n` prints it.
fn find_line(text: &str, line: &str) -> Option<usize> {
    text.match_indices(line)
        .find(|(at, _)| text.as_bytes().get(at + line.len()) == Some(&b'\n'))
        .map(|(at, _)| at)
}

/// Cuts a recorded output by the echoed lines of each step. A step whose echo is not found is
/// `None`, and its output is part of the step before it.
pub fn cut_recorded(output: &str, steps: &[Step]) -> Vec<Option<String>> {
    let lines: Vec<&str> = output.split_inclusive('\n').collect();
    let mut starts: Vec<Option<usize>> = Vec::with_capacity(steps.len());
    let mut from = 0;
    for step in steps {
        let run = &step.echo[..if step.silent == 0 { step.echo.len() } else { step.silent }];
        let start = if run.is_empty() {
            None
        } else {
            (from..(lines.len() + 1).saturating_sub(run.len())).find(|&at| {
                run.iter().zip(&lines[at..]).all(|(echo, line)| line.trim_end_matches('\n') == echo)
            })
        };
        starts.push(start);
        from = start.map_or(from, |at| at + run.len());
    }
    let mut segments = vec![None; steps.len()];
    let mut end = lines.len();
    for (segment, start) in segments.iter_mut().zip(&starts).rev() {
        if let Some(start) = *start {
            *segment = Some(lines[start..end].concat());
            end = start;
        }
    }
    segments
}

/// The output without the markers: what psql prints for the script as it stands.
pub fn join(segments: &[Option<String>]) -> String {
    segments.iter().flatten().map(String::as_str).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The steps of a script as `line:statements:first source line`.
    fn steps(text: &str) -> Vec<String> {
        let steps = split(text).into_iter();
        steps.map(|s| format!("{}:{}:{}", s.line, s.statements, s.source.join("|"))).collect()
    }

    #[test]
    fn a_script_is_cut_where_psql_executes() {
        for (script, expected) in [
            ("select 1;\nselect\n2;\n", vec!["1:1:select 1;", "2:1:select|2;"]),
            ("-- note\n\nselect 1; select 2;\n", vec!["1:2:-- note||select 1; select 2;"]),
            ("select ';';\n\\d t\n", vec!["1:1:select ';';", "2:0:\\d t"]),
            ("select 'a\n;b';\n", vec!["1:1:select 'a|;b';"]),
            ("select E'\\';' ;\n", vec!["1:1:select E'\\';' ;"]),
            ("do $x$ ; $y$ ; $x$;\n", vec!["1:1:do $x$ ; $y$ ; $x$;"]),
            ("select /* ; /* ; */ ; */ 1;\n", vec!["1:1:select /* ; /* ; */ ; */ 1;"]),
            (
                "create rule r as (select 1; select 2);\n",
                vec!["1:1:create rule r as (select 1; select 2);"],
            ),
            (
                "create function f() returns int begin atomic\n select 1;\nend;\nselect 2;\n",
                vec![
                    "1:1:create function f() returns int begin atomic| select 1;|end;",
                    "4:1:select 2;",
                ],
            ),
            (
                "copy t from stdin;\n1;\n\\.\nselect 1;\n",
                vec!["1:1:copy t from stdin;|1;|\\.", "4:1:select 1;"],
            ),
            ("select 1 \\gset\nselect :x \\g\n", vec!["1:1:select 1 \\gset", "2:1:select :x \\g"]),
            ("select 1 \\; select 2;\n", vec!["1:2:select 1 \\; select 2;"]),
        ] {
            assert_eq!(steps(script), expected, "{script}");
        }
    }

    #[test]
    fn marked_and_recorded_output_are_cut_alike() {
        let steps = split("select 1;\n\n-- two\nselect 2\n;\nselect 3;\n");
        let marked = "select 1;\n one\n-- @@t@0\n\\r\n-- two\nselect 2\n;\nERROR:  x\n-- @@t@1\n\
                      \\r\nselect 3;\n-- @@t@2\n\\r\n";
        let segments = cut_marked(marked, steps.len(), "t");
        assert_eq!(segments[1].as_deref(), Some("-- two\nselect 2\n;\nERROR:  x\n"));
        assert_eq!(cut_recorded(&join(&segments), &steps), segments);
    }

    #[test]
    fn a_lost_connection_leaves_the_rest_without_output() {
        let segments = cut_marked("select 1;\n-- @@t@0\n\\r\nselect 2;\nlost\n", 3, "t");
        let expected = [Some("select 1;\n"), Some("select 2;\nlost\n"), None];
        assert_eq!(segments, expected.map(|s| s.map(str::to_string)));
    }
}
