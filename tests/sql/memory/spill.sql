-- Sorts, joins, aggregates and set operations answer the same when they spill
set work_mem = '64kB';
set hash_mem_multiplier = 1;
create table t (a int, b text, c numeric, d date);
insert into t select i * 7919 % 20000, md5(i::text), case when i % 97 = 0 then null else i / 7.0 end,
  date '2020-01-01' + i % 1000 from generate_series(1, 20000) i;
create table u (k int, v text);
insert into u select i % 3000, case when i % 50 = 0 then null else 'v' || i end
  from generate_series(1, 9000) i;
insert into u select null, 'n' || i from generate_series(1, 500) i;
analyze t, u;

-- sorts
select count(*), md5(string_agg(b, ',')) from (select b from t order by b) s;
select md5(string_agg(a || ':' || coalesce(c::text, '-'), ',')) from (select a, c from t order by c nulls first, a desc) s;
select a, b, c, d from t order by d desc, c nulls last, a limit 5 offset 12345;
select b from t order by b desc limit 3;
with o as (select b, row_number() over (order by b) n from t) select * from o where n % 4999 = 0 order by n;
select md5(string_agg(x::text, ',')) from (select (random() < 2), a as x from t order by a, b) s;

-- joins
select count(*), sum(t.a), count(u.v), max(u.v) from t join u on t.a = u.k;
select count(*), sum(t.a), count(u.v), count(u.k) from t left join u on t.a = u.k;
select count(*), sum(t.a), count(u.v), count(u.k) from u left join t on t.a = u.k;
select count(*), sum(t.a), count(u.v), count(u.k), count(*) filter (where t.a is null) from t full join u on t.a = u.k;
select count(*), sum(t.a), count(u.v) from t full join u on t.a = u.k and t.a % 2 = 0 where u.k is null or u.k % 3 = 0;
select count(*), sum(a) from t where exists (select 1 from u where u.k = t.a);
select count(*), sum(a) from t where not exists (select 1 from u where u.k = t.a);
select count(*), sum(a) from t where exists (select 1 from u where u.k = t.a and u.v > t.b);
select count(*), sum(a) from t where not exists (select 1 from u where u.k = t.a and u.v > t.b);
select count(*), count(k) from u where exists (select 1 from t where t.a = u.k and t.b < 'c');
select count(*) from t x join t y on x.b = y.b;
select count(*), md5(string_agg(x.b, ',' order by x.b)) from t x join t y on x.b = y.b and x.a + y.a > 20000;

-- every row with the same key
create table same as select 1 as k, repeat('x', 100) || i as v from generate_series(1, 1000) i;
analyze same;
select count(*), count(distinct x.v), min(y.v), max(x.v) from same x join same y on x.k = y.k where y.v like '%99';
select count(*), sum(length(x.v) + length(y.v)) from same x join same y using (k);
select count(*), count(y.v) from same x left join same y on x.k = y.k and y.v like '%zz';
select count(*), count(y.v), count(x.v) from same x full join same y on x.k = y.k and y.v like '%7' and x.v like '%13';
select count(*) from same x where exists (select 1 from same y where y.k = x.k and y.v < x.v);
select count(*), min(v) from same x where not exists (select 1 from same y where y.k = x.k and y.v < x.v);

-- aggregates
select count(*), sum(n), md5(string_agg(b || n, ',' order by b)) from (select b, count(*) n from t group by b) s;
select count(*), sum(s), sum(m) from (select a % 9000 g, sum(c) s, max(a) m from t group by 1) s;
select a % 5000 g, count(*), avg(c)::numeric(20, 4), min(b) from t group by 1 order by 1 limit 5 offset 3000;
select count(*), sum(n) from (select a % 7000 g, d, grouping(d) e, count(*) n from t group by grouping sets ((1, 2), (1), ())) s;
select count(distinct b), count(distinct a), sum(distinct a), count(distinct d) from t;
select md5(string_agg(distinct b, ',' order by b)) from t;
select g, n, md5(s) from (select a % 3 g, count(distinct b) n, string_agg(b, '-' order by b desc, a) s from t group by 1) q order by g;
select md5(array_agg(a order by b)::text), md5(array_agg(distinct a % 100 order by a % 100)::text) from t;
select percentile_cont(0.5) within group (order by a), percentile_disc(0.25) within group (order by b), mode() within group (order by d) from t;

-- distinct and set operations
select count(*), md5(string_agg(b, ',' order by b)) from (select distinct b, d from t) s;
select count(*), sum(a) from (select distinct on (d) d, a from t order by d, a desc) s;
select d, a, b from (select distinct on (d) d, a, b from t order by d, a desc) s order by d limit 3;
select count(*), sum(a) from (select a from t union select k from u) s;
select count(*), sum(a) from (select a from t intersect select k from u) s;
select count(*), sum(a) from (select a from t except select k from u) s;
select count(*), sum(k) from (select k from u intersect all select a % 2000 from t) s;
select count(*), sum(k) from (select k from u except all select a % 2000 from t) s;
select count(*) from (select b, d from t except select b, d from t where a % 3 = 0) s;

-- rows that are kept
with w as materialized (select a, b from t) select count(*), sum(x.a), max(y.b) from w x, w y where x.a = y.a;
with recursive r(n, s) as (select 1, repeat('a', 10) union all select n + 1, md5(s) from r where n < 3000) select count(*), max(s), sum(n) from r;
with recursive r(n) as (select i from generate_series(1, 5000) i union select n / 2 from r where n > 1) select count(*), sum(n) from r;
select count(*) from (select * from t limit 1000) x, (select * from u limit 3000) y where x.a > y.k + 10000;
select count(*), sum(x.a) from (select a from t where a < 300) x left join (select * from u where k < 9000) y on x.a > y.k + 200;
select sum(s), count(*), max(r) from (select sum(a) over (partition by d order by b) s, rank() over (partition by d order by a) r from t) q;
select sum(s), max(n) from (select sum(a) over (order by b rows between 2 preceding and 2 following) s, ntile(7) over (order by a, b) n from t) q;

begin;
declare c scroll cursor for select a, b from t order by a, b;
fetch 2 from c;
fetch absolute 15000 from c;
fetch backward 2 from c;
fetch last from c;
move absolute 3 in c;
fetch next from c;
commit;
drop table t, u, same;
