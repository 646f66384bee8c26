-- aggregates that keep every row answer alike when their rows do not fit
set work_mem = '64kB';
set hash_mem_multiplier = 1;
set enable_sort = off;
create table facts as
  select i as a, i % 3000 as k, 'v' || i as t from generate_series(1, 90000) i;
insert into facts select i, 7, 'w' || i from generate_series(1, 20000) i;
insert into facts select i, 3000 + i / 10, 'z' || i from generate_series(1, 20000) i;
select count(*), sum(cardinality(l)), sum((select sum(x * x::int8) from unnest(l) x))
  from (select k, array_agg(a) as l from facts group by k) s;
select count(*), sum(length(s)), sum(array_length(string_to_array(s, ','), 1))
  from (select k, string_agg(t, ',') as s from facts group by k) s;
select k, cardinality(l), (select md5(string_agg(x, ',' order by x)) from unnest(l) x)
  from (select k, array_agg(t) as l from facts group by k offset 0) s
  where k in (0, 7, 2999, 3001, 5000) order by k;
select k, cardinality(l), md5(l::text), md5(d::text), n
  from (select k, array_agg(a order by a desc) as l, array_agg(distinct a % 100) as d,
          count(*) filter (where a > 1000) as n
        from facts group by k offset 0) s
  where k in (0, 7, 2999, 3001, 5000) order by k;
select k, m, p, md5(j::text)
  from (select k, max(t collate "C") as m, percentile_disc(0.5) within group (order by a) as p,
          jsonb_agg(a order by a) filter (where a % 2 = 0) as j
        from facts group by k offset 0) s
  where k in (0, 7, 2999, 3001, 5000) order by k;
select g, count(*), sum(c), sum(f)
  from (select grouping(k, b) as g, cardinality(array_agg(a)) as c, length(string_agg(a::text, '')) as f
        from (select k, a % 7000 as b, a from facts) s
        group by grouping sets ((k), (b), ()))  s
  group by g order by g;
-- a group that came late
select count(*), sum(cardinality(l))
  from (select a / 3 as k, array_agg(t) as l from facts where k < 3000 group by 1) s;
-- asked again for each row
select x, (select sum(cardinality(l)) from (select k % x as k, array_agg(t) as l from facts group by 1) s)
  from (values (2000), (5), (3000)) v(x);
reset work_mem;
reset hash_mem_multiplier;
reset enable_sort;
drop table facts;
