-- Waiting sessions are served in the order in which they came.
-- session a
create table t (k int primary key, s text);
insert into t values (1, 'a');
begin;
update t set s = s || 'A';
-- session b waits
update t set s = s || 'B' returning s;
-- session c waits
update t set s = s || 'C' returning s;
-- session a
commit;
-- session b
select s from t;
-- session c
select s from t;
-- session a
begin;
lock table t in access share mode;
-- session b
begin;
-- session b waits
lock table t in access exclusive mode;
-- session c waits
select count(*) from t;
-- session a
commit;
-- session b
update t set s = 'done';
commit;
-- session c
select s from t;
-- session a
lock table t;
