-- Row locks of views and subqueries are locks of the rows of their tables, and of no others.
create table t (id int primary key, v text);
insert into t values (1, 'a'), (2, 'b'), (3, 'c');
create table u (id int primary key, t int);
insert into u values (1, 1), (2, 2);
create view one_table as select * from t;
create view some_rows as select id, v || '!' as w from t where v <> 'c';
create view both_tables as select t.id, u.id as uid from t join u on u.t = t.id;
-- session b
set lock_timeout = '100ms';
-- session a
begin;
select * from one_table where id = 1 for update;
-- session b
select id from t order by id for update skip locked;
update t set v = 'x' where id = 1;
update one_table set v = 'x' where id = 1;
-- session a
rollback;
begin;
select * from some_rows where id = 2 for share;
-- session b
select id from t order by id for update skip locked;
select id from t order by id for share skip locked;
-- session a
rollback;
begin;
select * from both_tables where uid = 2 for update;
-- session b
select id from t order by id for update skip locked;
select id from u order by id for update skip locked;
-- session a
rollback;
begin;
select * from (select * from t order by id limit 1) s for update;
-- session b
select id from t order by id for update skip locked;
-- session a
rollback;
begin;
select * from (select * from (select * from t) a where id > 1) s where id < 3 for no key update of s;
-- session b
select id from t order by id for update skip locked;
select id from t order by id for key share skip locked;
-- session a
rollback;
begin;
select * from (select * from t for key share) s where id = 1 for update;
-- session b
select id from t order by id for key share skip locked;
-- session a
rollback;
select * from (select distinct id from t) s for update;
select * from (select count(*) from t) s for update;
select * from (select id from t group by id) s for share;
select * from (select id from t union select 1) s for update;
select * from (select row_number() over () from t) s for update;
create view grouped as select v, count(*) from t group by v;
select * from grouped for no key update;
select * from t left join one_table o on o.id = t.id + 1 for update;
select * from (select t.id from t left join t o on o.id = t.id + 1) s for update;
with c as (select * from t) select * from c order by id for update;
select * from (values (1), (2)) v for update;
begin;
-- session b
select id from t order by id for update skip locked;
-- session a
rollback;
begin;
update u set t = t where t in (select id from one_table where id = 1 for update) returning id;
-- session b
select id from t order by id for update skip locked;
-- session a
rollback;
