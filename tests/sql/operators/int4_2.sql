-- Operators whose first operand is int4, NULL operands included.
select '17'::int4 = '-5'::int4 as v, '-5'::int4 = '17'::int4 as w, null::int4 = '17'::int4 as n;
select '17'::int4 > '-5'::int4 as v, '-5'::int4 > '17'::int4 as w, null::int4 > '17'::int4 as n;
select '17'::int4 >= '-5'::int4 as v, '-5'::int4 >= '17'::int4 as w, null::int4 >= '17'::int4 as n;
select '17'::int4 >> '-5'::int4 as v, '-5'::int4 >> '17'::int4 as w, null::int4 >> '17'::int4 as n;
select '17'::int4 | '-5'::int4 as v, '-5'::int4 | '17'::int4 as w, null::int4 | '17'::int4 as n;
select '17'::int4 * '-2'::int8 as v, '-5'::int4 * '9000000000'::int8 as w, null::int4 * '9000000000'::int8 as n;
select '17'::int4 + '-2'::int8 as v, '-5'::int4 + '9000000000'::int8 as w, null::int4 + '9000000000'::int8 as n;
select '17'::int4 - '-2'::int8 as v, '-5'::int4 - '9000000000'::int8 as w, null::int4 - '9000000000'::int8 as n;
select '17'::int4 / '-2'::int8 as v, '-5'::int4 / '9000000000'::int8 as w, null::int4 / '9000000000'::int8 as n;
select '17'::int4 < '-2'::int8 as v, '-5'::int4 < '9000000000'::int8 as w, null::int4 < '9000000000'::int8 as n;
select '17'::int4 <= '-2'::int8 as v, '-5'::int4 <= '9000000000'::int8 as w, null::int4 <= '9000000000'::int8 as n;
select '17'::int4 <> '-2'::int8 as v, '-5'::int4 <> '9000000000'::int8 as w, null::int4 <> '9000000000'::int8 as n;
select '17'::int4 = '-2'::int8 as v, '-5'::int4 = '9000000000'::int8 as w, null::int4 = '9000000000'::int8 as n;
select '17'::int4 > '-2'::int8 as v, '-5'::int4 > '9000000000'::int8 as w, null::int4 > '9000000000'::int8 as n;
select '17'::int4 >= '-2'::int8 as v, '-5'::int4 >= '9000000000'::int8 as w, null::int4 >= '9000000000'::int8 as n;
