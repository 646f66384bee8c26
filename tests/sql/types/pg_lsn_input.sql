-- What pg_lsn accepts as text, how it prints it, and what it refuses.
select '0/0'::pg_lsn as v;
select '16/B374D848'::pg_lsn as v;
select 'FFFFFFFF/FFFFFFFF'::pg_lsn as v;
select 'G/0'::pg_lsn as v;
select '16'::pg_lsn as v;
select ''::pg_lsn as v;
select '1/123456789'::pg_lsn as v;
select null::pg_lsn is null as n, pg_typeof(null::pg_lsn) as t;
