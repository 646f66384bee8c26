-- Parameters of the query within a command.
create table bc_1 as select $1::int as a, $2 as b \bind 7 x \g
select * from bc_1;
create temp table bc_2 (n) as select a + $1 from bc_1 where a = $2 \bind 3 7 \g
select * from bc_2;
create table bc_3 as select $1 as a with no data \bind x \g
select * from bc_3;
create materialized view bc_m as select $1::int as a \bind 7 \g
create view bc_v as select $1::int as a \bind 7 \g
select a + $1 as n into bc_4 from bc_1 \bind 5 \g
select * from bc_4;
explain (costs off) select * from bc_1 where a = $1 \bind 7 \g
explain (costs off) select * from bc_1 where a = $1 \bind x \g
explain (analyze, costs off, timing off, summary off, buffers off) insert into bc_1 select $1, 'e' \bind 8 \g
select * from bc_1 order by a;
explain (costs off) create table bc_5 as select * from bc_1 where b = $1 \bind x \g
explain (costs off) select $1 \bind \g
begin;
declare c cursor for select a, b from bc_1 where a >= $1 order by a \bind 8 \g
fetch all from c;
declare d scroll cursor for select $1::int + g as n from generate_series(1, $2) g \bind 10 3 \g
fetch last from d;
fetch first from d;
declare e cursor with hold for select $1 || b as b from bc_1 \bind pre \g
commit;
fetch all from e;
close e;
create table bc_6 as select * from bc_nosuch where a = $1 \bind 1 \g
create table bc_6 as select $1::int as a \bind x \g
create table bc_6 as select $1::int as a \bind \g
set work_mem = $1 \bind 100 \g
create table bc_6 as select $1::int as a \parse bc_s
\bind_named bc_s 5 \g
select * from bc_6;
\bind_named bc_s 5 \g
drop table bc_6;
\bind_named bc_s 6 \g
select * from bc_6;
prepare w as select $65536;
prepare w as select $0;
prepare w as select $70000::int;
drop table bc_1, bc_2, bc_3, bc_4, bc_6;
