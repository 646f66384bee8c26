-- Snapshots as values, and what transactions say of themselves.
select '12:13:'::pg_snapshot, '12:18:14,16'::pg_snapshot, '12:16:14,14'::pg_snapshot, '1:1:'::txid_snapshot;
select '12:16:14,'::pg_snapshot;
select '31:12:'::pg_snapshot;
select '0:1:'::pg_snapshot;
select '12:13:0'::pg_snapshot;
select '12:16:14,13'::pg_snapshot;
select '12:16:x'::pg_snapshot;
select '12'::txid_snapshot;
select pg_snapshot_xmin(s), pg_snapshot_xmax(s), array(select pg_snapshot_xip(s)) from (values ('12:20:13,15,18'::pg_snapshot), ('9223372036854775809:18446744073709551615:'), ('100:1001:100,500')) v (s);
select id, pg_visible_in_snapshot(id::text::xid8, '12:20:13,15,18') from generate_series(11, 21) id;
select id, txid_visible_in_snapshot(id, '12:20:13,15,18') from generate_series(11, 21, 3) id;
select txid_snapshot_xmin('5:9:7'), txid_snapshot_xmax('5:9:7'), array(select txid_snapshot_xip('5:9:7'));
create table snaps (nr int, snap pg_snapshot);
insert into snaps values (1, '12:13:'), (2, '12:20:13,15,18'), (3, null);
select * from snaps order by nr;
select nr, pg_snapshot_xmin(snap), pg_snapshot_xmax(snap) from snaps order by nr;
select array_agg(snap order by nr) from snaps;
select pg_snapshot_xmax(pg_current_snapshot()) >= pg_snapshot_xmin(pg_current_snapshot());
begin;
select pg_current_xact_id_if_assigned() is null;
select pg_current_xact_id() >= pg_snapshot_xmin(pg_current_snapshot());
select pg_visible_in_snapshot(pg_current_xact_id(), pg_current_snapshot());
select pg_xact_status(pg_current_xact_id());
select txid_current() = txid_current_if_assigned(), txid_current() = pg_current_xact_id()::text::bigint;
select age(pg_current_xact_id()::xid);
commit;
begin;
select pg_current_xact_id() as committed \gset
commit;
begin;
select pg_current_xact_id() as rolledback \gset
rollback;
begin;
select pg_current_xact_id() as inprogress \gset
select pg_xact_status(:committed::text::xid8), pg_xact_status(:rolledback::text::xid8), pg_xact_status(:inprogress::text::xid8), txid_status(:committed);
select pg_xact_status('1'::xid8), pg_xact_status('2'::xid8), pg_xact_status('0'::xid8);
select age(:'committed'::xid8::xid) > 0, age('2'::xid), age('1'::xid), age('0'::xid);
commit;
