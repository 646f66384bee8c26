-- DO UPDATE locks the row before it looks at its condition, and keeps the lock when that is not met.
-- session s
create table t (id int primary key, v int, k int unique);
insert into t values (1, 10, 101), (2, 20, 102), (3, 30, 103);
-- session a
begin;
insert into t values (1, 0, 0) on conflict (id) do update set v = 99 where t.v > 50 returning *;
-- session b
select * from t where id = 1 for update nowait;
select * from t where id = 1 for no key update nowait;
select * from t where id = 1 for share nowait;
select * from t where id = 1 for key share nowait;
-- session b waits
update t set v = 11 where id = 1 returning *;
-- session a
commit;
-- an assigned key makes it a lock of the key
-- session a
begin;
insert into t values (1, 0, 101) on conflict (k) do update set k = 101 where false;
-- session b
select * from t where id = 1 for key share nowait;
-- session a
savepoint x;
insert into t values (2, 0, 0) on conflict (id) do update set v = 1 where false;
-- session b
select * from t where id = 2 for update skip locked;
-- session a
rollback to x;
-- session b
select * from t where id = 2 for update skip locked;
-- session a
commit;
-- it waits for those who have locked the row
-- session a
begin;
select * from t where id = 2 for share;
-- session b waits
insert into t values (2, 0, 0) on conflict (id) do update set v = 21 where t.v = 0 returning *;
-- session a
update t set v = 0 where id = 2;
commit;
select * from t where id = 2;
-- a row that the command has written itself
insert into t values (7, 1, 7), (7, 2, 8) on conflict (id) do update set v = 0 where t.v > 50;
insert into t values (3, 1, 0), (3, 2, 0) on conflict (id) do update set v = 60 where t.v < 50;
insert into t values (3, 1, 0), (3, 2, 0) on conflict (id) do update set v = 60 where t.v > 50;
-- a snapshot that is too old
begin isolation level repeatable read;
select * from t where id = 3;
-- session b
update t set v = 31 where id = 3;
-- session a
insert into t values (3, 0, 0) on conflict (id) do update set v = 1 where false;
rollback;
select * from t order by id;
drop table t;
