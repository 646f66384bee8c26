-- What oid accepts as text, how it prints it, and what it refuses.
select '0'::oid as v;
select '4294967295'::oid as v;
select '16384'::oid as v;
select ' 5 '::oid as v;
select '-1'::oid as v;
select '4294967296'::oid as v;
select 'abc'::oid as v;
select ''::oid as v;
select null::oid is null as n, pg_typeof(null::oid) as t;
