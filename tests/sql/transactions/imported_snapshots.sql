-- A transaction that imports a snapshot sees what its exporter sees, whatever has happened since, and keeps it.
-- session s
create table t (a int primary key, b int);
insert into t select i, 0 from generate_series(1, 5) i;
-- session one
begin isolation level repeatable read;
insert into t values (100, 1);
-- The name goes to the others by a place that everybody sees.
select set_config('application_name', 'export ' || pg_export_snapshot(), false) ~ '^export [0-9A-F-]+$' as exported;
-- session s
insert into t values (6, 0);
update t set b = 7 where a = 1;
delete from t where a = 2;
-- session two
select substr(application_name, 8) as name from pg_stat_activity where application_name like 'export %' \gset
begin isolation level repeatable read;
set transaction snapshot :'name';
-- Neither what came later nor what the exporter itself has written.
select * from t order by a;
-- session one
select * from t order by a;
commit;
-- session two
select * from t order by a;
-- What has changed since cannot be changed here.
savepoint a;
update t set b = 8 where a = 1;
rollback to a;
update t set b = 8 where a = 3;
commit;
select * from t order by a;
-- The exporter has ended: nobody gets its snapshot any more, and the name says which.
begin isolation level repeatable read;
\set VERBOSITY sqlstate
set transaction snapshot :'name';
rollback;
\set VERBOSITY default
-- Serializable transactions too, of which a reader may import from a writer.
-- session one
begin isolation level serializable;
select count(*) from t;
select set_config('application_name', 'export ' || pg_export_snapshot(), false) ~ '^export [0-9A-F-]+$' as exported;
-- session s
insert into t values (7, 0);
-- session two
select substr(application_name, 8) as name from pg_stat_activity where application_name like 'export %' \gset
begin isolation level serializable read only;
set transaction snapshot :'name';
select count(*) from t;
commit;
-- session three
select substr(application_name, 8) as name from pg_stat_activity where application_name like 'export %' \gset
begin isolation level serializable;
set transaction snapshot :'name';
select count(*) from t;
insert into t values (8, 0);
-- session one
insert into t values (9, 0);
commit;
-- session three
commit;
-- Who imports is beside those who have committed since the snapshot was taken, also when the exporter has ended.
-- session one
begin isolation level serializable;
select b from t where a = 3;
select set_config('application_name', 'export ' || pg_export_snapshot(), false) ~ '^export [0-9A-F-]+$' as exported;
-- session four
begin isolation level serializable;
select b from t where a = 4;
update t set b = b + 1 where a = 5;
commit;
-- session three
select substr(application_name, 8) as name from pg_stat_activity where application_name like 'export %' \gset
begin isolation level serializable;
set transaction snapshot :'name';
-- session one
commit;
-- session three
\set VERBOSITY sqlstate
select b from t where a = 5;
update t set b = b + 1 where a = 4;
commit;
select a, b from t where a in (4, 5) order by a;
\set VERBOSITY default
-- session two
-- A repeatable read may import from it as well, but not the other way round.
select count(*) from t;
-- session one
begin isolation level repeatable read;
select set_config('application_name', 'export ' || pg_export_snapshot(), false) ~ '^export [0-9A-F-]+$' as exported;
-- session two
select substr(application_name, 8) as name from pg_stat_activity where application_name like 'export %' \gset
begin isolation level serializable;
\set VERBOSITY terse
set transaction snapshot :'name';
rollback;
