//! FORMAT JSON, XML and YAML.

use crate::options::Format;
use crate::shown::{Explained, Place, Property, Shown, Value};

/// What all three formats write.
enum Tree {
    /// A text.
    Text(String),
    /// A number or a truth value, as it is written.
    Bare(String),
    List(Vec<String>),
    Object(Vec<(String, Tree)>),
    /// Objects; XML calls each by the name.
    Objects(&'static str, Vec<Tree>),
}

fn tree_of(value: &Value) -> Tree {
    match value {
        Value::Text(text) => Tree::Text(text.clone()),
        Value::Integer(number) => Tree::Bare(number.to_string()),
        Value::Float(number, digits) => Tree::Bare(format!("{number:.digits$}")),
        Value::List(list) => Tree::List(list.clone()),
    }
}

fn add(fields: &mut Vec<(String, Tree)>, properties: &[Property]) {
    for property in properties {
        if property.place == Place::Line {
            continue;
        }
        fields.push((property.name.to_owned(), tree_of(&property.value)));
    }
}

fn number(value: f64, digits: usize) -> Tree {
    Tree::Bare(format!("{value:.digits$}"))
}

fn node(shown: &Shown) -> Tree {
    let mut fields = Vec::new();
    let mut put = |name: &str, value: Tree| fields.push((name.to_owned(), value));
    put("Node Type", Tree::Text(shown.node_type.to_owned()));
    add(&mut fields, &shown.first);
    let mut put = |name: &str, value: Tree| fields.push((name.to_owned(), value));
    if let Some(relationship) = shown.relationship {
        put("Parent Relationship", Tree::Text(relationship.to_owned()));
    }
    if let Some(subplan) = &shown.subplan {
        put("Subplan Name", Tree::Text(subplan.clone()));
    }
    put("Parallel Aware", Tree::Bare("false".into()));
    put("Async Capable", Tree::Bare("false".into()));
    add(&mut fields, &shown.head);
    let mut put = |name: &str, value: Tree| fields.push((name.to_owned(), value));
    if let Some(costs) = &shown.costs {
        put("Startup Cost", number(costs.startup, 2));
        put("Total Cost", number(costs.total, 2));
        put("Plan Rows", number(costs.rows, 0));
        put("Plan Width", Tree::Bare(costs.width.to_string()));
    }
    if let Some(actual) = &shown.actual {
        if let Some((startup, total)) = actual.times_ms {
            put("Actual Startup Time", number(startup, 3));
            put("Actual Total Time", number(total, 3));
        }
        put("Actual Rows", number(actual.rows, 2));
        put("Actual Loops", Tree::Bare(actual.loops.to_string()));
    }
    put("Disabled", Tree::Bare(shown.disabled.to_string()));
    add(&mut fields, &shown.properties);
    if !shown.children.is_empty() {
        let plans = shown.children.iter().map(node).collect();
        fields.push(("Plans".to_owned(), Tree::Objects("Plan", plans)));
    }
    Tree::Object(fields)
}

fn query(explained: &Explained) -> Tree {
    let mut fields = vec![("Plan".to_owned(), node(&explained.plan))];
    let mut put = |name: &str, value: Tree| fields.push((name.to_owned(), value));
    if let Some(settings) = &explained.settings {
        let settings =
            settings.iter().map(|(name, value)| (name.clone(), Tree::Text(value.clone())));
        put("Settings", Tree::Object(settings.collect()));
    }
    if let Some(query_id) = explained.query_id {
        put("Query Identifier", Tree::Bare(query_id.to_string()));
    }
    if let Some((used, allocated)) = explained.memory {
        let kilobytes = |bytes: u64| Tree::Bare(bytes.div_ceil(1024).to_string());
        put(
            "Planning",
            Tree::Object(vec![
                ("Memory Used".to_owned(), kilobytes(used)),
                ("Memory Allocated".to_owned(), kilobytes(allocated)),
            ]),
        );
    }
    if let Some(planning_ms) = explained.planning_ms {
        put("Planning Time", number(planning_ms, 3));
    }
    if explained.analyzed {
        put("Triggers", Tree::Objects("Trigger", Vec::new()));
    }
    if let Some((time_ms, bytes, format)) = explained.serialization {
        let mut parts = Vec::new();
        parts.extend(time_ms.map(|ms| ("Time".to_owned(), number(ms, 3))));
        let kilobytes = bytes.div_ceil(1024).to_string();
        parts.push(("Output Volume".to_owned(), Tree::Bare(kilobytes)));
        parts.push(("Format".to_owned(), Tree::Text(format.to_owned())));
        put("Serialization", Tree::Object(parts));
    }
    if let Some(execution_ms) = explained.execution_ms {
        put("Execution Time", number(execution_ms, 3));
    }
    Tree::Object(fields)
}

fn pad(out: &mut String, depth: usize) {
    out.extend(std::iter::repeat_n("  ", depth));
}

/// A text in double quotes, as JSON has it.
fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            c if c < ' ' => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

fn json(tree: &Tree, depth: usize, out: &mut String) {
    match tree {
        Tree::Text(text) => out.push_str(&quoted(text)),
        Tree::Bare(text) => out.push_str(text),
        Tree::List(list) => {
            let list: Vec<String> = list.iter().map(|text| quoted(text)).collect();
            out.push_str(&format!("[{}]", list.join(", ")));
        }
        Tree::Object(fields) => {
            out.push('{');
            for (at, (name, value)) in fields.iter().enumerate() {
                out.push_str(if at > 0 { ",\n" } else { "\n" });
                pad(out, depth + 1);
                out.push_str(&format!("{}: ", quoted(name)));
                json(value, depth + 1, out);
            }
            out.push('\n');
            pad(out, depth);
            out.push('}');
        }
        Tree::Objects(_, items) => {
            out.push('[');
            for (at, item) in items.iter().enumerate() {
                out.push_str(if at > 0 { ",\n" } else { "\n" });
                pad(out, depth + 1);
                json(item, depth + 1, out);
            }
            out.push('\n');
            pad(out, depth);
            out.push(']');
        }
    }
}

/// The name of an element: what XML does not allow becomes a hyphen.
fn tag(name: &str) -> String {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    name.chars().map(|c| if allowed(c) { c } else { '-' }).collect()
}

fn escaped(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '\r' => out.push_str("&#x0d;"),
            c => out.push(c),
        }
    }
    out
}

