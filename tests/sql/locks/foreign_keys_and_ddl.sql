-- What foreign keys ask for waits for changes of the tables' definitions, and follows them.
-- session s
create table t (id int primary key, v int);
create table f (a int references t on delete cascade, b int);
create table g (a int references t);
insert into t select i, i from generate_series(1, 20) i;
insert into f values (1, 2), (2, 1), (6, 7), (7, 6);
insert into g values (4), (5);
-- names of columns that change places
-- session a
begin;
alter table f rename a to x;
alter table f rename b to a;
-- session b waits
delete from t where id = 1;
-- session a
commit;
select * from f order by x;
alter table f rename a to b;
alter table f rename x to a;
-- another table takes the name
begin;
alter table f rename to ff;
create table f (a int, b int);
insert into f values (6, 6), (7, 7);
-- session b waits
delete from t where id = 6;
-- session a
commit;
select * from f order by a;
select * from ff order by a;
-- the referenced table's names
begin;
alter table t rename id to key;
alter table t rename v to id;
-- session b waits
insert into ff values (10, 0);
-- session a
commit;
begin;
alter table t rename to tt;
-- session b waits
insert into ff values (11, 0);
-- session a
commit;
alter table tt rename to t;
alter table t rename id to v;
alter table t rename key to id;
-- a table or a key that goes locks both tables
begin;
drop table g;
select relation::regclass, mode from pg_locks where relation = 't'::regclass order by mode;
-- session b waits
delete from t where id = 4 returning *;
-- session a
commit;
create table g (a int references t);
insert into g values (5);
begin;
drop table g;
-- session b waits
delete from t where id = 5 returning *;
-- session a
rollback;
begin;
alter table g drop constraint g_a_fkey;
select relation::regclass, mode from pg_locks where relation in ('t'::regclass, 'g'::regclass) order by relation::regclass::text, mode;
-- session b waits
delete from t where id = 5 returning *;
-- session a
commit;
begin;
drop table t cascade;
-- session b waits
insert into ff values (99, 9);
-- session a
commit;
select * from ff order by a;
-- session s
drop table f, ff, g;
