-- REPEATABLE READ: a row that another transaction changed cannot be changed any more, 40001.
-- session a
create table t (k int primary key, v int);
insert into t values (1, 10), (2, 20), (3, 30);
begin isolation level repeatable read;
select count(*) from t;
-- session b
update t set v = 11 where k = 1;
-- session a
update t set v = 12 where k = 1;
select 1;
rollback;
begin isolation level repeatable read;
select count(*) from t;
-- session b
begin;
update t set v = v + 1 where k = 2;
-- session a waits
update t set v = v + 1 where k = 2;
-- session b
commit;
-- session a
rollback;
begin isolation level repeatable read;
select count(*) from t;
-- session b
begin;
update t set v = v + 1 where k = 2;
-- session a waits
update t set v = v + 100 where k = 2 returning v;
-- session b
rollback;
-- session a
commit;
begin isolation level repeatable read;
select count(*) from t;
-- session b
delete from t where k = 3;
-- session a
delete from t where k = 3;
rollback;
begin isolation level repeatable read;
select count(*) from t;
-- session b
update t set v = 0 where k = 1;
-- session a
select * from t where k = 1 for update;
rollback;
begin isolation level repeatable read;
select count(*) from t;
-- session b
update t set v = 5 where k = 1;
-- session a
update t set v = 6 where k = 2;
commit;
\set VERBOSITY sqlstate
begin isolation level repeatable read;
select count(*) from t;
-- session b
update t set v = 7 where k = 1;
-- session a
update t set v = 8 where k = 1;
rollback;
-- session b
select * from t order by k;
