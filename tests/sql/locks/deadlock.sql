-- Two transactions that wait for each other: one gets 40P01, the other goes on.
-- session a
create table t (k int primary key, v int);
insert into t values (1, 10), (2, 20);
\set VERBOSITY sqlstate
set deadlock_timeout = '100ms';
-- session b
set deadlock_timeout = '30s';
-- session a
begin;
-- session b
begin;
-- session a
update t set v = 11 where k = 1;
-- session b
update t set v = 21 where k = 2;
-- session b waits
update t set v = 12 where k = 1;
-- session a
update t set v = 22 where k = 2;
select 1;
rollback;
-- session b
commit;
-- session a
select * from t order by k;
begin;
-- session b
begin;
-- session a
lock table t in share mode;
-- session b
lock table t in share mode;
-- session b waits
update t set v = 0 where k = 1;
-- session a
update t set v = 0 where k = 2;
rollback;
-- session b
commit;
-- session a
select * from t order by k;
