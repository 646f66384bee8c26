-- Volatile functions among the targets are called in the order of the result, and for no row that
-- the result has not.
create table t as select b from generate_series(1, 5) b;
create sequence sq;
select b, nextval('sq') from t order by b desc;
select b, nextval('sq') from t order by b desc limit 2;
select nextval('sq');
select b, nextval('sq') from t order by b desc offset 1 limit 1;
select nextval('sq');
select distinct on (b % 2) b, nextval('sq') from t order by b % 2, b desc;
select b, nextval('sq'), b + nextval('sq') from t order by 3 desc;
select sum(b), nextval('sq') from t group by b % 2 order by 1 desc;
select b, row_number() over (order by b), nextval('sq') from t order by b desc;
select b, (select nextval('sq') + b) from t order by b desc;
select b, nextval('sq') + (select count(*) from t) from t order by b desc;
select b, nextval('sq') from t order by b desc limit 2 for update;
select nextval('sq');
select b from t order by b desc, nextval('sq');
select nextval('sq'), b from t order by b desc fetch first 2 rows with ties;
create table i as select b, nextval('sq') n from t order by b desc;
insert into i select b, nextval('sq') from t order by b desc limit 3;
select * from i order by n;
-- Equal expressions have one value if rows are ordered by it.
select bool_and(x = y), count(distinct x) from (select random() x, random() y from t order by x offset 0) q;
select bool_and(x = y) from (select random() x, random() y from t offset 0) q;
select bool_and(x = y) from (select random() x, random() y from t order by b offset 0) q;
-- Sets come after the order, too, unless rows are ordered by one; LIMIT counts their rows.
select b, generate_series(1, b) from t order by b desc limit 7;
select b, generate_series(1, 2) g from t order by b desc, g limit 3;
select nextval('sq') n, generate_series(1, 3) g;
select b, generate_series(2, b) g, nextval('sq') > 0 from t order by b limit 3;
-- Advisory locks of the rows of the result alone.
begin;
select pg_advisory_xact_lock(b), b from t order by b desc limit 1;
select count(*) from pg_locks where locktype = 'advisory' and pid = pg_backend_pid();
rollback;
-- With LIMIT, so do subqueries, which cost much.
select b, (select count(*) / (b - 1) from t) from t order by b desc limit 3;
drop table t, i;
drop sequence sq;
