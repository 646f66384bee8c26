-- Who waited for a row that is deleted then keeps no lock of it: those behind do not wait for its end.
-- session s
create table t (id int primary key, v int);
insert into t select i, i from generate_series(1, 8) i;
-- session a
begin;
delete from t where id = 1;
-- session b
begin;
-- session b waits
update t set v = 0 where id = 1 returning id;
-- session c waits
select * from t where id in (1, 2) for update;
-- session a
commit;
-- session s
select pg_sleep(0.2);
select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock';
-- session b
commit;
-- the same of a row lock, a DELETE and a MERGE
-- session a
begin;
delete from t where id = 3;
delete from t where id = 4;
delete from t where id = 5;
-- session b
begin;
-- session b waits
select * from t where id = 3 for share;
-- session c waits
delete from t where id = 3;
-- session a
commit;
-- session s
select pg_sleep(0.2);
select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock';
-- session b
commit;
-- session a
begin;
delete from t where id = 6;
-- session b
begin;
-- session b waits
merge into t using (values (6)) s(i) on t.id = s.i when matched then update set v = 7 when not matched then do nothing;
-- session c waits
select * from t where id = 6 for key share;
-- session a
commit;
-- session s
select pg_sleep(0.2);
select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock';
-- session b
commit;
-- session s
select * from t order by id;
drop table t;
