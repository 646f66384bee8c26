-- Waits for the locks of a cached plan end as other waits do.
-- session s
create table t (id int primary key, v int);
create table f (a int references t, b int);
insert into t select i, i from generate_series(1, 9) i;
-- session b
insert into f values (1);
insert into f values (2);
prepare counts as select count(*) from t;
execute counts;
execute counts;
-- session a
begin;
lock table t;
-- session b
set statement_timeout = '100ms';
execute counts;
insert into f values (3);
set statement_timeout = 0;
set lock_timeout = '100ms';
execute counts;
insert into f values (3);
set lock_timeout = 0;
begin;
lock table f;
-- session b waits
execute counts;
-- session a
select pg_cancel_backend(pid) from pg_stat_activity where query = 'execute counts;' and pid <> pg_backend_pid();
-- session b
rollback;
-- session a
rollback;
-- session b
execute counts;
insert into f values (4);
-- session s
drop table f, t;
