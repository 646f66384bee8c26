-- A recheck evaluates subqueries and functions of the new row, other tables as they were.
-- session a
create table t (k int primary key, v int);
create table lim (n int);
insert into t values (1, 1), (2, 2);
insert into lim values (10);
begin;
update t set v = 20 where k = 1;
-- session b waits
update t set v = v + 100 where v < (select n from lim) returning *;
-- session a
update lim set n = 1000;
commit;
select * from t order by k;
begin;
update t set v = 5 where k = 1;
-- session b waits
select * from t where k = 1 and v in (select generate_series(1, 30)) for update;
-- session a
commit;
begin;
update t set v = 6 where k = 1;
-- session b waits
update t set v = (select count(*) from t x where x.v >= t.v) where k = 1 returning *;
-- session a
commit;
begin;
delete from t where k = 1;
-- session b waits
update t set v = 0 where exists (select 1 from lim) returning *;
-- session a
commit;
select * from t order by k;
