-- What bigint accepts as text, how it prints it, and what it refuses.
select '0'::bigint as v;
select '9223372036854775807'::bigint as v;
select '-9223372036854775808'::bigint as v;
select ' 5 '::bigint as v;
select '0xFFFFFFFF'::bigint as v;
select '1_0'::bigint as v;
select '9223372036854775808'::bigint as v;
select 'x'::bigint as v;
select '1.0'::bigint as v;
select ''::bigint as v;
select '--1'::bigint as v;
select null::bigint is null as n, pg_typeof(null::bigint) as t;
