-- The set of a hashed subquery that outgrows work_mem goes to a file, and NULLs count as always.
set work_mem = '64kB';
create table big as select g as a, md5(g::text) as t, nullif(g % 1000, 0) as n from generate_series(1, 30000) g;
create table few (a int, t text);
insert into few select g * 1000, md5((g * 1000)::text) from generate_series(1, 40) g;
insert into few values (null, 'x'), (7, null), (null, null);
select count(*) from few where a in (select a from big where a > 0 offset 0);
select count(*) from few where a not in (select a from big where a > 0 offset 0);
select count(*) from few where t not in (select t from big where a > 0 offset 0);
select count(*) from few where a not in (select n from big where a > 0 offset 0);
select a, t, (a, t) in (select a, t from big offset 0) as found from few where a is null or t is null or a > 29000
  order by a, t;
select count(*) from few where (a, t) not in (select a, t from big offset 0);
select count(*) from few where (a, t) not in (select n, t from big offset 0);
select count(*), count(*) filter (where i) from
  (select a in (select b.a * 2 from big b offset 0) i from big where a <= 500) x;
select count(*) from big where a <= 500 and t in (select md5((g * 3)::text) from generate_series(1, 20000) g offset 0);
select count(*) from few where a > all (select n from big where n is not null offset 0);
select count(*) from few where a = any (select n from big where a < 5 offset 0) is null;
select count(*) from few where a in (select a from big where false offset 0);
select count(*) from few where a not in (select a from big where false offset 0);
prepare p(int) as select count(*) from few where a in (select a from big where a > $1 offset 0);
execute p(0);
execute p(15000);
select f.a, (select count(*) from few g where g.a in (select b.a from big b where b.a >= f.a offset 0))
  from few f where f.a in (1000, 20000) order by 1;
drop table big, few;
