-- lock_timeout ends a wait for a lock with 55P03, statement_timeout with 57014.
-- session a
create table t (k int primary key, v int);
insert into t values (1, 10);
-- session b
set lock_timeout = '50ms';
-- session c
set statement_timeout = '50ms';
-- session a
begin;
update t set v = 11 where k = 1;
-- session b
update t set v = 12 where k = 1;
-- session c
update t set v = 13 where k = 1;
-- session b
select * from t for share;
-- session c
select * from t for share;
-- session b
begin;
lock table t in share mode;
rollback;
-- session c
select pg_sleep(5);
-- session b
select count(*) from t;
-- session c
alter table t add column z int;
-- session a
commit;
-- session b
update t set v = 12 where k = 1 returning *;
-- session c
update t set v = 13 where k = 1 returning *;
-- session b
set lock_timeout = '-5ms';
-- session c
\set VERBOSITY sqlstate
select pg_sleep(5);
