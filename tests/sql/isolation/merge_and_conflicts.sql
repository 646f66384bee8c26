-- MERGE under concurrent changes looks at rows again, or fails on a key.
-- session a
create table t (k int primary key, v int);
insert into t values (1, 10), (2, 20);
begin;
update t set v = 15 where k = 1;
-- session b waits
merge into t using (values (1, 100)) s(k, n) on t.k = s.k when matched and t.v > 12 then update set v = t.v + n when matched then delete returning merge_action(), t.*;
-- session a
commit;
begin;
delete from t where k = 2;
-- session b waits
merge into t using (values (2, 7)) s(k, n) on t.k = s.k when matched then update set v = n when not matched then insert values (s.k, -1) returning merge_action(), t.*;
-- session a
commit;
begin;
insert into t values (3, 30);
-- session b waits
merge into t using (values (3, 7)) s(k, n) on t.k = s.k when not matched then insert values (s.k, n) returning merge_action(), t.*;
-- session a
commit;
begin isolation level repeatable read;
select count(*) from t;
-- session b
update t set v = 0 where k = 3;
-- session a
merge into t using (values (3, 7)) s(k, n) on t.k = s.k when matched then update set v = n;
rollback;
select * from t order by k;
