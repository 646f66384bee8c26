//! What one measurement says, as a line between processes and as a row of the table.

/// The head of the table.
pub(crate) const HEAD: &str = "\
| children | waiting by | VM | RSS | idle threads | peak threads | exit to event, one by one | all at once, p50 | p99 |
|---|---|---|---|---|---|---|---|---|";

/// What one measurement says.
#[derive(Clone, Copy, Default)]
pub(crate) struct Figures {
    /// The most address space; on Windows what the system has committed.
    pub(crate) vm_kb: u64,
    /// The most resident memory.
    pub(crate) rss_kb: u64,
    /// Before the first child.
    pub(crate) threads_idle: u64,
    pub(crate) threads_max: u64,
    /// The median of children that are killed one after the other.
    pub(crate) alone_us: u64,
    /// Of children that end all at once.
    pub(crate) storm_us_p50: u64,
    pub(crate) storm_us_p99: u64,
}

impl Figures {
    pub(crate) fn to_line(self) -> String {
        let numbers = [
            self.vm_kb,
            self.rss_kb,
            self.threads_idle,
            self.threads_max,
            self.alone_us,
            self.storm_us_p50,
            self.storm_us_p99,
        ];
        numbers.map(|number| number.to_string()).join(" ")
    }

    pub(crate) fn from_line(line: &str) -> Option<Figures> {
        let mut numbers = line.split(' ').map(|number| number.parse().ok());
        let mut next = || numbers.next().flatten();
        Some(Figures {
            vm_kb: next()?,
            rss_kb: next()?,
            threads_idle: next()?,
            threads_max: next()?,
            alone_us: next()?,
            storm_us_p50: next()?,
            storm_us_p99: next()?,
        })
    }

    pub(crate) fn row(self, children: usize, title: &str) -> String {
        format!(
            "| {} | {} | {}K | {}K | {} | {} | {} | {} | {} |",
            thousands(children as u64),
            title,
            thousands(self.vm_kb),
            thousands(self.rss_kb),
            self.threads_idle,
            self.threads_max,
            time(self.alone_us),
            time(self.storm_us_p50),
            time(self.storm_us_p99),
        )
    }
}

fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

fn time(us: u64) -> String {
    if us < 10_000 {
        format!("{} us", thousands(us))
    } else {
        format!("{} ms", thousands(us / 1_000))
    }
}
