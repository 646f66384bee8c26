-- Commands that name a relation of another kind than they are for.
create table t (a int);
create index t_i on t (a);
create view v as select a from t;
create materialized view m as select a from t;
create sequence s;
reindex table t_i;
reindex table v;
truncate t_i;
truncate t, t_i;
alter table v add x int;
alter table v add constraint c check (a > 0);
alter table v drop a;
alter table v alter a type text;
alter table s add x int;
alter table m add x int;
drop index concurrently t_i cascade;
drop index concurrently t_i, t_i;
