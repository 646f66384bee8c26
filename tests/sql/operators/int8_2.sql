-- Operators whose first operand is int8, NULL operands included.
select '9000000000'::int8 # '-2'::int8 as v, '-2'::int8 # '9000000000'::int8 as w, null::int8 # '9000000000'::int8 as n;
select '9000000000'::int8 % '-2'::int8 as v, '-2'::int8 % '9000000000'::int8 as w, null::int8 % '9000000000'::int8 as n;
select '9000000000'::int8 & '-2'::int8 as v, '-2'::int8 & '9000000000'::int8 as w, null::int8 & '9000000000'::int8 as n;
select '9000000000'::int8 * '-2'::int8 as v, '-2'::int8 * '9000000000'::int8 as w, null::int8 * '9000000000'::int8 as n;
select '9000000000'::int8 + '-2'::int8 as v, '-2'::int8 + '9000000000'::int8 as w, null::int8 + '9000000000'::int8 as n;
select '9000000000'::int8 - '-2'::int8 as v, '-2'::int8 - '9000000000'::int8 as w, null::int8 - '9000000000'::int8 as n;
select '9000000000'::int8 / '-2'::int8 as v, '-2'::int8 / '9000000000'::int8 as w, null::int8 / '9000000000'::int8 as n;
select '9000000000'::int8 < '-2'::int8 as v, '-2'::int8 < '9000000000'::int8 as w, null::int8 < '9000000000'::int8 as n;
select '9000000000'::int8 <= '-2'::int8 as v, '-2'::int8 <= '9000000000'::int8 as w, null::int8 <= '9000000000'::int8 as n;
select '9000000000'::int8 <> '-2'::int8 as v, '-2'::int8 <> '9000000000'::int8 as w, null::int8 <> '9000000000'::int8 as n;
select '9000000000'::int8 = '-2'::int8 as v, '-2'::int8 = '9000000000'::int8 as w, null::int8 = '9000000000'::int8 as n;
select '9000000000'::int8 > '-2'::int8 as v, '-2'::int8 > '9000000000'::int8 as w, null::int8 > '9000000000'::int8 as n;
select '9000000000'::int8 >= '-2'::int8 as v, '-2'::int8 >= '9000000000'::int8 as w, null::int8 >= '9000000000'::int8 as n;
select '9000000000'::int8 | '-2'::int8 as v, '-2'::int8 | '9000000000'::int8 as w, null::int8 | '9000000000'::int8 as n;
