-- READ COMMITTED: MERGE joins a target row again that others have changed, and takes one that they have deleted as missing.
-- session a
create table t (k int primary key, v int, note text);
create table s (k int primary key, n int);
insert into t values (1, 10), (2, 20), (3, 30), (4, 40);
insert into s values (1, 100), (2, 200), (5, 500);
begin;
update t set v = 11 where k = 1;
-- session b waits
with m as (merge into t using s on t.k = s.k when matched then update set v = t.v + s.n when not matched then insert values (s.k, s.n, 'new') returning merge_action(), t.*) select * from m order by 2, 1;
-- session a
commit;
begin;
update t set k = 6 where k = 2;
-- session b waits
with m as (merge into t using s on t.k = s.k when matched then update set v = 0 returning merge_action(), t.*) select * from m order by 2, 1;
-- session a
commit;
begin;
update t set k = 7 where k = 5;
-- session b waits
with m as (merge into t using s on t.k = s.k when matched then update set v = -1 when not matched then insert values (s.k, s.n, 'again') returning merge_action(), t.*) select * from m order by 2, 1;
-- session a
commit;
begin;
update t set v = 300 where k = 3;
-- session b waits
with m as (merge into t using s on t.k = s.k when not matched by source and t.v > 100 then update set note = 'alone' when not matched by source then delete when matched then do nothing returning merge_action(), t.*) select * from m order by 2, 1;
-- session a
commit;
select * from t order by k;
begin;
update t set k = 8 where k = 1;
-- session b waits
with m as (merge into t using s on t.k = s.k when matched then update set note = 'both' when not matched by source then update set note = 'target' when not matched then insert values (s.k, s.n, 'source') returning merge_action(), t.*) select * from m order by 2, 1;
-- session a
commit;
begin;
delete from t where k = 2;
-- session b waits
with m as (merge into t using s on t.k = s.k when matched then delete when not matched by source then do nothing when not matched then insert values (s.k, -s.n, 'back') returning merge_action(), t.*) select * from m order by 2, 1;
-- session a
commit;
select * from t order by k;
-- session b
select * from t order by k;
