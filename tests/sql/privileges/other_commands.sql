-- COPY, VACUUM, ANALYZE, CHECKPOINT, temporary tables and SHOW as a role without privileges.
create role pz_one;
create table pz_t (a int, b int);
insert into pz_t values (1, 2);
set role pz_one;
copy pz_t to stdout;
copy pz_t from stdin;
\.
copy (select a from pz_t) to stdout;
analyze pz_t;
vacuum pz_t;
checkpoint;
create temporary table pz_temp (a int);
insert into pz_temp values (1);
select * from pz_temp;
alter table pz_temp add column b int;
alter table pz_temp rename to pz_other;
drop table pz_other;
show data_directory;
select current_setting('hba_file');
select count(*) from pg_settings where name in ('data_directory', 'work_mem');
reset role;
grant insert (a), select (b) on pz_t to pz_one;
set role pz_one;
copy pz_t (b) to stdout;
copy pz_t to stdout;
copy pz_t (b) from stdin;
\.
copy pz_t (a) from stdin;
7
8
\.
reset role;
select * from pz_t order by a;
grant maintain on pz_t to pz_one;
set role pz_one;
analyze pz_t;
vacuum pz_t;
reset role;
revoke temporary on database postgres from public;
grant pg_read_all_settings, pg_checkpoint to pz_one;
set role pz_one;
select count(*) from pg_settings where name in ('data_directory', 'work_mem');
checkpoint;
reset role;
grant temporary on database postgres to public;
drop table pz_t;
drop role pz_one;
