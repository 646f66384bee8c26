-- No table and no database is old: rows need no freezing, whatever the transaction's number.
select max(age(relfrozenxid)) < 100000 as young, max(mxid_age(relminmxid)) < 100000 as few from pg_class where relkind in ('r', 'm', 't');
create table t (a int);
create index on t (a);
create view v as select * from t;
select relname, relfrozenxid <> '0' as has_rows, relminmxid <> '0' as may_have_shared_locks from pg_class where relname in ('t', 't_a_idx', 'v') order by 1;
select bool_and(age(datfrozenxid) < 100000) as young, bool_and(mxid_age(datminmxid) < 100000) as few from pg_database;
select age(relfrozenxid) >= 0 as past, age(relfrozenxid) <= age('3'::xid) as later from pg_class where oid = 't'::regclass;
begin;
insert into t values (1);
select age(xmin), age(pg_current_xact_id()::xid) from t;
rollback;
select mxid_age('0'), age('0'::xid), age('1'::xid), age('2'::xid);
select name from pg_config() where name not like 'C%FLAGS%' order by name;
select count(*), bool_and(setting is not null) from pg_config;
select c.relname, d.age from pg_class c left join (select oid, age(relfrozenxid) as age from pg_class where relname = 'none') d on d.oid = c.oid where c.relname = 't';
