-- READ COMMITTED: a statement that waited for a row looks at its newest version again.
-- session a
create table t (k int primary key, v int, g text);
insert into t values (1, 10, 'x'), (2, 20, 'x'), (3, 30, 'y');
begin;
update t set v = v + 5 where k = 1;
-- session b waits
update t set v = v * 2 where k = 1 returning *;
-- session a
commit;
-- session b
select * from t order by k;
-- session a
begin;
update t set g = 'z' where k = 2;
-- session b waits
update t set v = 0 where g = 'x' returning *;
-- session a
commit;
-- session b
select * from t order by k;
-- session a
begin;
update t set v = 100 where k = 3;
-- session b waits
delete from t where v = 30;
-- session a
commit;
-- session b
select * from t order by k;
-- session a
begin;
delete from t where k = 3;
-- session b waits
update t set v = 1 where k = 3 returning *;
-- session a
commit;
begin;
update t set v = 7 where k = 1;
-- session b waits
update t set v = v + 1 where v = 7 or k = 1 returning *;
-- session a
rollback;
-- session b
select * from t order by k;
