-- Operators whose first operand is name, NULL operands included.
select 'abc'::name < 'b'::name as v, 'b'::name < 'abc'::name as w, null::name < 'abc'::name as n;
select 'abc'::name = 'b'::name as v, 'b'::name = 'abc'::name as w, null::name = 'abc'::name as n;
select 'abc'::name < 'B'::text as v, 'b'::name < 'abc'::text as w, null::name < 'abc'::text as n;
select 'abc'::name = 'B'::text as v, 'b'::name = 'abc'::text as w, null::name = 'abc'::text as n;
