-- What json accepts as text, how it prints it, and what it refuses.
select '{"a": 1}'::json as v;
select '[1, 2,   3]'::json as v;
select '"x"'::json as v;
select 'null'::json as v;
select '1.50'::json as v;
select '{"a": {"b": [true, false]}}'::json as v;
select ' {} '::json as v;
select '{a: 1}'::json as v;
select '[1,'::json as v;
select ''::json as v;
select '{"a"}'::json as v;
select 'tru'::json as v;
select '"\u12"'::json as v;
select '01'::json as v;
select null::json is null as n, pg_typeof(null::json) as t;
