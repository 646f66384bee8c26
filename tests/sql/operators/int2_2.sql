-- Operators whose first operand is int2, NULL operands included.
select '7'::int2 = '-5'::int4 as v, '-3'::int2 = '17'::int4 as w, null::int2 = '17'::int4 as n;
select '7'::int2 > '-5'::int4 as v, '-3'::int2 > '17'::int4 as w, null::int2 > '17'::int4 as n;
select '7'::int2 >= '-5'::int4 as v, '-3'::int2 >= '17'::int4 as w, null::int2 >= '17'::int4 as n;
select '7'::int2 >> '-5'::int4 as v, '-3'::int2 >> '17'::int4 as w, null::int2 >> '17'::int4 as n;
select '7'::int2 * '-2'::int8 as v, '-3'::int2 * '9000000000'::int8 as w, null::int2 * '9000000000'::int8 as n;
select '7'::int2 + '-2'::int8 as v, '-3'::int2 + '9000000000'::int8 as w, null::int2 + '9000000000'::int8 as n;
select '7'::int2 - '-2'::int8 as v, '-3'::int2 - '9000000000'::int8 as w, null::int2 - '9000000000'::int8 as n;
select '7'::int2 / '-2'::int8 as v, '-3'::int2 / '9000000000'::int8 as w, null::int2 / '9000000000'::int8 as n;
select '7'::int2 < '-2'::int8 as v, '-3'::int2 < '9000000000'::int8 as w, null::int2 < '9000000000'::int8 as n;
select '7'::int2 <= '-2'::int8 as v, '-3'::int2 <= '9000000000'::int8 as w, null::int2 <= '9000000000'::int8 as n;
select '7'::int2 <> '-2'::int8 as v, '-3'::int2 <> '9000000000'::int8 as w, null::int2 <> '9000000000'::int8 as n;
select '7'::int2 = '-2'::int8 as v, '-3'::int2 = '9000000000'::int8 as w, null::int2 = '9000000000'::int8 as n;
select '7'::int2 > '-2'::int8 as v, '-3'::int2 > '9000000000'::int8 as w, null::int2 > '9000000000'::int8 as n;
select '7'::int2 >= '-2'::int8 as v, '-3'::int2 >= '9000000000'::int8 as w, null::int2 >= '9000000000'::int8 as n;
