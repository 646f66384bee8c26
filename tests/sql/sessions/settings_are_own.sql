-- Settings, prepared statements, cursors and temporary names belong to one session.
-- session a
set work_mem = '7MB';
-- session b
show work_mem;
-- session a
prepare p as select 1;
-- session b
execute p;
-- session a
begin;
declare c cursor for select 1;
-- session b
fetch c;
-- session a
commit;
create schema s1;
set search_path = s1;
create table t (a int);
-- session b
select * from t;
select * from s1.t;
-- session a
set my.x = 'a';
-- session b
select current_setting('my.x');
-- session a
begin read only;
-- session b
create table u (a int);
-- session a
select * from public.u;
insert into public.u values (1);
rollback;
-- session b
set session characteristics as transaction isolation level repeatable read;
-- session a
show default_transaction_isolation;
-- session b
show transaction_isolation;
