-- A transaction sees what another one sees.
-- session s
create table t (a int);
insert into t values (1);
-- session one
begin isolation level repeatable read;
select pg_export_snapshot() ~ '^[0-9A-F]{8}-[0-9A-F]{8}-1$';
select pg_export_snapshot() ~ '^[0-9A-F]{8}-[0-9A-F]{8}-2$';
insert into t values (100);
savepoint a;
select pg_export_snapshot();
rollback;
-- session s
begin isolation level repeatable read;
select pg_export_snapshot() as name \gset
insert into t values (2);
-- session two
insert into t values (3);
-- session s
select count(*) from t;
commit;
-- What cannot be imported.
begin;
set transaction snapshot '00000003-0000001B-1';
rollback;
begin isolation level repeatable read;
set transaction snapshot 'xyz';
rollback;
begin isolation level repeatable read;
set transaction snapshot 'ABC-DEF-1';
rollback;
begin isolation level repeatable read;
select 1;
set transaction snapshot 'ABC-DEF-1';
rollback;
begin isolation level repeatable read;
savepoint a;
set transaction snapshot 'ABC-DEF-1';
rollback;
set transaction snapshot 'ABC-DEF-1';
begin isolation level serializable;
set transaction snapshot 'ABC-DEF-1';
rollback;
