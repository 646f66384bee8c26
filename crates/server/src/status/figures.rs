//! What the server can say of itself, at one moment.

use crate::process::Server;
use base::clock::{Clock, SystemClock};
use memory::ledger::LedgerRow;
use memory::registry::{self, ContextRow};
use serde_json::{Value, json};
use session::engine::Figures;
use session::throughput::{LATENCY_CLASSES, Throughput};
use std::collections::BTreeMap;
use std::fmt::Write;

/// The sessions and contexts that the page gets: of more it shows the most interesting.
const SESSIONS_SHOWN: usize = 200;
const CONTEXTS_SHOWN: usize = 600;
const TRANSACTIONS_SHOWN: usize = 10;

/// A session as the page shows it.
struct Row {
    pid: u32,
    user: String,
    database: String,
    application: String,
    state: &'static str,
    wait: &'static str,
    encrypted: bool,
    /// In its state, and in its transaction, for so long.
    state_us: i64,
    transaction_us: Option<i64>,
}

/// All numbers.
pub(super) struct Snapshot {
    now_us: i64,
    start_us: i64,
    sessions_max: usize,
    waiting: usize,
    sessions: Vec<Row>,
    throughput: Throughput,
    storage: Figures,
    accounts: Vec<LedgerRow>,
    contexts: Vec<ContextRow>,
}

impl Snapshot {
    pub(super) fn take(server: &Server) -> Snapshot {
        let cluster = &server.cluster;
        let now_us = SystemClock::new().now_us();
        let sessions = cluster.sessions().into_iter().map(|entry| {
            let in_lock = cluster.engine().waits_for_lock(entry.id);
            let activity = entry.activity.lock();
            Row {
                pid: entry.id.0,
                user: activity.user.clone(),
                database: activity.database.clone(),
                application: activity.application.clone(),
                state: if activity.state.is_empty() { "starting" } else { activity.state },
                wait: match activity.state {
                    "active" if in_lock => "Lock",
                    "active" => "",
                    _ => "ClientRead",
                },
                encrypted: entry.origin.encryption.is_some(),
                state_us: now_us - activity.state_change_us,
                transaction_us: activity.transaction_start_us.map(|start_us| now_us - start_us),
            }
        });
        let mut sessions: Vec<Row> = sessions.collect();
        // Those that do something come first, the longest before the others.
        sessions.sort_by_key(|row| {
            (row.state == "idle", std::cmp::Reverse(row.transaction_us.unwrap_or(row.state_us)))
        });
        Snapshot {
            now_us,
            start_us: server.start_us,
            sessions_max: server.max_connections,
            waiting: server.waiting_room.count(),
            sessions,
            throughput: Throughput::now(),
            storage: cluster.engine().figures(),
            accounts: cluster.ledger_rows(),
            contexts: registry::contexts(),
        }
    }

