-- What integer accepts as text, how it prints it, and what it refuses.
select '0'::integer as v;
select '2147483647'::integer as v;
select '-2147483648'::integer as v;
select ' 42 '::integer as v;
select '0xFF'::integer as v;
select '0b11'::integer as v;
select '0o77'::integer as v;
select '1_000_000'::integer as v;
select '-0'::integer as v;
select '2147483648'::integer as v;
select '1e3'::integer as v;
select '12a'::integer as v;
select ''::integer as v;
select '- 1'::integer as v;
select '0b2'::integer as v;
select null::integer is null as n, pg_typeof(null::integer) as t;
