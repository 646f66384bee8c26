-- An UPDATE or DELETE of many rows that has to wait for one has changed none of those after it.
-- session a
create table t (k int primary key, v int);
insert into t select i, 0 from generate_series(1, 400) i;
begin;
update t set v = 1 where k = 5;
-- session b waits
update t set v = v + 10;
-- session a
update t set v = v + 1 where k = 6;
delete from t where k = 300;
select sum(v), count(*) from t;
commit;
-- session b
select k, v from t where v <> 10 order by k;
select count(*), sum(v) from t;
-- session a
begin;
update t set v = 0 where k in (7, 200);
-- session b waits
delete from t where v > 0;
-- session a
update t set v = 3 where k = 399;
commit;
-- session b
select k, v from t order by k;
-- session a
delete from t;
insert into t select i, 0 from generate_series(1, 400) i;
begin;
delete from t where k = 10;
-- session b
begin isolation level repeatable read;
select count(*) from t;
-- session b waits
update t set v = 1;
-- session a
update t set v = 4 where k = 11;
commit;
-- session b
rollback;
select sum(v), count(*) from t;
