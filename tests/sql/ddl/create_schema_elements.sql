-- CREATE SCHEMA with AUTHORIZATION and with elements.
create role cs_owner;
create schema authorization cs_owner;
select nspname, pg_get_userbyid(nspowner) from pg_namespace where nspname like 'cs\_%' order by 1;
create schema cs_one authorization cs_owner
  create view v as select a from t
  create table t (a int primary key, b text)
  create index on t (b)
  create sequence s;
select relname, relkind, pg_get_userbyid(relowner) from pg_class where relnamespace = 'cs_one'::regnamespace order by 1;
select * from cs_one.v;
create schema cs_two create table cs_one.u (a int);
create schema cs_two create table u (a int) create table u (b int);
select count(*) from pg_namespace where nspname = 'cs_two';
create schema cs_two create table cs_two.u (a int references cs_one.t);
show search_path;
select current_user;
create schema if not exists cs_two;
create schema if not exists cs_two create table w (a int);
create schema cs_three authorization cs_nosuch;
create schema authorization current_user create table only_here (a int);
select nspname from pg_namespace where nspname = current_user;
create schema pg_mine;
drop schema cs_one cascade;
drop schema cs_one, cs_two, cs_owner, postgres cascade;
set role cs_owner;
create schema cs_four;
reset role;
drop role cs_owner;
drop schema cs_two, cs_owner, postgres cascade;
drop role if exists cs_owner;
