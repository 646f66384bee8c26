-- What smallint accepts as text, how it prints it, and what it refuses.
select '0'::smallint as v;
select '-32768'::smallint as v;
select '32767'::smallint as v;
select ' 12 '::smallint as v;
select '0x1F'::smallint as v;
select '0b101'::smallint as v;
select '0o17'::smallint as v;
select '1_000'::smallint as v;
select '+7'::smallint as v;
select '32768'::smallint as v;
select '-32769'::smallint as v;
select '1.5'::smallint as v;
select 'abc'::smallint as v;
select ''::smallint as v;
select '0x'::smallint as v;
select '1__0'::smallint as v;
select null::smallint is null as n, pg_typeof(null::smallint) as t;
