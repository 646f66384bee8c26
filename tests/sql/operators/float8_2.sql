-- Operators whose first operand is float8, NULL operands included.
select '2.5'::float8 ^ '-0.5'::float8 as v, '-0.5'::float8 ^ '2.5'::float8 as w, null::float8 ^ '2.5'::float8 as n;
select '2.5'::float8 * '-3 hours'::interval as v, '-0.5'::float8 * '1 day 02:00:00'::interval as w, null::float8 * '1 day 02:00:00'::interval as n;
