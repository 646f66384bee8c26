-- Nothing of an open or rolled back transaction is seen by others: rows, tables, indexes, keys.
-- session a
create table t (k int primary key, v text);
begin;
insert into t select g, 'v' || g from generate_series(1, 100) g;
create table made (x int);
create index t_v on t (v);
-- session b
select count(*) from pg_class where relname in ('made', 't_v');
-- session a
rollback;
-- session b
select count(*) from t;
select * from made;
insert into t values (1, 'mine');
-- session a
begin;
update t set k = 2, v = 'theirs' where k = 1;
-- session b
select * from t;
select * from t where k = 1;
select * from t where k = 2;
-- session a
savepoint s;
delete from t;
-- session b
select count(*) from t;
-- session a
rollback to s;
commit;
-- session b
select * from t where k = 1;
select * from t where k = 2;
-- session a
begin;
insert into t values (3, 'x');
select 1 / 0;
-- session b
select count(*) from t;
-- session a
commit;
-- session b
select count(*) from t;
