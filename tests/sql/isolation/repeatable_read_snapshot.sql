-- REPEATABLE READ: all statements see what was committed before the first of them.
-- session a
create table t (k int primary key, v int);
insert into t values (1, 10);
begin isolation level repeatable read;
-- session b
insert into t values (2, 20);
-- session a
select * from t order by k;
-- session b
insert into t values (3, 30);
update t set v = 11 where k = 1;
delete from t where k = 2;
-- session a
select * from t order by k;
select count(*), sum(v) from t;
insert into t values (4, 40);
select * from t order by k;
-- session b
select * from t order by k;
-- session a
commit;
select * from t order by k;
begin transaction isolation level repeatable read, read only;
select count(*) from t;
-- session b
delete from t;
select count(*) from t;
-- session a
insert into t values (9, 9);
rollback;
select count(*) from t;
