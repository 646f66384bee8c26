-- REPEATABLE READ: the snapshot is taken by the first statement, not by BEGIN or SET.
-- session a
create table t (v int);
begin isolation level repeatable read;
-- session b
insert into t values (1);
-- session a
select * from t;
commit;
begin;
set transaction isolation level repeatable read;
set local work_mem = '1MB';
show work_mem;
-- session b
insert into t values (2);
-- session a
savepoint s;
-- session b
insert into t values (3);
-- session a
select v from t order by v;
-- session b
insert into t values (4);
-- session a
rollback to s;
select v from t order by v;
commit and chain;
show transaction_isolation;
-- session b
insert into t values (5);
-- session a
select v from t order by v;
set transaction isolation level read committed;
rollback;
