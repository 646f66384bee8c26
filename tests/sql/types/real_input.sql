-- What real accepts as text, how it prints it, and what it refuses.
select '0'::real as v;
select '1.5'::real as v;
select '-2.25e10'::real as v;
select 'NaN'::real as v;
select 'Infinity'::real as v;
select '-inf'::real as v;
select '1e-45'::real as v;
select '3.4028235e38'::real as v;
select ' 7 '::real as v;
select '1e39'::real as v;
select '1e-60'::real as v;
select 'abc'::real as v;
select ''::real as v;
select '1.2.3'::real as v;
select null::real is null as n, pg_typeof(null::real) as t;
