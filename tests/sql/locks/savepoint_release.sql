-- Rows locked after a savepoint are free again after ROLLBACK TO.
-- session a
create table t (k int primary key, v int);
insert into t values (1, 10), (2, 20);
begin;
select * from t where k = 1 for update;
savepoint s;
update t set v = 21 where k = 2;
-- session b
select k from t order by k for update skip locked;
-- session a
rollback to s;
-- session b
select k from t order by k for update skip locked;
update t set v = 22 where k = 2 returning *;
-- session a
savepoint s2;
select * from t where k = 2 for share;
release s2;
-- session b waits
update t set v = 23 where k = 2 returning *;
-- session a
commit;
begin;
savepoint s3;
delete from t where k = 1;
-- session b waits
delete from t where k = 1 returning *;
-- session a
rollback to s3;
select k from t order by k;
commit;
