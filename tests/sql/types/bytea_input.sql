-- What bytea accepts as text, how it prints it, and what it refuses.
select '\x'::bytea as v;
select '\xDEADbeef'::bytea as v;
select 'abc'::bytea as v;
select '\\000\\001'::bytea as v;
select '\x de ad'::bytea as v;
select '\xabc'::bytea as v;
select '\xzz'::bytea as v;
select '\\9'::bytea as v;
select null::bytea is null as n, pg_typeof(null::bytea) as t;
