//! What psql prints for the answers of a session.

use std::io::Write;

/// A message of the server.
pub(super) struct Message<'a> {
    pub(super) kind: u8,
    pub(super) body: &'a [u8],
}

/// The first message of `input` and the bytes that it takes; none while it is not all there.
pub(super) fn next(input: &[u8]) -> Option<(Message<'_>, usize)> {
    let (kind, rest) = input.split_first()?;
    let (length, rest) = rest.split_first_chunk::<4>()?;
    let body = rest.get(..(u32::from_be_bytes(*length) as usize).checked_sub(4)?)?;
    Some((Message { kind: *kind, body }, body.len() + 5))
}

/// A column of a result.
struct Column {
    name: String,
    /// Numbers stand at the right.
    right: bool,
}

/// Prints the answers to statements.
#[derive(Default)]
pub(super) struct Printer {
    columns: Vec<Column>,
    rows: Vec<Vec<Option<String>>>,
    /// Whether a result is being read.
    reading: bool,
    /// Whether rows of COPY TO STDOUT come: their tag is not printed.
    copying: bool,
    /// What stands before errors: the file and line of a script.
    pub(super) place: String,
    /// Whether a statement has failed.
    pub(super) failed: bool,
}

fn word(body: &mut &[u8]) -> String {
    let end = body.iter().position(|byte| *byte == 0).unwrap_or(body.len());
    let text = String::from_utf8_lossy(&body[..end]).into_owned();
    *body = body.get(end + 1..).unwrap_or_default();
    text
}

fn number(body: &mut &[u8], bytes: usize) -> i64 {
    let (head, tail) = body.split_at_checked(bytes).unwrap_or((body, &[]));
    *body = tail;
    let mut value = head.iter().fold(0i64, |value, byte| value << 8 | i64::from(*byte));
    if bytes == 4 {
        value = i64::from(value as i32);
    }
    value
}

impl Printer {
    /// Takes one message; rows go to `out`, what went wrong and notices to `err`. `query` is what
    /// error positions count in.
    pub(super) fn take(
        &mut self,
        message: &Message<'_>,
        query: &str,
        out: &mut dyn Write,
        err: &mut dyn Write,
    ) -> std::io::Result<()> {
        let mut body = message.body;
        match message.kind {
            b'T' => {
                self.columns.clear();
                self.rows.clear();
                self.reading = true;
                for _ in 0..number(&mut body, 2) {
                    let name = word(&mut body);
                    number(&mut body, 4);
                    number(&mut body, 2);
                    let oid = number(&mut body, 4);
                    number(&mut body, 2);
                    number(&mut body, 4);
                    number(&mut body, 2);
                    let right =
                        matches!(oid, 20 | 21 | 23 | 26 | 28 | 29 | 700 | 701 | 790 | 1700 | 5069);
                    self.columns.push(Column { name, right });
                }
            }
            b'D' => {
                let mut row = Vec::new();
                for _ in 0..number(&mut body, 2) {
                    let length = number(&mut body, 4);
                    row.push(usize::try_from(length).ok().map(|length| {
                        let (head, tail) = body.split_at_checked(length).unwrap_or((body, &[]));
                        body = tail;
                        String::from_utf8_lossy(head).into_owned()
                    }));
                }
                self.rows.push(row);
            }
            b'C' if self.reading => {
                self.reading = false;
                self.table(out)?;
                let tag = word(&mut body);
                // What RETURNING gives is not all that the statement did.
                if ["INSERT", "UPDATE", "DELETE", "MERGE"].iter().any(|one| tag.starts_with(one)) {
                    writeln!(out, "{tag}")?;
                }
            }
            b'H' => self.copying = true,
            b'C' if std::mem::take(&mut self.copying) => {}
            b'C' => writeln!(out, "{}", word(&mut body))?,
            b'd' => out.write_all(body)?,
            b'E' | b'N' => {
                if message.kind == b'E' {
                    (self.failed, self.reading, self.copying) = (true, false, false);
                }
                self.report(body, query, err)?;
            }
            _ => {}
        }
        Ok(())
    }

