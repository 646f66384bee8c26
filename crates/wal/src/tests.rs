//! The log on the simulated disk.

use super::*;
use base::{FileId, PageNo, Severity, SqlState, Xid};
use disk::{Fault, FaultKind, Random, SimDisk};
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

fn config() -> WalConfig {
    WalConfig {
        segment_bytes: 64 << 10,
        buffer_bytes: 64 << 10,
        reserve_bytes: 16 << 10,
        spare_segments: 2,
        timeline: 1,
        archive: false,
    }
}

const START: Lsn = FIRST_LSN;

/// A record whose every part follows from `n`.
fn record(n: u64) -> RecordBuilder {
    let mut random = Random::new(n);
    let mut record = RecordBuilder::new(rm::BTREE, n as u8);
    record.transaction(Xid(n + 10), Lsn(n)).data(&n.to_le_bytes());
    let noise: Vec<u8> = (0..random.below(3000)).map(|_| random.next_u64() as u8).collect();
    record.data(&noise);
    if random.one_in(2) {
        record.undo_body(&noise[..noise.len() / 2]);
    }
    if random.one_in(3) {
        record.block(FileId(n), PageNo(n * 7), 13, block_flags::INIT, &noise, None);
    }
    record
}

fn append(wal: &Wal, n: u64) -> Result<Lsn> {
    let mut record = record(n);
    let room = wal.ensure_room(record.size())?;
    Ok(wal.append(room, &mut record))
}

fn check(record: &Record, n: u64) {
    let mut expected = self::record(n);
    let room = expected.size();
    assert!(record.bytes().len() <= room);
    assert_eq!(record.xid, Xid(n + 10));
    assert_eq!(&record.data()[..8], &n.to_le_bytes());
    let (header, body) = expected.encode(1);
    assert_eq!(&record.bytes()[..HEADER], &header.bytes(record.prev)[..]);
    assert_eq!(&record.bytes()[HEADER..record.bytes().len() - 4], body);
}
const HEADER: usize = record::HEADER_BYTES;

/// All records on disk from the beginning, and the end.
fn read_all(disk: &SimDisk) -> (Vec<Record>, (Lsn, Lsn)) {
    let mut reader = Reader::new(Arc::new(disk.clone()), config(), START);
    let mut records = Vec::new();
    while let Some(record) = reader.next_record().unwrap() {
        records.push(record);
    }
    (records, reader.end())
}

/// Appends and flushes at random until the power goes; returns what was surely durable.
fn run_until_cut(wal: &Wal, random: &mut Random, numbers: &mut Vec<u64>, next: &mut u64) -> usize {
    let mut durable = 0;
    for _ in 0..400 {
        let Ok(lsn) = append(wal, *next) else { return durable };
        numbers.push(*next);
        *next += 1;
        if random.one_in(4) {
            if wal.flush(lsn).is_err() {
                return durable;
            }
            durable = numbers.len();
        }
    }
    durable
}

#[test]
fn what_was_flushed_survives_three_power_cuts_and_nothing_comes_back_from_the_dead() {
    for seed in 0..300 {
        let mut random = Random::new(seed);
        let mut disk = SimDisk::new(seed);
        disk.set_short_reads(true);
        let mut wal = Wal::create(Arc::new(disk.clone()), config()).unwrap();
        let (mut numbers, mut next) = (Vec::new(), 0);
        for _ in 0..3 {
            disk.cut_power_at(disk.changes() + 1 + random.below(120));
            let durable = run_until_cut(&wal, &mut random, &mut numbers, &mut next);
            disk = disk.reboot();
            let (records, end) = read_all(&disk);
            assert!(records.len() >= durable, "seed {seed}: flushed records are lost");
            assert!(records.len() <= numbers.len(), "seed {seed}: records from nowhere");
            numbers.truncate(records.len());
            for (record, n) in records.iter().zip(&numbers) {
                check(record, *n);
            }
            // The preparations of the next start may be cut short, too.
            disk.cut_power_at(disk.changes() + 1 + random.below(12));
            wal = match Wal::open(Arc::new(disk.clone()), config(), FIRST_LSN, end) {
                Ok(wal) => wal,
                Err(_) => {
                    disk = disk.reboot();
                    let (again, end) = read_all(&disk);
                    assert_eq!(again.len(), records.len(), "seed {seed}");
                    Wal::open(Arc::new(disk.clone()), config(), FIRST_LSN, end).unwrap()
                }
            };
        }
    }
}

