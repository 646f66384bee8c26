-- A cursor sees what there was when it was declared, and keeps its tables from then on.
-- session a
create table t (id int primary key, v int);
insert into t values (1, 1), (2, 2);
begin;
declare c cursor for select * from t order by id;
delete from t where id = 1;
update t set v = 20;
insert into t values (3, 3);
fetch 5 from c;
rollback;
begin;
declare c cursor for select * from t order by id;
savepoint s;
truncate t;
rollback to s;
create index on t (v);
rollback to s;
close c;
truncate t;
rollback;
begin;
declare c cursor for select * from t order by id;
-- session b
insert into t values (4, 4);
delete from t where id = 2;
-- session a
select * from t order by id;
fetch all from c;
rollback;
-- WITH HOLD keeps the rows of its declaration.
begin;
declare c cursor with hold for select * from t order by id;
update t set v = v + 100;
commit;
fetch all from c;
close c;
declare d cursor with hold for select count(*) from t;
insert into t values (5, 5);
fetch all from d;
close d;
-- A savepoint that is rolled back takes its cursors along; others go on.
begin;
declare c cursor for select id from t order by id;
savepoint s;
insert into t values (6, 6);
declare e cursor for select id from t order by id;
fetch 1 from c;
rollback to s;
fetch all from c;
fetch 1 from e;
rollback;
-- What fails as the query begins fails DECLARE.
begin;
declare c cursor for select 1 / (id - id) from t;
fetch 1 from c;
rollback;
drop table t;