    fn report(&self, mut body: &[u8], query: &str, err: &mut dyn Write) -> std::io::Result<()> {
        let mut fields: Vec<(u8, String)> = Vec::new();
        while let Some((code, rest)) = body.split_first() {
            if *code == 0 {
                break;
            }
            body = rest;
            fields.push((*code, word(&mut body)));
        }
        let field = |code: u8| fields.iter().find(|(c, _)| *c == code).map(|(_, text)| &**text);
        let text = field(b'M').unwrap_or_default();
        writeln!(err, "{}{}:  {text}", self.place, field(b'S').unwrap_or("ERROR"))?;
        if let Some(position) = field(b'P').and_then(|text| text.parse().ok()) {
            mark(query, position, err)?;
        }
        for (code, name) in [(b'D', "DETAIL"), (b'H', "HINT"), (b'W', "CONTEXT")] {
            if let Some(text) = field(code) {
                writeln!(err, "{name}:  {text}")?;
            }
        }
        Ok(())
    }

    /// The aligned table.
    fn table(&self, out: &mut dyn Write) -> std::io::Result<()> {
        let count = self.rows.len();
        let rows = if count == 1 { "row" } else { "rows" };
        if self.columns.is_empty() {
            return writeln!(out, "--\n({count} {rows})\n");
        }
        let shown = |cell: &Option<String>| cell.clone().unwrap_or_default();
        let mut widths: Vec<usize> = self.columns.iter().map(|c| widest(&c.name)).collect();
        for row in &self.rows {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = (*width).max(widest(&shown(cell)));
            }
        }
        let heads: Vec<String> = self
            .columns
            .iter()
            .zip(&widths)
            .map(|(column, width)| {
                let spare = width - widest(&column.name);
                format!(" {}{}{} ", blanks(spare / 2), column.name, blanks(spare - spare / 2))
            })
            .collect();
        writeln!(out, "{}", heads.join("|"))?;
        let lines: Vec<String> = widths.iter().map(|width| "-".repeat(width + 2)).collect();
        writeln!(out, "{}", lines.join("+"))?;
        for row in &self.rows {
            let cells: Vec<String> = row.iter().map(shown).collect();
            self.row(&cells, &widths, out)?;
        }
        writeln!(out, "({count} {rows})\n")
    }

    /// One row: cells with several lines take as many, each but the last with a `+`.
    fn row(&self, cells: &[String], widths: &[usize], out: &mut dyn Write) -> std::io::Result<()> {
        let split: Vec<Vec<&str>> = cells.iter().map(|cell| cell.split('\n').collect()).collect();
        let height = split.iter().map(Vec::len).max().unwrap_or(1);
        for line in 0..height {
            let mut text = String::new();
            for (at, (lines, width)) in split.iter().zip(widths).enumerate() {
                let part = lines.get(line).copied().unwrap_or_default();
                let more = line + 1 < lines.len();
                let last = at + 1 == split.len();
                let spare = blanks(width - width_of(part));
                let right = self.columns.get(at).is_some_and(|column| column.right);
                text.push(' ');
                let over = last && line >= lines.len();
                if right && !over {
                    text.push_str(&spare);
                }
                text.push_str(part);
                if !right && (!last || more) {
                    text.push_str(&spare);
                }
                match (more, last) {
                    (true, _) => text.push('+'),
                    (false, false) => text.push(' '),
                    (false, true) => {}
                }
                if !last {
                    text.push('|');
                }
            }
            writeln!(out, "{text}")?;
        }
        Ok(())
    }
}

fn blanks(count: usize) -> String {
    " ".repeat(count)
}

fn width_of(text: &str) -> usize {
    text.chars().count()
}

fn widest(text: &str) -> usize {
    text.split('\n').map(width_of).max().unwrap_or(0)
}

/// The line of a position, from 1, and a mark under it.
fn mark(query: &str, position: usize, err: &mut dyn Write) -> std::io::Result<()> {
    let mut left = position.saturating_sub(1);
    for (number, line) in (1..).zip(query.split('\n')) {
        let count = line.chars().count();
        if left <= count {
            let head = format!("LINE {number}: ");
            let shown: String = line.chars().map(|c| if c == '\t' { ' ' } else { c }).collect();
            writeln!(err, "{head}{shown}")?;
            return writeln!(err, "{}^", blanks(head.len() + left));
        }
        left -= count + 1;
    }
    Ok(())
}
