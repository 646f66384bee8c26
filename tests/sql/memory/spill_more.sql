-- Index builds, windows by partition and cursors with little memory
set work_mem = '64kB';
set maintenance_work_mem = '1MB';
create table t (a int, b text, c int);
insert into t select i * 7919 % 60000, md5(i::text), i % 7 from generate_series(1, 60000) i;
create index t_b on t (b) include (a);
create index t_c on t (c, b desc);
create unique index t_a on t (a);
analyze t;
set enable_seqscan = off;
select count(*), min(b), max(b) from t where b > '8';
select a, b from t where b > 'fff' order by b limit 3;
select a from t where a in (1, 59999, 60000) order by a;
select count(*) from t where c = 3 and b < '1';
reset enable_seqscan;
insert into t values (5, 'twice', 1);
insert into t values (100001, 'x', 1), (100002, 'x', 1);
create unique index t_u on t (b);
delete from t where b = 'x';
create unique index t_u on t (b);
drop index t_u;
alter table t alter column c type bigint using c * 10;
select count(*), sum(c), count(distinct b) from t;

select sum(n), sum(r), sum(s), count(*) from (select count(*) over w n, row_number() over w r, sum(a) over (partition by b) s from t window w as (partition by a % 1000 order by b)) q;
select max(r), sum(l) from (select rank() over (partition by a / 10 order by c) r, length(lag(b) over (partition by a / 10 order by b)) l from t) q;
select a, c, first_value(b) over (partition by c order by a) f from t order by a limit 3;
select count(*), sum(n) from (select ntile(3) over (partition by b) n from t) q;

begin;
declare s scroll cursor for select a, b from t order by b;
fetch last from s;
fetch absolute 40000 from s;
fetch relative -30000 from s;
fetch prior from s;
declare h cursor with hold for select a, repeat(b, 3) from t order by a;
commit;
fetch 2 from h;
move 50000 in h;
fetch 2 from h;
close h;

drop table t;
