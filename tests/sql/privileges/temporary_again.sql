-- TEMPORARY on the database is asked for each temporary object, also in a session that has some.
create role temporary_again;
create schema mine authorization temporary_again;
set role temporary_again;
create temp table first (a int);
reset role;
select format('revoke temporary on database %I from public', current_database()) \gexec
set role temporary_again;
select * from first;
\set VERBOSITY sqlstate
create temp table second (a int);
create table pg_temp.third (a int);
create temp view fourth as select 1 as x;
create temp sequence fifth;
select 1 as x into temp sixth;
create temp table seventh as select 1 as x;
create view mine.eighth as select * from first;
create view eighth as select * from first;
create type pg_temp.ninth as (a int);
create domain pg_temp.tenth as int;
create index on first (a);
alter table first rename to eleventh;
create table if not exists pg_temp.first (a int);
\set VERBOSITY default
select relname, relkind from pg_class where relname in ('first', 'second', 'third', 'fourth', 'fifth', 'sixth', 'seventh', 'eighth', 'ninth', 'tenth', 'eleventh') order by relname;
reset role;
create temp table twelfth (a int);
drop table twelfth;
select format('grant temporary on database %I to temporary_again', current_database()) \gexec
set role temporary_again;
create temp table second (a int);
drop table second;
reset role;
drop owned by temporary_again;
drop role temporary_again;
