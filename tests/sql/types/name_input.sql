-- What name accepts as text, how it prints it, and what it refuses.
select 'a_name'::name as v;
select 'A Name'::name as v;
select ''::name as v;
select null::name is null as n, pg_typeof(null::name) as t;
