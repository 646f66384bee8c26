-- A prepared statement sees the definitions that another session made meanwhile.
-- session a
create table t (a int, b text);
insert into t values (1, 'x');
-- session b
prepare p as select * from t;
prepare q (int) as select b from t where a = $1;
prepare i (int) as insert into t values ($1) returning *;
execute p;
-- session a
alter table t add column c int default 7;
-- session b
execute p;
execute q (1);
execute i (2);
-- session a
alter table t alter b type varchar(5), alter a type bigint;
-- session b
execute q (1);
execute i (3);
-- session a
alter table t rename to u;
-- session b
execute q (1);
-- session a
create view t as select 9 as a, 'view' as b;
-- session b
execute q (9);
-- session a
drop view t;
alter table u rename to t;
create index on t (a);
-- session b
execute q (2);
-- session a
drop table t;
-- session b
execute q (1);
deallocate all;
