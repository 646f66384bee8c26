-- SEARCH and CYCLE clauses of recursive queries.
create table g (f int, t int, l text);
insert into g values (1, 2, 'a'), (1, 3, 'b'), (2, 3, 'c'), (1, 4, 'd'), (4, 5, 'e'), (5, 1, 'f');
with recursive s as (select f, t, l from g where f = 1 union all select g.f, g.t, g.l from g, s where g.f = s.t and s.f <> 5) search depth first by f, t set seq select f, t, l from s order by seq;
with recursive s as (select f, t, l from g where f = 1 union all select g.f, g.t, g.l from g, s where g.f = s.t and s.f <> 5) search breadth first by f, t set seq select f, t, l from s order by seq;
with recursive s as (select f, t from g where f = 4 union all select g.f, g.t from g, s where g.f = s.t) cycle f, t set is_cycle using path select f, t, is_cycle, path from s order by path;
with recursive s as (select f, t from g where f = 4 union all select g.f, g.t from g, s where g.f = s.t) cycle f set c to 'Y' default 'N' using p select f, t, c from s order by p, f, t;
with recursive s as (select 1 as n union all select n + 1 from s where n < 3) search depth first by n set seq select n, seq from s order by seq;
with recursive s as (select 1 as n union all select n + 1 from s where n < 3) search breadth first by n set seq select n, seq from s order by seq;
with recursive s as (select 1 as n union all select n + 1 from s) search depth first by m set seq select * from s;
with recursive s as (select 1 as n union all select n + 1 from s) search depth first by n set n select * from s;
with recursive s as (select 1 as n union all select n + 1 from s) search depth first by n, n set seq select * from s;
with recursive s as (select 1 as n union all select n + 1 from s) cycle m set c using p select * from s;
with recursive s as (select 1 as n union all select n + 1 from s) cycle n set c to 1 default 'x' using p select * from s;
with recursive s as (select 1 as n union all select n + 1 from s) cycle n set c using c select * from s;
with s as (select 1 as n) search depth first by n set seq select * from s;
with recursive s as (select 1 as n) search depth first by n set seq select * from s;
with recursive s as (select 1 as n union all (select n + 1 from s union all select 2)) search depth first by n set seq select * from s;
with recursive s as (select f, t from g where f = 4 union all select g.f, g.t from g, s where g.f = s.t) search breadth first by f, t set seq cycle f, t set is_cycle using path select f, t, is_cycle from s order by seq;
