-- DROP ROLE waits for what gives a role something, and then does not drop it.
-- session a
create role held_role;
begin;
create table o (a int);
grant select on o to held_role;
-- session b waits
drop role held_role;
-- session a
commit;
drop table o;
begin;
create table o (a int);
alter table o owner to held_role;
-- session b waits
drop role held_role;
-- session a
commit;
drop table o;
begin;
create schema held_schema authorization held_role;
-- session b waits
drop role held_role;
-- session a
commit;
drop schema held_schema;
create schema held_own;
grant all on schema held_own to public;
begin;
set local role held_role;
create table held_own.own (a int);
reset role;
-- session b waits
drop role held_role;
-- session a
commit;
drop schema held_own cascade;
begin;
alter default privileges grant select on tables to held_role;
-- session b waits
drop role held_role;
-- session a
rollback;
-- and the other way round
create role held_role;
begin;
drop role held_role;
-- session b
create table given (a int);
-- session b waits
grant select on given to held_role;
-- session a
rollback;
begin;
revoke all on given from held_role;
drop role held_role;
-- session b waits
create schema held_schema authorization held_role;
-- session a
rollback;
drop schema held_schema;
drop table given;
drop role held_role;
