-- WITH: names, nesting, materialisation, use more than once.
with a as (select 1 as x) select * from a;
with a as (select 1 as x), b as (select x + 1 as y from a) select * from a, b;
with a (n, m) as (values (1, 2), (3, 4)) select n + m as s from a order by s;
with a as (select generate_series(1, 3) as i) select x.i, y.i from a x, a y where x.i < y.i order by 1, 2;
with a as materialized (select 5 as v) select v from a;
with a as not materialized (select 5 as v) select v from a;
with a as (select 1) select 2;
with a as (select * from b), b as (select 1) select * from a;
with a as (select 1), a as (select 2) select * from a;
with a as (select 1 as x) select (with b as (select x + 1 as y from a) select y from b);
with a (x, y) as (select 1) select * from a;
select * from (with q as (select 7 as z) select z from q) s;
with a as (select 1 as x union all select 2) select sum(x) from a;
with a as (select 1 as x) select * from a where x in (select x from a);
