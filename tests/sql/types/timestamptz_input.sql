-- What timestamptz accepts as text, how it prints it, and what it refuses.
select '2024-02-29 12:34:56+00'::timestamptz as v;
select '1999-01-08 04:05:06 -8:00'::timestamptz as v;
select 'Jan 8 1999 04:05:06 PST'::timestamptz as v;
select 'infinity'::timestamptz as v;
select 'epoch'::timestamptz as v;
select '2024-07-01 12:00 America/New_York'::timestamptz as v;
select '2024-01-01 12:00 Europe/Berlin'::timestamptz as v;
select '20240229T123456Z'::timestamptz as v;
select '2023-02-29 00:00+00'::timestamptz as v;
select 'abc'::timestamptz as v;
select ''::timestamptz as v;
select '2024-01-01 00:00 Nowhere/Land'::timestamptz as v;
select '294277-01-01 00:00+00'::timestamptz as v;
select null::timestamptz is null as n, pg_typeof(null::timestamptz) as t;
