-- Window partitions larger than work_mem go to a file, and every frame finds its rows there.
set work_mem = '64kB';
create table w as select g as a, g % 3 as p, (g * 7919) % 10007 as o, repeat(chr(97 + g % 26), g % 40) as t
  from generate_series(1, 20000) g;
select count(*), sum(n), max(n), min(rank) from
  (select row_number() over (partition by p order by o, a) n, rank() over (order by p) rank from w) x;
select a, p, lag(a) over v, lead(t, 2, 'none') over v, first_value(a) over v, last_value(t) over v,
  nth_value(a, 3) over v from w window v as (partition by p order by o, a) order by p, o, a limit 7;
select sum(l), count(l), count(n), sum(length(n)) from
  (select lag(a, 5000, -1) over (order by o, a) l, lead(t, 3) over (order by o, a) n from w) x;
select sum(s), sum(c) from (select sum(a) over (partition by p) s, count(*) over () c from w) x;
select sum(s) from (select sum(a) over (order by o, a rows between 3 preceding and 4 following) s from w) x;
select sum(s) from (select count(*) over (order by o range between 5 preceding and 5 following) s from w) x;
select sum(s) from (select count(*) over (order by o / 100 groups between 1 preceding and current row) s from w) x;
select sum(s) from (select sum(a) over (order by o, a rows between 2 preceding and 2 following exclude current row) s
  from w) x;
select sum(n), max(n), sum(round(c::numeric, 4)) from
  (select ntile(7) over (order by o, a) n, cume_dist() over (order by o) c from w) x;
select count(*), sum(d), sum(s) from (select dense_rank() over (partition by p order by o) d,
  sum(length(t)) filter (where a % 2 = 0) over (partition by p order by o) s from w) x;
select count(*), md5 from (select md5(string_agg(t, '' ) over (partition by p order by a
  rows between unbounded preceding and unbounded following)) from w where a <= 3000) x group by md5 order by md5;
select * from (select a, row_number() over (partition by a % 5000 order by a) n from w) x where n > 3 order by a limit 5;
select a, count(*) over (partition by p) from w where a < 4 order by a limit 2;
select sum(s) from generate_series(1, 3) i, lateral
  (select sum(a) over (order by o, a) s from w where p = i - 1 and a < 4000) x;
drop table w;
