-- What double precision accepts as text, how it prints it, and what it refuses.
select '0'::double precision as v;
select '1.5'::double precision as v;
select '-2.25e10'::double precision as v;
select 'NaN'::double precision as v;
select 'Infinity'::double precision as v;
select '-inf'::double precision as v;
select '5e-324'::double precision as v;
select '1.7976931348623157e308'::double precision as v;
select '0.1'::double precision as v;
select '1e15'::double precision as v;
select '1e16'::double precision as v;
select '123456789012345678'::double precision as v;
select '1e309'::double precision as v;
select '1e-400'::double precision as v;
select 'xyz'::double precision as v;
select ''::double precision as v;
select '1 2'::double precision as v;
select null::double precision is null as n, pg_typeof(null::double precision) as t;
