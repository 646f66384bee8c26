-- What varchar(5) accepts as text, how it prints it, and what it refuses.
select 'abc'::varchar(5) as v;
select 'abcde'::varchar(5) as v;
select 'abcde   '::varchar(5) as v;
select ''::varchar(5) as v;
select 'abcdef'::varchar(5) as v;
select null::varchar(5) is null as n, pg_typeof(null::varchar(5)) as t;