    /// How many sessions are in each state.
    fn states(&self) -> BTreeMap<&'static str, usize> {
        let mut states = BTreeMap::new();
        for row in &self.sessions {
            *states.entry(row.state).or_default() += 1;
        }
        states
    }

    fn waits(&self) -> BTreeMap<&'static str, usize> {
        let mut waits = BTreeMap::new();
        for row in self.sessions.iter().filter(|row| !row.wait.is_empty()) {
            *waits.entry(row.wait).or_default() += 1;
        }
        waits
    }

    /// The account of the whole server.
    fn memory(&self) -> (u64, u64, u64) {
        let server = self.accounts.iter().find(|row| row.parent_id == 0);
        server.map_or((0, 0, 0), |row| (row.reserved_bytes, row.peak_bytes, row.limit_bytes))
    }

    pub(super) fn to_json(&self) -> String {
        let session = |row: &Row| {
            json!({
                "pid": row.pid, "user": row.user, "database": row.database,
                "application": row.application, "state": row.state, "wait": row.wait,
                "encrypted": row.encrypted, "state_s": seconds(row.state_us),
                "transaction_s": row.transaction_us.map(seconds),
            })
        };
        let mut long: Vec<&Row> =
            self.sessions.iter().filter(|row| row.transaction_us.is_some()).collect();
        long.sort_by_key(|row| std::cmp::Reverse(row.transaction_us));
        let account = |row: &LedgerRow| {
            json!({
                "id": row.id, "parent": row.parent_id, "level": row.level.name(),
                "name": row.name, "bytes": row.reserved_bytes, "peak": row.peak_bytes,
                "limit": (row.limit_bytes < i64::MAX as u64).then_some(row.limit_bytes),
            })
        };
        let (reserved, peak, limit) = self.memory();
        let limit = (limit < i64::MAX as u64).then_some(limit);
        let mut accounts: Vec<&LedgerRow> = self.accounts.iter().collect();
        accounts.sort_by_key(|row| std::cmp::Reverse(row.reserved_bytes));
        let storage = &self.storage;
        json!({
            "version": session::SERVER_VERSION,
            "now_us": self.now_us,
            "uptime_s": seconds(self.now_us - self.start_us),
            "sessions": {
                "count": self.sessions.len(), "max": self.sessions_max, "unauthenticated": self.waiting,
                "states": self.states(), "waits": self.waits(),
                "rows": self.sessions.iter().take(SESSIONS_SHOWN).map(session).collect::<Vec<_>>(),
            },
            "transactions": long.into_iter().take(TRANSACTIONS_SHOWN).map(session).collect::<Vec<_>>(),
            "throughput": {
                "answers": self.throughput.answers, "errors": self.throughput.errors,
                "total_us": self.throughput.total_us, "classes": self.throughput.classes.to_vec(),
            },
            "wal": {
                "inserted": storage.wal_inserted, "flushed": storage.wal_flushed,
                "redo": storage.redo,
                "checkpoint_age_s": seconds(self.now_us - storage.checkpoint_us),
            },
            "pages": {
                "hits": storage.page_hits, "reads": storage.page_reads,
                "writes": storage.page_writes, "bytes": storage.page_bytes,
            },
            "memory": {
                "reserved": reserved, "peak": peak, "limit": limit,
                "accounts": accounts.into_iter().take(SESSIONS_SHOWN).map(account).collect::<Vec<_>>(),
                "contexts": self.context_tree(),
            },
        })
        .to_string()
    }

    /// The largest contexts with those above them.
    fn context_tree(&self) -> Vec<Value> {
        let mut order: Vec<&ContextRow> = self.contexts.iter().collect();
        order.sort_by_key(|row| std::cmp::Reverse(row.total_bytes));
        let largest = order.into_iter().take(CONTEXTS_SHOWN);
        let mut shown: BTreeMap<u64, &ContextRow> = BTreeMap::new();
        let by_id: BTreeMap<u64, &ContextRow> =
            self.contexts.iter().map(|row| (row.id, row)).collect();
        for row in largest {
            let mut next = Some(row);
            while let Some(row) = next {
                if shown.insert(row.id, row).is_some() {
                    break;
                }
                next = by_id.get(&row.parent_id).copied();
            }
        }
        let value = |row: &&ContextRow| {
            json!({
                "id": row.id, "parent": row.parent_id, "name": row.name, "kind": row.kind,
                "session": row.session, "bytes": row.total_bytes, "free": row.free_bytes,
            })
        };
        shown.values().map(value).collect()
    }

    pub(super) fn to_prometheus(&self) -> String {
        let mut text = String::new();
        for (name, kind, help, value) in METRICS {
            let value = value(self);
            let _ = writeln!(
                text,
                "# HELP perdura_{name} {help}\n# TYPE perdura_{name} {kind}\nperdura_{name} {value}"
            );
        }
        let by = |text: &mut String, name: &str, label: &str, help: &str, counts: Counts| {
            let _ = writeln!(text, "# HELP perdura_{name} {help}\n# TYPE perdura_{name} gauge");
            for (which, count) in counts {
                let _ = writeln!(text, "perdura_{name}{{{label}=\"{which}\"}} {count}");
            }
        };
        by(&mut text, "sessions", "state", "Sessions by state.", self.states());
        by(&mut text, "sessions_waiting", "for", "Sessions by what they wait for.", self.waits());
        self.write_histogram(&mut text);
        text
    }

    fn write_histogram(&self, text: &mut String) {
        let Throughput { answers, total_us, classes, .. } = &self.throughput;
        let _ = writeln!(
            text,
            "# HELP perdura_answer_seconds From a statement to its answer.\n\
             # TYPE perdura_answer_seconds histogram"
        );
        let mut sum = 0;
        for (class, count) in classes.iter().enumerate().take(LATENCY_CLASSES - 1) {
            sum += count;
            let bound = (1u64 << class) as f64 / 1e6;
            let _ = writeln!(text, "perdura_answer_seconds_bucket{{le=\"{bound}\"}} {sum}");
        }
        let _ = writeln!(
            text,
            "perdura_answer_seconds_bucket{{le=\"+Inf\"}} {answers}\n\
             perdura_answer_seconds_sum {}\nperdura_answer_seconds_count {answers}",
            seconds(*total_us as i64)
        );
    }
}