fn xml(name: &str, tree: &Tree, depth: usize, out: &mut String) {
    let name = tag(name);
    pad(out, depth);
    match tree {
        Tree::Text(text) => out.push_str(&format!("<{name}>{}</{name}>\n", escaped(text))),
        Tree::Bare(text) => out.push_str(&format!("<{name}>{text}</{name}>\n")),
        Tree::List(list) => {
            out.push_str(&format!("<{name}>\n"));
            for item in list {
                pad(out, depth + 1);
                out.push_str(&format!("<Item>{}</Item>\n", escaped(item)));
            }
            pad(out, depth);
            out.push_str(&format!("</{name}>\n"));
        }
        Tree::Object(fields) => {
            out.push_str(&format!("<{name}>\n"));
            for (name, value) in fields {
                xml(name, value, depth + 1, out);
            }
            pad(out, depth);
            out.push_str(&format!("</{name}>\n"));
        }
        Tree::Objects(item_name, items) => {
            out.push_str(&format!("<{name}>\n"));
            for item in items {
                xml(item_name, item, depth + 1, out);
            }
            pad(out, depth);
            out.push_str(&format!("</{name}>\n"));
        }
    }
}

/// The fields of an object; the first one stands on the line that is begun.
fn yaml(fields: &[(String, Tree)], depth: usize, out: &mut String) {
    for (at, (name, value)) in fields.iter().enumerate() {
        if at > 0 {
            out.push('\n');
            pad(out, depth);
        }
        out.push_str(&format!("{name}: "));
        match value {
            Tree::Text(text) => out.push_str(&quoted(text)),
            Tree::Bare(text) => out.push_str(text),
            Tree::List(list) => {
                for item in list {
                    out.push('\n');
                    pad(out, depth + 1);
                    out.push_str(&format!("- {}", quoted(item)));
                }
            }
            Tree::Object(fields) => {
                if !fields.is_empty() {
                    out.push('\n');
                    pad(out, depth + 1);
                    yaml(fields, depth + 1, out);
                }
            }
            Tree::Objects(_, items) => {
                for item in items {
                    out.push('\n');
                    pad(out, depth + 1);
                    out.push_str("- ");
                    if let Tree::Object(fields) = item {
                        yaml(fields, depth + 2, out);
                    }
                }
            }
        }
    }
}

/// The whole text.
pub(crate) fn write(explained: &Explained, format: Format) -> String {
    let tree = query(explained);
    let mut out = String::new();
    match format {
        Format::Xml => {
            out.push_str("<explain xmlns=\"http://www.postgresql.org/2009/explain\">\n");
            xml("Query", &tree, 1, &mut out);
            out.push_str("</explain>");
        }
        Format::Yaml => {
            out.push_str("- ");
            if let Tree::Object(fields) = &tree {
                yaml(fields, 1, &mut out);
            }
        }
        Format::Json | Format::Text => json(&Tree::Objects("Query", vec![tree]), 0, &mut out),
    }
    out
}
