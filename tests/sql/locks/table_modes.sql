-- LOCK TABLE: which modes go together, and what plain statements take.
-- session a
create table t (a int);
insert into t values (1);
lock table t in share mode;
begin;
lock table t in access share mode;
-- session b
begin;
lock table t in exclusive mode nowait;
rollback;
-- session a
commit;
begin;
lock table t in row exclusive mode;
-- session b
select count(*) from t;
insert into t values (2);
begin;
lock table t in share mode nowait;
rollback;
-- session a
commit;
begin;
lock table t in share row exclusive mode;
-- session b
select count(*) from t;
-- session b waits
delete from t where a = 2;
-- session a
commit;
begin;
lock t;
-- session b waits
select count(*) from t;
-- session a
rollback;
begin;
lock table nosuch;
rollback;
begin;
lock table t in nosuch mode;
rollback;
begin;
lock table t in share update exclusive mode;
select mode, granted from pg_locks where relation = 't'::regclass order by 1;
rollback;
