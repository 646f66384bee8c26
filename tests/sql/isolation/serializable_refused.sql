-- Isolation levels that a transaction asks for, and what SHOW says of them.
-- session a
begin isolation level read uncommitted;
show transaction_isolation;
-- session b
create table t (a int);
begin;
insert into t values (1);
-- session a
select count(*) from t;
-- session b
commit;
-- session a
select count(*) from t;
commit;
set default_transaction_isolation = 'repeatable read';
begin;
-- session b
insert into t values (2);
-- session a
select count(*) from t;
-- session b
insert into t values (3);
-- session a
select count(*) from t;
commit;
begin isolation level read committed;
show transaction_isolation;
rollback;
set transaction_isolation = 'serializable x';
begin;
set transaction_isolation = 'read committed';
select count(*) from t;
set transaction_isolation = 'repeatable read';
rollback;
