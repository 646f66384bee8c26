-- Definitions and whole-table changes beside serializable readers.
-- session s
create table t (k int primary key, v int);
insert into t select i, i from generate_series(1, 10) i;
create table u (k int primary key, v int);
insert into u select i, i from generate_series(1, 10) i;
-- TRUNCATE of what another read, and that other writes what this one read.
-- session s1
begin isolation level serializable;
select count(*) from u;
-- session s2
begin isolation level serializable;
select count(*) from t;
insert into u values (100, 1);
commit;
-- session s1
truncate t;
commit;
-- session s
insert into t select i, i from generate_series(1, 10) i on conflict do nothing;
-- A dropped index does not take the locks on its ranges along.
create index t_v on t (v);
set enable_seqscan = off;
-- session s1
set enable_seqscan = off;
begin isolation level serializable;
select count(*) from t where v between 3 and 5;
commit;
-- session s1
begin isolation level serializable;
select count(*) from u;
-- session s2
set enable_seqscan = off;
begin isolation level serializable;
select count(*) from t where v between 3 and 5;
insert into u values (101, 1);
commit;
-- session s
drop index t_v;
-- session s1
insert into t values (11, 4);
commit;
-- Materialized views are read like tables, temporary tables are nobody else's business.
-- session s1
create temp table mine (a int);
begin isolation level serializable;
select count(*) from mine;
insert into mine values (1);
commit;
select count(*) from mine;
-- A read-only transaction refuses to write; nothing else changes.
-- session s1
begin isolation level serializable read only;
insert into t values (12, 1);
rollback;
start transaction isolation level serializable, read write, not deferrable;
show transaction_isolation;
show transaction_deferrable;
set transaction isolation level repeatable read;
show transaction_isolation;
select 1;
set transaction isolation level serializable;
rollback;
set default_transaction_isolation = serializable;
begin;
show transaction_isolation;
commit;
select current_setting('transaction_isolation');
set session characteristics as transaction isolation level read committed;
show default_transaction_isolation;
