-- NOWAIT raises 55P03 where it would wait, for rows and for tables.
-- session a
create table t (k int primary key, v int);
insert into t values (1, 10), (2, 20);
begin;
update t set v = 11 where k = 1;
-- session b
select * from t where k = 1 for update nowait;
select * from t where k = 2 for update nowait;
select * from t order by k for share nowait;
select * from t where k = 1 for key share nowait;
lock table t in share mode nowait;
lock table t in row exclusive mode nowait;
begin;
lock table t in row exclusive mode nowait;
savepoint s;
lock table t in exclusive mode nowait;
rollback to s;
select * from t where k = 2 for update nowait;
-- session a
select * from t where k = 2 for update nowait;
rollback;
-- session b
commit;
\set VERBOSITY sqlstate
-- session a
begin;
lock table t;
-- session b
lock table t nowait;
-- session a
commit;
-- session b
select * from t order by k for update nowait;
