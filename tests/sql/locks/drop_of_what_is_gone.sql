-- A wait on a name that ends with the object gone, or with another one of its name.
-- session a
create table nn (a int);
begin;
drop table nn;
-- session b waits
drop table nn;
-- session a
commit;
create table nn (a int);
begin;
drop table nn;
-- session b waits
drop table if exists nn;
-- session a
commit;
create table nn (a int);
begin;
drop table nn;
create table nn (b int);
-- session b waits
drop table nn;
-- session a
commit;
select * from nn;
create table nn (a int);
create index nn_a on nn (a);
begin;
drop index nn_a;
-- session b waits
drop index nn_a;
-- session a
commit;
begin;
alter table nn rename to mm;
-- session b waits
drop table nn;
-- session a
commit;
create view v as select 1 as a;
begin;
drop view v;
-- session b waits
drop view v;
-- session a
commit;
create type e as enum ('a');
begin;
drop type e;
-- session b waits
drop type e;
-- session a
commit;
-- what a foreign key refers to
create table par (a int primary key);
begin;
drop table par;
-- session b waits
create table chi (a int references par);
-- session a
commit;
create table par (a int primary key);
create table chi (a int);
begin;
drop table par;
-- session b waits
alter table chi add foreign key (a) references par;
-- session a
commit;
create table par (a int primary key);
begin;
drop table par;
create table par (a int primary key, b int);
-- session b waits
alter table chi add foreign key (a) references par;
-- session a
commit;
insert into chi values (1);
