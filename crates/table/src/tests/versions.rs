//! Transactions, snapshots, savepoints and rollbacks against a model of versions.

use super::*;
use std::collections::BTreeMap;
use txn::SavepointMark;

/// What a running transaction did, in order.
struct Doing {
    txn: Transaction,
    log: Vec<(u32, RowId, Option<Row>)>,
    savepoints: Vec<(SavepointMark, usize)>,
}

/// A view kept for some time, with what it must see.
struct Kept {
    view: View,
    sees: BTreeMap<RowId, Row>,
}

struct World {
    server: Server,
    table: Table,
    random: Random,
    /// The committed versions of each row, by commit number.
    history: BTreeMap<RowId, Vec<(u64, Option<Row>)>>,
    commits: u64,
    owners: Vec<Arc<Owner>>,
    sessions: Vec<Option<Doing>>,
    kept: Vec<Kept>,
}

impl World {
    fn new(seed: u64) -> World {
        let mut random = Random::new(seed);
        let page_bytes = [8192, 16384, 32768][random.below(3) as usize];
        let frames = [16, 40, 400][random.below(3) as usize];
        let server = Server::new(seed, frames * page_bytes);
        let shapes = [Shape::Int4, Shape::Text, Shape::Int8, Shape::Bytes];
        let table = server.table(page_bytes as usize, &shapes);
        let owners = (0..4).map(|i| server.owner(i + 1)).collect();
        let sessions = (0..4).map(|_| None).collect();
        World {
            server,
            table,
            random,
            history: BTreeMap::new(),
            commits: 0,
            owners,
            sessions,
            kept: Vec::new(),
        }
    }

    fn committed(&self, row: RowId, upto: u64) -> Option<&Row> {
        let versions = self.history.get(&row)?;
        versions.iter().rev().find(|(at, _)| *at <= upto)?.1.as_ref()
    }

    /// What a session sees now, from a snapshot taken now.
    fn visible(&self, session: usize) -> BTreeMap<RowId, Row> {
        let mut seen: BTreeMap<RowId, Row> = self
            .history
            .keys()
            .filter_map(|row| Some((*row, self.committed(*row, self.commits)?.clone())))
            .collect();
        if let Some(doing) = &self.sessions[session] {
            let command = doing.txn.command().0;
            for (at, row, values) in &doing.log {
                if *at < command {
                    match values {
                        Some(values) => seen.insert(*row, values.clone()),
                        None => seen.remove(row),
                    };
                }
            }
        }
        seen
    }

    fn random_row(&mut self) -> Row {
        let number = self.random.below(50) as i32;
        let bytes = self.random.one_in(15).then(|| self.random.next_u64().to_le_bytes().to_vec());
        let text = (!self.random.one_in(4)).then(|| random_text(&mut self.random));
        let plain = self.random.one_in(3).then(|| vec![7; self.random.below(80) as usize]);
        vec![Some(number.to_le_bytes().to_vec()), text, bytes, plain]
    }

    fn step(&mut self) {
        let session = self.random.below(4) as usize;
        if self.sessions[session].is_none() {
            let txn = self.server.begin(&self.owners[session]);
            self.sessions[session] = Some(Doing { txn, log: Vec::new(), savepoints: Vec::new() });
        }
        match self.random.below(26) {
            0..5 => self.insert(session),
            5..13 => self.change(session),
            13..16 => drop(self.doing(session).txn.next_command().unwrap()),
            16 => {
                let doing = self.doing(session);
                let mark = (doing.txn.savepoint(), doing.log.len());
                doing.savepoints.push(mark);
            }
            17 => self.rollback_to(session),
            18..20 => self.end(session, true),
            20 => self.end(session, false),
            21..23 => self.keep_view(session),
            23 => {
                self.server.tables.purge(50).unwrap();
            }
            _ => self.check_kept(),
        }
    }

    fn doing(&mut self, session: usize) -> &mut Doing {
        self.sessions[session].as_mut().unwrap()
    }

    fn insert(&mut self, session: usize) {
        let count = if self.random.one_in(4) { 1 + self.random.below(300) } else { 1 };
        let rows: Vec<Row> = (0..count).map(|_| self.random_row()).collect();
        let table = self.table.clone();
        let doing = self.doing(session);
        let first = match rows.len() {
            1 => table.insert_row(&doing.txn, &slices(&rows[0])).unwrap(),
            _ => table.insert(&doing.txn, &batch_of(&table, &rows)).unwrap(),
        };
        let command = doing.txn.command().0;
        for (i, row) in rows.into_iter().enumerate() {
            doing.log.push((command, RowId(first.0 + i as u64), Some(row)));
        }
    }

    /// What must become of a change of `row` by a session.
    fn expected(&self, session: usize, row: RowId) -> Outcome {
        let seen = self.visible(session).contains_key(&row);
        let own = self.sessions[session].as_ref().unwrap();
        let command = own.txn.command().0;
        let last_own = own.log.iter().rev().find(|(_, other, _)| *other == row);
        if let Some((at, _, values)) = last_own
            && *at >= command
        {
            return match seen {
                true => Outcome::SelfModified { deleted: values.is_none() },
                false => Outcome::Invisible,
            };
        }
        if !seen {
            return Outcome::Invisible;
        }
        for (other, doing) in self.sessions.iter().enumerate() {
            if let Some(doing) = doing
                && other != session
                && doing.log.iter().any(|(_, changed, _)| *changed == row)
            {
                return Outcome::BeingModified(doing.txn.xid());
            }
        }
        Outcome::Done
    }

