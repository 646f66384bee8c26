-- What timetz accepts as text, how it prints it, and what it refuses.
select '04:05:06.789-8'::timetz as v;
select '04:05-08:00'::timetz as v;
select '040506+0730'::timetz as v;
select '04:05:06 UTC'::timetz as v;
select '25:00-8'::timetz as v;
select 'abc'::timetz as v;
select ''::timetz as v;
select null::timetz is null as n, pg_typeof(null::timetz) as t;
