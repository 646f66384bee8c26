-- Aggregates over many groups and many rows.
create table t as select i, i % 1000 as g, (i * 7919) % 10007 as h, repeat('x', i % 5) as s from generate_series(1, 20000) i;
select count(*), sum(i), avg(h)::numeric(10,4), min(s), max(s) from t;
select count(*) from (select g, count(*) from t group by g) x;
select g, count(*), sum(h) from t group by g order by sum(h) desc, g limit 5;
select count(distinct h), count(distinct s) from t;
select s, count(*), sum(g) from t group by s order by s;
select g % 10 as d, max(i) from t group by d having max(i) % 2 = 0 order by d;
select sum(c) from (select count(*) as c from t group by g, s) x;
select g, array_length(array_agg(i), 1) from t where g < 3 group by g order by g;
select count(*) from t a join t b on a.i = b.i + 1;
select sum(a.h - b.h) from t a join t b on a.g = b.g and b.i <= 1000 where a.i > 19000;
select * from t order by h desc, i limit 3;
select i from t order by s desc, h, i offset 5000 limit 3;
select count(*) from (select distinct g, s from t) x;
select count(*) from (select h from t except select g from t) x;
select i from t where h = (select max(h) from t) order by i;
select percentile_disc(0.5) within group (order by h) from t;