    fn change(&mut self, session: usize) {
        let highest = self.table.high_water().0;
        let mut rows: Vec<RowId> = (0..1 + self.random.below(6) * self.random.below(4))
            .map(|_| RowId(1 + self.random.below(highest)))
            .collect();
        rows.sort_unstable();
        rows.dedup();
        let delete = self.random.one_in(5);
        let values: Vec<Row> = rows.iter().map(|_| self.random_row()).collect();
        let which: Vec<usize> = (0..4).filter(|_| self.random.one_in(2)).collect();
        let columns: Vec<Vec<(usize, Option<&[u8]>)>> = values
            .iter()
            .map(|row| which.iter().map(|&i| (i, row[i].as_deref())).collect())
            .collect();
        let changes: Vec<(RowId, RowChange<'_>)> = rows
            .iter()
            .zip(&columns)
            .map(|(row, columns)| match delete {
                true => (*row, RowChange::Delete),
                false => (*row, RowChange::Update { columns, key_changed: false }),
            })
            .collect();
        let expected: Vec<Outcome> = rows.iter().map(|row| self.expected(session, *row)).collect();
        let before = self.visible(session);
        let table = self.table.clone();
        let doing = self.doing(session);
        let view = doing.txn.view();
        let outcomes = table.change_rows(&doing.txn, &view, &changes).unwrap();
        assert!(!outcomes.is_empty());
        if outcomes.len() < rows.len() {
            assert!(outcomes.last().unwrap().must_wait());
        }
        let command = doing.txn.command().0;
        for (i, outcome) in outcomes.iter().enumerate() {
            assert_eq!(*outcome, expected[i], "row {}", rows[i]);
            if *outcome == Outcome::Done {
                let mut row = before[&rows[i]].clone();
                which.iter().for_each(|&column| row[column] = values[i][column].clone());
                doing.log.push((command, rows[i], (!delete).then_some(row)));
            }
        }
    }

    fn rollback_to(&mut self, session: usize) {
        let doing = self.doing(session);
        let Some((mark, len)) = doing.savepoints.last().copied() else { return };
        doing.txn.rollback_to(mark).unwrap();
        doing.log.truncate(len);
    }

    fn end(&mut self, session: usize, commits: bool) {
        let doing = self.sessions[session].take().unwrap();
        if !commits {
            return doing.txn.rollback().unwrap();
        }
        commit(&doing.txn);
        self.commits += 1;
        let mut last: BTreeMap<RowId, Option<Row>> = BTreeMap::new();
        for (_, row, values) in doing.log {
            last.insert(row, values);
        }
        for (row, values) in last {
            self.history.entry(row).or_default().push((self.commits, values));
        }
    }

    fn keep_view(&mut self, session: usize) {
        if self.kept.len() > 6 {
            let at = self.random.below(self.kept.len() as u64) as usize;
            self.kept.remove(at);
        }
        let sees = self.visible(session);
        let doing = self.doing(session);
        // Own changes are part of what it sees only as long as the transaction lasts.
        let kept = if doing.log.is_empty() {
            Kept { view: doing.txn.view(), sees }
        } else {
            let view = doing.txn.view();
            check(&self.table, &view, &sees, &mut self.random);
            return;
        };
        self.kept.push(kept);
    }

    fn check_kept(&mut self) {
        for kept in &self.kept {
            check(&self.table, &kept.view, &kept.sees, &mut self.random);
        }
    }
}

fn check(table: &Table, view: &View, sees: &BTreeMap<RowId, Row>, random: &mut Random) {
    let all: BTreeMap<RowId, Row> =
        scan_all(table, view, &[], 1 + random.below(1024) as usize).into_iter().collect();
    assert_eq!(all.keys().collect::<Vec<_>>(), sees.keys().collect::<Vec<_>>());
    assert!(all == *sees, "a scan shows other values");
    let filter = Filter { column: 0, comparison: Comparison::GreaterOrEqual, value: 25 };
    let passing = scan_all(table, view, &[filter], 500).len();
    let number = |row: &Row| i32::from_le_bytes(row[0].as_deref().unwrap().try_into().unwrap());
    assert_eq!(passing, sees.values().filter(|row| number(row) >= 25).count());
    for _ in 0..20 {
        let row = RowId(1 + random.below(table.high_water().0));
        assert_eq!(fetch(table, view, row).as_ref(), sees.get(&row), "row {row}");
    }
}

/// Storage rule 8.
#[test]
fn views_see_what_a_model_sees() {
    for seed in first_seed()..=first_seed().max(seeds(40)) {
        let outcome = std::panic::catch_unwind(|| {
            let mut world = World::new(seed);
            for _ in 0..300 {
                world.step();
            }
            world.check_kept();
            for session in 0..4 {
                if world.sessions[session].is_some() {
                    world.end(session, session % 2 == 0);
                }
            }
            let sees = world.visible(0);
            check(&world.table, &world.server.view(), &sees, &mut world.random);
        });
        if let Err(panic) = outcome {
            eprintln!("seed {seed}");
            std::panic::resume_unwind(panic);
        }
    }
}