/// How many there are of each.
type Counts = BTreeMap<&'static str, usize>;

fn seconds(us: i64) -> f64 {
    us as f64 / 1e6
}

/// A metric: its name, its kind, what it is, and its value.
type Metric = (&'static str, &'static str, &'static str, fn(&Snapshot) -> f64);

const METRICS: &[Metric] = &[
    ("up", "gauge", "Whether the server runs.", |_| 1.0),
    ("uptime_seconds", "gauge", "Since the start.", |all| seconds(all.now_us - all.start_us)),
    ("sessions_max", "gauge", "The most sessions there may be.", |all| all.sessions_max as f64),
    (
        "connections_unauthenticated",
        "gauge",
        "Connections that are not authenticated yet.",
        |all| all.waiting as f64,
    ),
    ("longest_transaction_seconds", "gauge", "The age of the oldest open transaction.", |all| {
        seconds(all.sessions.iter().filter_map(|row| row.transaction_us).max().unwrap_or(0))
    }),
    ("answers_total", "counter", "Answers to queries.", |all| all.throughput.answers as f64),
    ("errors_total", "counter", "Errors told to clients.", |all| all.throughput.errors as f64),
    ("session_moves_total", "counter", "Sessions that went to another worker.", |all| {
        all.throughput.moves as f64
    }),
    ("wal_inserted_bytes_total", "counter", "The end of the log.", |all| {
        all.storage.wal_inserted as f64
    }),
    ("wal_flushed_bytes_total", "counter", "The end of the durable log.", |all| {
        all.storage.wal_flushed as f64
    }),
    ("wal_since_redo_bytes", "gauge", "The log that recovery would read.", |all| {
        all.storage.wal_inserted.saturating_sub(all.storage.redo) as f64
    }),
    ("checkpoint_age_seconds", "gauge", "Since the latest checkpoint.", |all| {
        seconds(all.now_us - all.storage.checkpoint_us)
    }),
    ("page_hits_total", "counter", "Pages found in memory.", |all| all.storage.page_hits as f64),
    ("page_reads_total", "counter", "Pages read from disk.", |all| all.storage.page_reads as f64),
    ("page_writes_total", "counter", "Pages written to disk.", |all| {
        all.storage.page_writes as f64
    }),
    ("page_bytes", "gauge", "The bytes of pages in memory.", |all| all.storage.page_bytes as f64),
    ("memory_reserved_bytes", "gauge", "What the ledger has given out.", |all| {
        all.memory().0 as f64
    }),
    ("memory_peak_bytes", "gauge", "The most the ledger had given out.", |all| {
        all.memory().1 as f64
    }),
    ("memory_limit_bytes", "gauge", "What the ledger may give out.", |all| all.memory().2 as f64),
];
