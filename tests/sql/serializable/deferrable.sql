-- READ ONLY DEFERRABLE waits only as long as it must, and a snapshot with which nothing can go wrong costs no locks.
-- session s
create table k (a int primary key, b int);
insert into k select i, 0 from generate_series(1, 5) i;
-- Nobody writes: a reader need not be watched, a writer must be.
-- session r
begin isolation level serializable read only;
select count(*) from k;
select count(*) > 0 as watched from pg_locks where mode = 'SIReadLock' and pid = pg_backend_pid();
commit;
-- session r
begin isolation level serializable;
select count(*) from k;
select count(*) > 0 as watched from pg_locks where mode = 'SIReadLock' and pid = pg_backend_pid();
commit;
-- A writer runs: the reader is watched until the writer has ended without harm.
-- session w
begin isolation level serializable;
update k set b = 1 where a = 1;
-- session r
begin isolation level serializable read only;
select sum(b) from k;
select count(*) > 0 as watched from pg_locks where mode = 'SIReadLock' and pid = pg_backend_pid();
-- session w
commit;
-- session r
select sum(b) from k;
select count(*) > 0 as watched from pg_locks where mode = 'SIReadLock' and pid = pg_backend_pid();
commit;
-- Writers of other levels do not count.
-- session w
begin isolation level repeatable read;
update k set b = 2 where a = 1;
-- session r
begin isolation level serializable read only deferrable;
select sum(b) from k;
select count(*) > 0 as watched from pg_locks where mode = 'SIReadLock' and pid = pg_backend_pid();
commit;
-- session w
commit;
-- Neither do those who only read, once that is known.
-- session w
begin isolation level serializable read only;
select sum(b) from k;
-- session r
begin isolation level serializable read only deferrable;
select sum(b) from k;
commit;
-- session w
commit;
-- It waits for a writer, also for one that has not written yet, and whoever asks sees for what.
-- session w
begin isolation level serializable;
select sum(b) from k;
select set_config('application_name', 'writer ' || pg_backend_pid(), false) ~ 'writer' as named;
-- session r
set application_name = 'reader';
begin isolation level serializable read only deferrable;
-- session r waits
select sum(b) from k;
-- session s
select wait_event_type, wait_event, state, backend_xmin is not null as xmin from pg_stat_activity where application_name = 'reader';
select 'writer ' || pg_safe_snapshot_blocking_pids(pid)::text from pg_stat_activity where application_name = 'reader' and 'writer ' || array_to_string(pg_safe_snapshot_blocking_pids(pid), ',') not in (select application_name from pg_stat_activity);
select pg_blocking_pids(pid) from pg_stat_activity where application_name = 'reader';
-- Who begins meanwhile is not waited for.
-- session v
begin isolation level serializable;
update k set b = 3 where a = 2;
-- session w
rollback;
-- session r
select sum(b) from k;
-- session v
commit;
-- session r
select sum(b) from k;
select pg_safe_snapshot_blocking_pids(pg_backend_pid());
commit;
-- An unsafe snapshot is thrown away, and the next one shows what has been committed.
-- session w
begin isolation level serializable;
select b from k where a = 3;
-- session v
begin isolation level serializable;
update k set b = 30 where a = 3;
commit;
-- session r
begin isolation level serializable read only deferrable;
-- session r waits
select a, b from k where a in (3, 4) order by a;
-- session w
update k set b = 40 where a = 4;
commit;
-- session r
commit;
-- The wait can be ended.
-- session w
begin isolation level serializable;
update k set b = 5 where a = 5;
-- session r
begin isolation level serializable read only deferrable;
-- session r waits
select sum(b) from k;
-- session s
select pg_cancel_backend(pid) from pg_stat_activity where application_name = 'reader';
-- session r
rollback;
set statement_timeout = '100ms';
begin isolation level serializable read only deferrable;
select sum(b) from k;
rollback;
reset statement_timeout;
-- Without READ ONLY, or at another level, DEFERRABLE says nothing.
begin isolation level serializable deferrable;
select sum(b) from k;
commit;
begin isolation level repeatable read read only deferrable;
select sum(b) from k;
commit;
begin read only deferrable;
select sum(b) from k;
commit;
-- As defaults of a session.
set default_transaction_isolation = serializable;
set default_transaction_read_only = on;
set default_transaction_deferrable = on;
show transaction_deferrable;
-- session r waits
select sum(b) from k;
-- session w
commit;
-- session r
begin;
show transaction_deferrable;
set transaction not deferrable;
show transaction_deferrable;
select sum(b) from k;
set transaction deferrable;
commit;
