-- DROP SCHEMA and what is made in the schema wait for each other.
-- session a
create schema s1;
begin;
drop schema s1;
-- session b waits
create table s1.x (a int);
-- session a
commit;
create schema s1;
begin;
drop schema s1;
-- session b waits
create view s1.v as select 1 as a;
-- session a
rollback;
drop schema s1 cascade;
create schema s1;
begin;
drop schema s1;
-- session b waits
create sequence s1.q;
-- session a
commit;
-- session b
create table t (a int);
-- session a
create schema s1;
begin;
drop schema s1;
-- session b waits
alter table t set schema s1;
-- session a
commit;
-- the other order: the schema has something in it by then
create schema s2;
begin;
create table s2.y ();
-- session b waits
drop schema s2;
-- session a
commit;
drop schema s2 cascade;
create schema s2;
begin;
create view s2.v as select 1 as a;
-- session b waits
drop schema s2 cascade;
-- session a
commit;
-- session b
create schema s2;
-- session a
begin;
alter table t set schema s2;
-- session b waits
drop schema s2;
-- session a
commit;
-- a schema of the search path that goes away
create schema s3;
begin;
drop schema s3;
-- session b
set search_path = s3, public;
-- session b waits
create table in_path (a int);
-- session a
commit;
-- session b
select relnamespace::regnamespace from pg_class where relname = 'in_path';
-- two sessions drop the same schema
-- session a
create schema s4;
begin;
drop schema s4;
-- session b waits
drop schema s4;
-- session a
commit;
create schema s4;
begin;
drop schema s4;
-- session b waits
drop schema if exists s4;
-- session a
commit;
