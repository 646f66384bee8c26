-- string_agg and array_agg follow their own ORDER BY, DISTINCT and FILTER.
create table sa (g int, v text, n int);
insert into sa values (1, 'b', 1), (1, 'a', 2), (2, 'c', 3), (1, 'a', 4), (2, null, 5);
select g, string_agg(v, ',' order by v), string_agg(v, ',' order by n desc) from sa group by g order by g;
select string_agg(distinct v, ',' order by v), string_agg(distinct v, ',' order by v desc) from sa;
select string_agg(distinct v, ',' order by n) from sa;
select string_agg(v, n::text order by n) from sa;
select string_agg(v, null order by n), string_agg(v, '' order by n) from sa;
select string_agg(v, ',' order by n) filter (where n > 2), string_agg(v, ',') filter (where false) from sa;
select array_agg(v order by n), array_agg(distinct v order by v nulls first), array_agg(n order by n) filter (where v is not null) from sa;
select array_agg(array[n, n * 2] order by n) from sa;
select array_agg(array[]::int[]) from sa;
select string_agg(v, ',' order by n, v desc), string_agg(v::bytea, '\x2c'::bytea order by n) from sa;
select string_agg(n, ',') from sa;
select string_agg(v) from sa;
select string_agg(v, ',' order by nosuch) from sa;
select g, string_agg(v || n, ';' order by n) from sa group by rollup (g) order by g nulls last;
