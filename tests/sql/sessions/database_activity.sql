-- pg_stat_database counts what happens in the database
-- session a
create table counted (a int primary key, b int);
insert into counted values (1, 1), (2, 2);
select pg_stat_force_next_flush();
create table before as select * from pg_stat_database where datname = current_database();
select pg_stat_force_next_flush();
begin;
insert into counted select g, g from generate_series(3, 10) g;
update counted set b = b + 1 where a > 4;
delete from counted where a = 5;
commit;
begin;
update counted set b = 0;
rollback;
select 1 / 0;
select pg_stat_force_next_flush();
select d.xact_commit - b.xact_commit > 3 as commits, d.xact_rollback - b.xact_rollback as rollbacks,
       d.tup_inserted - b.tup_inserted >= 8 as inserted, d.tup_updated - b.tup_updated >= 6 as updated,
       d.tup_deleted - b.tup_deleted >= 1 as deleted, d.deadlocks - b.deadlocks as deadlocks,
       d.sessions >= 1 as sessions, d.numbackends >= 1 as backends
from pg_stat_database d join before b using (datid);
-- Two sessions that wait for each other
\set VERBOSITY sqlstate
set deadlock_timeout = '100ms';
-- session b
set deadlock_timeout = '30s';
begin;
-- session a
begin;
update counted set b = 11 where a = 1;
-- session b
update counted set b = 21 where a = 2;
-- session b waits
update counted set b = 12 where a = 1;
-- session a
update counted set b = 22 where a = 2;
rollback;
-- session b
commit;
-- session a
select pg_stat_force_next_flush();
select d.deadlocks - b.deadlocks as deadlocks, d.xact_rollback - b.xact_rollback as rollbacks
from pg_stat_database d join before b using (datid);
