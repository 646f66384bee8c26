-- READ COMMITTED: each statement sees what was committed before it began, and its own changes.
-- session a
create table t (k int primary key, v int);
insert into t values (1, 10), (2, 20);
begin;
-- session b
begin;
-- session a
update t set v = 11 where k = 1;
insert into t values (3, 30);
delete from t where k = 2;
-- session b
select * from t order by k;
-- session a
select * from t order by k;
commit;
-- session b
select * from t order by k;
update t set v = v + 1;
select * from t order by k;
-- session a
select * from t order by k;
-- session b
rollback;
-- session a
select * from t order by k;
-- session b
select * from nosuch;
select 1 / 0;
