//! Memory over time as a table and as a picture.

use std::fmt::Write;

const MB: f64 = 1024.0 * 1024.0;
/// The rows of the table.
const ROWS: usize = 20;
const WIDTH: f64 = 800.0;
const HEIGHT: f64 = 300.0;
const MARGIN: f64 = 50.0;

/// Memory at one moment.
#[derive(Clone, Copy, Debug)]
pub struct Sample {
    /// Since the beginning.
    pub seconds: f64,
    /// Of the process tree, before and after the ledger was read.
    pub rss_before: u64,
    /// See `rss_before`.
    pub rss_bytes: u64,
    /// What the ledger has reserved.
    pub ledger_bytes: u64,
    /// What of it is freed memory that the allocator has kept.
    pub kept_bytes: u64,
}

impl Sample {
    /// How far the ledger is from resident memory, as a share of the latter. While the ledger was
    /// read, resident memory was somewhere between its two values.
    pub(super) fn difference(&self) -> f64 {
        let (low, high) =
            (self.rss_before.min(self.rss_bytes), self.rss_before.max(self.rss_bytes));
        let nearest = self.ledger_bytes.clamp(low, high);
        self.ledger_bytes.abs_diff(nearest) as f64 / nearest.max(1) as f64
    }
}

/// Some of the samples, evenly.
pub(super) fn table(samples: &[Sample]) -> String {
    let mut out = String::from("     s  RSS MB  ledger MB  kept MB\n");
    for sample in samples.iter().step_by(samples.len().div_ceil(ROWS).max(1)) {
        let (rss, ledger) = (sample.rss_bytes as f64 / MB, sample.ledger_bytes as f64 / MB);
        let kept = sample.kept_bytes as f64 / MB;
        let _ = writeln!(out, "{:6.1}  {rss:6.0}  {ledger:9.0}  {kept:7.0}", sample.seconds);
    }
    out
}

/// The curves and the limit, with what was run.
pub(super) fn svg(samples: &[Sample], limit_bytes: u64, run: &str) -> String {
    let end = samples.last().map_or(1.0, |sample| sample.seconds.max(1.0));
    let top = limit_bytes as f64 / MB * 1.1;
    let x = |seconds: f64| MARGIN + seconds / end * (WIDTH - 2.0 * MARGIN);
    let y = |bytes: u64| HEIGHT - MARGIN - bytes as f64 / MB / top * (HEIGHT - 2.0 * MARGIN);
    let curve = |color: &str, of: &dyn Fn(&Sample) -> u64| {
        let points: Vec<String> = samples
            .iter()
            .step_by(samples.len().div_ceil(800).max(1))
            .map(|sample| format!("{:.1},{:.1}", x(sample.seconds), y(of(sample))))
            .collect();
        format!("<polyline fill=\"none\" stroke=\"{color}\" points=\"{}\"/>\n", points.join(" "))
    };
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" \
         font-family=\"sans-serif\" font-size=\"12\">\n\
         <rect width=\"{WIDTH}\" height=\"{HEIGHT}\" fill=\"white\"/>\n"
    );
    for mb in (0..=top as u64).step_by(100) {
        let at = y(mb << 20);
        let _ = writeln!(
            out,
            "<line x1=\"{MARGIN}\" x2=\"{}\" y1=\"{at:.1}\" y2=\"{at:.1}\" stroke=\"#ddd\"/>\
             <text x=\"4\" y=\"{at:.1}\">{mb} MB</text>",
            WIDTH - MARGIN
        );
    }
    let limit = y(limit_bytes);
    let _ = writeln!(
        out,
        "<line x1=\"{MARGIN}\" x2=\"{}\" y1=\"{limit:.1}\" y2=\"{limit:.1}\" stroke=\"red\" \
         stroke-dasharray=\"4\"/>",
        WIDTH - MARGIN
    );
    out.push_str(&curve("#c60", &|sample| sample.rss_bytes));
    out.push_str(&curve("#06c", &|sample| sample.ledger_bytes));
    out.push_str(&curve("#888", &|sample| sample.kept_bytes));
    let _ = writeln!(
        out,
        "<text x=\"{MARGIN}\" y=\"20\" fill=\"#c60\">resident memory</text>\
         <text x=\"170\" y=\"20\" fill=\"#06c\">ledger</text>\
         <text x=\"230\" y=\"20\" fill=\"#888\">of it freed and kept by the allocator</text>\
         <text x=\"520\" y=\"20\" fill=\"#444\">{run}</text>\
         <text x=\"{}\" y=\"{}\">{end:.0} s</text>\n</svg>",
        WIDTH - MARGIN - 20.0,
        HEIGHT - MARGIN + 20.0
    );
    out
}
