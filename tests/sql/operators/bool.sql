-- Operators whose first operand is bool, NULL operands included.
select 'true'::bool < 'false'::bool as v, 'false'::bool < 'true'::bool as w, null::bool < 'true'::bool as n;
select 'true'::bool <= 'false'::bool as v, 'false'::bool <= 'true'::bool as w, null::bool <= 'true'::bool as n;
select 'true'::bool <> 'false'::bool as v, 'false'::bool <> 'true'::bool as w, null::bool <> 'true'::bool as n;
select 'true'::bool = 'false'::bool as v, 'false'::bool = 'true'::bool as w, null::bool = 'true'::bool as n;
select 'true'::bool > 'false'::bool as v, 'false'::bool > 'true'::bool as w, null::bool > 'true'::bool as n;
select 'true'::bool >= 'false'::bool as v, 'false'::bool >= 'true'::bool as w, null::bool >= 'true'::bool as n;
