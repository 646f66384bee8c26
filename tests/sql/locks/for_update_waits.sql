-- SELECT FOR UPDATE waits for the transaction that changed or locked the row, and sees its result.
-- session a
create table t (k int primary key, v int);
insert into t values (1, 10), (2, 20);
begin;
select * from t where k = 1 for update;
-- session b
select * from t where k = 1;
select * from t where k = 2 for update;
-- session b waits
select * from t where k = 1 for update;
-- session a
update t set v = 11 where k = 1;
commit;
begin;
delete from t where k = 2;
-- session b waits
select * from t where k = 2 for update;
-- session a
commit;
begin;
update t set v = v + 1 where k = 1;
-- session b waits
select * from t where v = 11 for update;
-- session a
commit;
begin;
update t set v = v + 1 where k = 1;
-- session b waits
select * from t where v = 12 for update;
-- session a
rollback;
-- session b
begin;
select * from t for update;
-- session a waits
update t set v = 0;
-- session b
rollback;
-- session a
select * from t;
select * from t for update of nosuch;
select count(*) from t for update;
select 1 for update;
