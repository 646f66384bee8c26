-- LOCK TABLE of a view locks what the view reads, for its owner or for who calls it.
-- session a
create table lv_t (a int);
create table lv_u (a int);
create sequence lv_s;
create view lv_inner as select a from lv_u;
create view lv_v as select t.a, nextval('lv_s') as n from lv_t t where exists (select 1 from lv_inner i where i.a = t.a);
create materialized view lv_m as select 1 as a;
create view lv_w as select a from lv_m;
begin;
lock table lv_v;
select c.relname, l.mode from pg_locks l join pg_class c on c.oid = l.relation where c.relname like 'lv%' order by 1, 2;
-- session b waits
select * from lv_t;
-- session a
rollback;
begin;
lock table lv_v in share mode;
-- session b waits
insert into lv_u values (1);
-- session a
rollback;
begin;
lock table lv_u;
-- session b
begin;
lock table lv_v nowait;
rollback;
-- session a
rollback;
begin;
lock table lv_w;
select c.relname, l.mode from pg_locks l join pg_class c on c.oid = l.relation where c.relname like 'lv%' order by 1, 2;
rollback;
-- whose privileges count
create role lv_owner;
create role lv_caller;
create view lv_by_owner as select * from lv_t;
alter view lv_by_owner owner to lv_owner;
create view lv_by_caller with (security_invoker) as select * from lv_t;
grant all on lv_by_owner, lv_by_caller to lv_caller;
set role lv_caller;
begin;
lock table lv_by_owner;
rollback;
begin;
lock table lv_by_caller;
rollback;
reset role;
grant update on lv_t to lv_owner;
set role lv_caller;
begin;
lock table lv_by_owner;
rollback;
begin;
lock table lv_by_caller;
rollback;
reset role;
grant select on lv_t to lv_caller;
set role lv_caller;
begin;
lock table lv_by_caller in access share mode;
rollback;
begin;
lock table lv_by_caller in row share mode;
rollback;
reset role;
drop owned by lv_owner, lv_caller;
drop role lv_owner, lv_caller;
