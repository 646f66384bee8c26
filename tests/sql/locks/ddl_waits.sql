-- Definitions wait for transactions that use the table, and the other way round.
-- session a
create table t (a int);
insert into t values (1);
begin;
select * from t;
-- session b waits
alter table t add column b int default 5;
-- session a
select * from t;
commit;
select * from t;
begin;
insert into t values (2, 2);
-- session b waits
create index ti on t (a);
-- session a
commit;
begin;
drop table t;
-- session b waits
select * from t;
-- session a
rollback;
begin;
alter table t rename column a to aa;
-- session b waits
select a from t;
-- session a
commit;
begin;
truncate t;
-- session b waits
insert into t values (3, 3);
-- session a
commit;
-- session b
select * from t order by aa;
-- session a
begin;
create table other (x int);
-- session b
select * from other;
-- session a
commit;
-- session b
select * from other;
-- session a
drop table t;
-- session b
select * from t;
