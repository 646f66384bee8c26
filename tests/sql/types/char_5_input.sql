-- What char(5) accepts as text, how it prints it, and what it refuses.
select 'abc'::char(5) as v;
select 'abcde'::char(5) as v;
select 'ab   '::char(5) as v;
select ''::char(5) as v;
select 'abcdef'::char(5) as v;
select null::char(5) is null as n, pg_typeof(null::char(5)) as t;
