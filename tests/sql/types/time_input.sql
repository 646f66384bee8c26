-- What time accepts as text, how it prints it, and what it refuses.
select '04:05:06.789'::time as v;
select '04:05'::time as v;
select '040506'::time as v;
select '04:05 AM'::time as v;
select '04:05 PM'::time as v;
select '24:00:00'::time as v;
select '23:59:60'::time as v;
select 'allballs'::time as v;
select '00:00:00.0000005'::time as v;
select '25:00'::time as v;
select '12:60'::time as v;
select 'abc'::time as v;
select ''::time as v;
select '24:00:01'::time as v;
select null::time is null as n, pg_typeof(null::time) as t;
