-- pg_stat_activity shows a transaction's id once it has written, and the xmin of its snapshot while it has one.
-- session a
create table z (a int);
set application_name = 'shown';
select backend_xid is null as no_id, backend_xmin is not null as xmin from pg_stat_activity where pid = pg_backend_pid();
begin;
insert into z values (1);
select backend_xid = pg_current_xact_id()::xid as own_id, backend_xmin is not null as xmin from pg_stat_activity where pid = pg_backend_pid();
-- session b
select state, backend_xid is not null as id, backend_xmin is not null as xmin from pg_stat_activity where application_name = 'shown';
-- session a
savepoint s;
select 1 / 0;
-- session b
select state, backend_xid is not null as id, backend_xmin is not null as xmin from pg_stat_activity where application_name = 'shown';
-- session a
rollback;
begin isolation level repeatable read;
-- session b
select state, backend_xid is not null as id, backend_xmin is not null as xmin from pg_stat_activity where application_name = 'shown';
-- session a
select count(*) from z;
-- session b
select state, backend_xid is not null as id, backend_xmin is not null as xmin from pg_stat_activity where application_name = 'shown';
-- session a
commit;
-- session b
select state, backend_xid is not null as id, backend_xmin is not null as xmin from pg_stat_activity where application_name = 'shown';
-- What a snapshot holds back: what has begun since cannot be seen, and the xmin does not move.
-- session a
begin isolation level repeatable read;
select count(*) from z;
-- session b
insert into z values (2);
insert into z values (3);
select backend_xmin::text::numeric < pg_snapshot_xmax(pg_current_snapshot())::text::numeric as behind from pg_stat_activity where application_name = 'shown';
-- session a
select count(*) from z;
-- session b
select backend_xmin::text::numeric < pg_snapshot_xmax(pg_current_snapshot())::text::numeric as behind from pg_stat_activity where application_name = 'shown';
-- session a
commit;