#[test]
fn a_record_is_found_by_its_lsn_backwards() {
    let disk = SimDisk::new(1);
    let wal = Wal::create(Arc::new(disk.clone()), config()).unwrap();
    let lsns: Vec<_> = (0..200).map(|n| append(&wal, n).unwrap()).collect();
    wal.flush(wal.inserted()).unwrap();
    let mut reader = wal.reader(START);
    for (n, lsn) in lsns.iter().enumerate().rev() {
        check(&reader.record_at(*lsn).unwrap(), n as u64);
    }
    let error = reader.record_at(Lsn(lsns[3].0 + 1)).unwrap_err();
    assert_eq!(error.sqlstate(), SqlState::DATA_CORRUPTED);
}

#[test]
fn a_failed_sync_stops_everything_and_calls_the_hook_once() {
    let disk = SimDisk::new(2);
    let wal = Wal::create(Arc::new(disk.clone()), config()).unwrap();
    let calls = Arc::new(AtomicUsize::new(0));
    let count = calls.clone();
    wal.on_fatal(move |error| {
        assert_eq!(error.fields().severity, Severity::Panic);
        count.fetch_add(1, Ordering::SeqCst);
    });
    let before = append(&wal, 1).unwrap();
    wal.flush(before).unwrap();
    disk.inject(Fault { kind: FaultKind::Sync, after: 0, path: "pg_wal".to_owned() });
    let lsn = append(&wal, 2).unwrap();
    for _ in 0..2 {
        let error = wal.flush(lsn).unwrap_err();
        assert_eq!(error.fields().severity, Severity::Panic);
        assert_eq!(wal.flushed(), before);
    }
    assert!(append(&wal, 3).is_err(), "a broken log takes no records");
    assert_eq!(calls.load(Ordering::SeqCst), 1);
}

/// Storage rule 14.
#[test]
fn a_full_disk_stops_writers_before_rollbacks() {
    let disk = SimDisk::new(3);
    let wal = Wal::create(Arc::new(disk.clone()), config()).unwrap();
    disk.set_capacity(Some(5 * (64 << 10)));
    wal.reserve_undo(40 << 10);
    let mut n = 0;
    let error = loop {
        match append(&wal, n) {
            Ok(_) => n += 1,
            Err(error) => break error,
        }
    };
    assert_eq!(error.sqlstate(), SqlState::DISK_FULL);
    assert!(n > 100, "most of the space is for writers");
    let mut undone = 0;
    while undone < 40 << 10 {
        let mut record = record(n);
        let room = wal.ensure_room_for(record.size(), Purpose::Undo).unwrap();
        let before = wal.inserted();
        undone += (wal.append(room, &mut record).0 - before.0) as usize;
        n += 1;
    }
    wal.flush(wal.inserted()).unwrap();
    disk.set_capacity(None);
    wal.release_undo(40 << 10);
    append(&wal, n).unwrap();
    wal.flush(wal.inserted()).unwrap();
    assert_eq!(read_all(&disk).0.len() as u64, n + 1);
}

#[test]
fn damage_in_the_middle_ends_the_log_there() {
    let disk = SimDisk::new(4);
    let wal = Wal::create(Arc::new(disk.clone()), config()).unwrap();
    let lsns: Vec<_> = (0..50).map(|n| append(&wal, n).unwrap()).collect();
    wal.flush(wal.inserted()).unwrap();
    let path = format!("pg_wal/{}", segment_name(1, START.0 / (64 << 10), 64 << 10));
    disk.flip_bit(&path, lsns[9].0 % (64 << 10) + 30, 3).unwrap();
    let (records, end) = read_all(&disk);
    assert_eq!(records.len(), 10);
    assert_eq!(end, (lsns[9], lsns[9]));
}

