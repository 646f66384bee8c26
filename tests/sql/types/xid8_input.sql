-- What xid8 accepts as text, how it prints it, and what it refuses.
select '0'::xid8 as v;
select '18446744073709551615'::xid8 as v;
select '42'::xid8 as v;
select '18446744073709551616'::xid8 as v;
select 'abc'::xid8 as v;
select ''::xid8 as v;
select null::xid8 is null as n, pg_typeof(null::xid8) as t;
