-- What timestamp accepts as text, how it prints it, and what it refuses.
select '2024-02-29 12:34:56.789'::timestamp as v;
select '1999-01-08'::timestamp as v;
select 'Jan 8 1999 04:05:06'::timestamp as v;
select 'infinity'::timestamp as v;
select '-infinity'::timestamp as v;
select 'epoch'::timestamp as v;
select '2000-01-01 00:00:00 BC'::timestamp as v;
select '20240229T123456'::timestamp as v;
select '4714-11-24 00:00:00 BC'::timestamp as v;
select '294276-12-31 23:59:59.999999'::timestamp as v;
select 'Mon Feb 10 17:32:01 1997'::timestamp as v;
select '2023-02-29 00:00'::timestamp as v;
select '2024-01-01 25:00'::timestamp as v;
select 'abc'::timestamp as v;
select ''::timestamp as v;
select '294277-01-01'::timestamp as v;
select null::timestamp is null as n, pg_typeof(null::timestamp) as t;
