-- oid, xid, cid and tid: input, order and what they refuse.
select '1'::oid, '4294967295'::oid, '-1'::oid, ' 7 '::oid, 5::oid + 0::oid::int8 as s, '0x10'::oid;
select '4294967296'::oid;
select 'x'::oid;
select (-1)::int::oid, 4294967295::bigint::oid;
select 4294967296::bigint::oid;
select 3::oid < 4000000000::oid, '2'::oid = 2, oidlarger('5', '7'), '1 2 3'::oidvector, ('1 2 3'::oidvector)[0], '1 2'::int2vector, '1 2'::oidvector < '1 3'::oidvector;
select '1 x'::oidvector;
select '(0,1)'::tid, '(4294967295,65535)'::tid, '(0,1)'::tid = '(0,1)'::tid, '(0,2)'::tid > '(0,1)'::tid, '(1,0)'::tid < '(0,9)'::tid;
select '(0,65536)'::tid;
select '0,1'::tid;
select '7'::xid, '7'::xid = '7'::xid, '7'::xid = 7, '7'::xid8 < '8'::xid8, '7'::xid8::xid, '3'::cid = '3'::cid;
select '7'::xid < '8'::xid;
select '7'::cid > '3'::cid;
select max(o), min(o) from (values ('5'::oid), ('3'), ('4000000000')) v(o);
select 5::oid::int, 5::oid::bigint, 4000000000::oid::bigint, '5'::oid::text;
select 4000000000::oid::int;
select 1.5::oid;
select o from (values ('3000000000'::oid), ('5'), ('100')) v(o) order by o;
