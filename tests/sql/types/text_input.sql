-- What text accepts as text, how it prints it, and what it refuses.
select 'hello'::text as v;
select ''::text as v;
select '  spaces '::text as v;
select 'it''s'::text as v;
select 'ünïcödé'::text as v;
select '日本語'::text as v;
select null::text is null as n, pg_typeof(null::text) as t;