/// Storage rule 15.
#[test]
fn segments_are_recycled_except_those_kept_and_old_records_do_not_reappear() {
    let disk = SimDisk::new(5);
    let wal = Wal::create(Arc::new(disk.clone()), config()).unwrap();
    let lsns: Vec<_> = (0..600).map(|n| append(&wal, n).unwrap()).collect();
    wal.flush(wal.inserted()).unwrap();
    let kept = lsns[20];
    let redo = lsns[500];
    let before = disk.list("pg_wal").unwrap().len();
    let (removed, recycled) = wal
        .remove_before(redo, &BTreeSet::from([kept.0 / (64 << 10), (kept.0 - 4000) / (64 << 10)]))
        .unwrap();
    assert_eq!(recycled, 2, "as many as are kept ready");
    assert!((removed + recycled) as usize > before / 2);
    check(&wal.reader(START).record_at(kept).unwrap(), 20);
    assert!(wal.reader(START).record_at(lsns[200]).is_err());
    let mut reader = wal.reader(redo);
    for n in 501..600 {
        check(&reader.next_record().unwrap().unwrap(), n);
    }
    assert!(reader.next_record().unwrap().is_none(), "a recycled segment is empty");
    for n in 600..700 {
        append(&wal, n).unwrap();
    }
    wal.flush(wal.inserted()).unwrap();
    let mut reader = wal.reader(redo);
    for n in 501..700 {
        check(&reader.next_record().unwrap().unwrap(), n);
    }
    assert!(reader.next_record().unwrap().is_none());
}

#[test]
fn a_switch_ends_the_segment_and_the_log_goes_on_behind_it() {
    let disk = SimDisk::new(6);
    let wal = Wal::create(Arc::new(disk.clone()), config()).unwrap();
    for n in 0..5 {
        append(&wal, n).unwrap();
        wal.switch_segment().unwrap();
    }
    assert_eq!(wal.switch_segment().unwrap(), wal.inserted(), "nothing to end");
    assert_eq!(wal.inserted().0, START.0 + 5 * (64 << 10));
    append(&wal, 5).unwrap();
    wal.flush(wal.inserted()).unwrap();
    let (records, _) = read_all(&disk);
    let numbers: Vec<_> =
        records.iter().filter(|r| r.kind.manager != rm::LOG).map(|r| r.xid.0 - 10).collect();
    assert_eq!(numbers, [0, 1, 2, 3, 4, 5]);
}

#[test]
fn many_threads_insert_through_a_small_ring_and_share_flushes() {
    let disk = SimDisk::new(7);
    let wal = Wal::create(Arc::new(disk.clone()), config()).unwrap();
    let flusher = wal.start_flusher(Duration::from_millis(50)).unwrap();
    thread::scope(|scope| {
        for writer in 0..8 {
            let wal = &wal;
            scope.spawn(move || {
                for n in 0..200 {
                    let lsn = append(wal, writer * 1000 + n).unwrap();
                    if n % 3 == 0 {
                        wal.flush(lsn).unwrap();
                        assert!(wal.flushed() >= lsn);
                    }
                }
            });
        }
    });
    drop(flusher);
    assert_eq!(wal.flushed(), wal.inserted(), "the flusher leaves nothing behind");
    let (records, _) = read_all(&disk);
    assert_eq!(records.len(), 1600);
    for record in &records {
        check(record, record.xid.0 - 10);
    }
}

#[test]
fn an_asynchronous_commit_is_flushed_soon() {
    let wal = Wal::create(Arc::new(SimDisk::new(8)), config()).unwrap();
    let _flusher = wal.start_flusher(Duration::from_millis(5)).unwrap();
    let lsn = append(&wal, 1).unwrap();
    for _ in 0..2000 {
        if wal.flushed() >= lsn {
            return;
        }
        thread::sleep(Duration::from_millis(1));
    }
    panic!("never flushed");
}

/// Storage rule 17.
#[test]
fn damaged_bytes_never_decode() {
    let mut record = record(3);
    let size = record.size();
    let (header, body) = record.encode(1);
    let mut bytes = header.bytes(Lsn(5)).to_vec();
    bytes.extend_from_slice(body);
    bytes.extend_from_slice(&header.length.to_le_bytes());
    assert!(bytes.len() <= size);
    assert!(Record::decode(bytes.clone(), Lsn(5)).is_some());
    for at in 0..bytes.len() {
        let mut damaged = bytes.clone();
        damaged[at] ^= 1 << (at % 8);
        assert!(Record::decode(damaged, Lsn(5)).is_none(), "bit flipped in byte {at}");
        assert!(Record::decode(bytes[..at].to_vec(), Lsn(5)).is_none());
    }
}

#[test]
fn segment_names_are_postgresqls() {
    assert_eq!(segment_name(1, 1, 16 << 20), "000000010000000000000001");
    assert_eq!(segment_name(3, 0x1234, 16 << 20), "000000030000001200000034");
}
