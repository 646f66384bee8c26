-- What boolean accepts as text, how it prints it, and what it refuses.
select 't'::boolean as v;
select 'f'::boolean as v;
select 'true'::boolean as v;
select 'FALSE'::boolean as v;
select 'yes'::boolean as v;
select 'no'::boolean as v;
select 'on'::boolean as v;
select 'off'::boolean as v;
select '1'::boolean as v;
select '0'::boolean as v;
select ' tr '::boolean as v;
select 'y'::boolean as v;
select 'maybe'::boolean as v;
select '2'::boolean as v;
select ''::boolean as v;
select 'tru e'::boolean as v;
select 'oui'::boolean as v;
select null::boolean is null as n, pg_typeof(null::boolean) as t;
