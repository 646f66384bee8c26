-- A database is a copy of its template: tables with indexes, sequences, views; then they part.
create database dc_template;
\connect dc_template
create table t (a serial primary key, b text unique, c int default 7);
insert into t (b) select 'row ' || i from generate_series(1, 50) i;
delete from t where a % 10 = 0;
update t set b = 'changed' where a = 1;
create index t_c on t (c, a);
create view v as select a, b from t where a < 5;
create schema s;
create table s.u (x numeric, y timestamptz, z text);
insert into s.u values (1.5, '2020-01-01 00:00:00+00', repeat('long ', 5000));
create sequence s.q start 5;
select nextval('s.q');
\connect postgres
create database dc_copy template dc_template;
\connect dc_copy
select count(*), min(a), max(a) from t;
select * from v order by a;
select a from t where b = 'changed';
select a from t where a = 11;
select a from t where a = 10;
insert into t (b) values ('changed');
insert into t (b) values ('new') returning a, c;
select length(z), x from s.u;
select nextval('s.q');
drop table s.u;
update t set b = 'copy' where a = 2;
select relname, relkind from pg_class where relnamespace in ('public'::regnamespace, 's'::regnamespace) order by 1;
\connect dc_template
select b from t where a = 2;
select count(*) from s.u;
select nextval('s.q');
\connect postgres
drop database dc_template;
drop database dc_copy;
select count(*) from pg_database where datname like 'dc\_%';
