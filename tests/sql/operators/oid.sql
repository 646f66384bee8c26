-- Operators whose first operand is oid, NULL operands included.
select '5'::oid < '70000'::oid as v, '70000'::oid < '5'::oid as w, null::oid < '5'::oid as n;
select '5'::oid <= '70000'::oid as v, '70000'::oid <= '5'::oid as w, null::oid <= '5'::oid as n;
select '5'::oid <> '70000'::oid as v, '70000'::oid <> '5'::oid as w, null::oid <> '5'::oid as n;
select '5'::oid = '70000'::oid as v, '70000'::oid = '5'::oid as w, null::oid = '5'::oid as n;
select '5'::oid > '70000'::oid as v, '70000'::oid > '5'::oid as w, null::oid > '5'::oid as n;
select '5'::oid >= '70000'::oid as v, '70000'::oid >= '5'::oid as w, null::oid >= '5'::oid as n;
