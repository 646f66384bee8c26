-- What jsonb accepts as text, how it prints it, and what it refuses.
select '{"a": 1}'::jsonb as v;
select '[1, 2,   3]'::jsonb as v;
select '"x"'::jsonb as v;
select 'null'::jsonb as v;
select '1.50'::jsonb as v;
select '{"b": 1, "a": 2, "b": 3}'::jsonb as v;
select '{"a": {"b": [true, false]}}'::jsonb as v;
select '"\u00e9"'::jsonb as v;
select '{a: 1}'::jsonb as v;
select '[1,'::jsonb as v;
select ''::jsonb as v;
select '{"a"}'::jsonb as v;
select '"\u0000"'::jsonb as v;
select 'nul'::jsonb as v;
select null::jsonb is null as n, pg_typeof(null::jsonb) as t;
