-- What cannot spill stays exact beyond work_mem: large aggregate states, keys of recursion, DISTINCT in groups.
set work_mem = '64kB';
create table l as select g as a, g % 2 as k, md5(g::text) as t from generate_series(1, 30000) g;
select k, count(*), cardinality(array_agg(t)), length(string_agg(t, ',' order by a)), md5(string_agg(t, '' order by a))
  from l group by k order by k;
select cardinality(array_agg(a order by a desc)), (array_agg(a order by a desc))[1:3] from l;
select length(jsonb_agg(t)::text), length(json_object_agg(a, t)::text) > 1000000 from l;
select k, count(distinct t), count(distinct a % 100) from l group by k order by k;
select percentile_disc(0.5) within group (order by a), mode() within group (order by a % 7) from l;
with recursive r(a, t) as (select 1, md5('1') union select a + 1, md5((a + 1)::text) from r where a < 20000)
  select count(*), max(a), md5(string_agg(t, '' order by a)) from r;
with recursive r(a) as (values (1) union select (a * 31 + i) % 5003 from r, generate_series(1, 3) i)
  select count(*), sum(a) from r;
drop table l;
