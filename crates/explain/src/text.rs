//! FORMAT TEXT.

use crate::shown::{Actual, Explained, Place, Shown, Value};

fn indented(out: &mut Vec<String>, steps: usize, text: &str) {
    out.push(format!("{}{text}", "  ".repeat(steps)));
}

fn value(value: &Value) -> String {
    match value {
        Value::Text(text) => text.clone(),
        Value::Integer(number) => number.to_string(),
        Value::Float(number, digits) => format!("{number:.digits$}"),
        Value::List(list) => list.join(", "),
    }
}

fn actual(actual: &Actual) -> String {
    if actual.loops == 0 {
        return " (never executed)".to_owned();
    }
    let times = actual
        .times_ms
        .map_or_else(String::new, |(startup, total)| format!("time={startup:.3}..{total:.3} "));
    format!(" (actual {times}rows={:.2} loops={})", actual.rows, actual.loops)
}

fn node(shown: &Shown, mut indent: usize, out: &mut Vec<String>) {
    if let Some(subplan) = &shown.subplan {
        indented(out, indent, subplan);
        indent += 1;
    }
    let mut title = shown.title.clone();
    if let Some(costs) = &shown.costs {
        title.push_str(&format!(
            "  (cost={:.2}..{:.2} rows={:.0} width={})",
            costs.startup, costs.total, costs.rows, costs.width
        ));
    }
    if let Some(counted) = &shown.actual {
        title.push_str(&actual(counted));
    }
    if indent > 0 {
        indented(out, indent, &format!("->  {title}"));
        indent += 2;
    } else {
        out.push(title);
    }
    indent += 1;
    if shown.disabled {
        indented(out, indent, "Disabled: true");
    }
    for property in &shown.properties {
        match property.place {
            Place::Structured => {}
            Place::Line => indented(out, indent, &value(&property.value)),
            Place::Everywhere => {
                let line = format!("{}: {}", property.name, value(&property.value));
                indented(out, indent, &line);
            }
        }
    }
    for child in &shown.children {
        node(child, indent, out);
    }
}

/// The lines.
pub(crate) fn write(explained: &Explained) -> Vec<String> {
    let mut out = Vec::new();
    node(&explained.plan, 0, &mut out);
    if let Some(settings) = explained.settings.as_ref().filter(|settings| !settings.is_empty()) {
        let list: Vec<String> =
            settings.iter().map(|(name, value)| format!("{name} = '{value}'")).collect();
        out.push(format!("Settings: {}", list.join(", ")));
    }
    if let Some(query_id) = explained.query_id {
        out.push(format!("Query Identifier: {query_id}"));
    }
    if let Some((used, allocated)) = explained.memory {
        out.push("Planning:".to_owned());
        out.push(format!(
            "  Memory: used={}kB  allocated={}kB",
            used.div_ceil(1024),
            allocated.div_ceil(1024)
        ));
    }
    if let Some(planning_ms) = explained.planning_ms {
        out.push(format!("Planning Time: {planning_ms:.3} ms"));
    }
    if let Some((time_ms, bytes, format)) = explained.serialization {
        let time = time_ms.map_or_else(String::new, |ms| format!("time={ms:.3} ms  "));
        let kilobytes = bytes.div_ceil(1024);
        out.push(format!("Serialization: {time}output={kilobytes}kB  format={format}"));
    }
    if let Some(execution_ms) = explained.execution_ms {
        out.push(format!("Execution Time: {execution_ms:.3} ms"));
    }
    out
}
