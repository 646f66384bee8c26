-- FOR SHARE and FOR KEY SHARE go together; each keeps out what it must.
-- session a
create table t (k int primary key, v int);
insert into t values (1, 10), (2, 20);
begin;
-- session b
begin;
-- session a
select * from t where k = 1 for share;
-- session b
select * from t where k = 1 for share;
select * from t where k = 1 for key share;
-- session b waits
update t set v = 11 where k = 1;
-- session a
commit;
-- session b
commit;
-- session a
begin;
select * from t where k = 1 for key share;
-- session b
update t set v = 12 where k = 1;
-- session b waits
delete from t where k = 1;
-- session a
rollback;
begin;
select * from t where k = 2 for no key update;
-- session b
select * from t where k = 2 for key share;
-- session b waits
select * from t where k = 2 for share;
-- session a
commit;
begin;
select * from t where k = 2 for key share;
-- session b
select * from t where k = 2 for no key update;
-- session b waits
update t set k = 3 where k = 2;
-- session a
commit;
select * from t order by k;
begin;
select * from t for share;
update t set v = 0;
commit;
