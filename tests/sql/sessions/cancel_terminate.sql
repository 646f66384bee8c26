-- pg_cancel_backend ends a statement, pg_terminate_backend a session.
-- session a
set application_name = 'one';
-- session b
set application_name = 'two';
-- session b waits
select pg_sleep(20);
-- session a
select pg_cancel_backend(pid) from pg_stat_activity where application_name = 'two';
-- session b
select 1;
begin;
-- session b waits
select pg_sleep(20);
-- session a
select pg_cancel_backend(pid) from pg_stat_activity where application_name = 'two';
-- session b
select 1;
rollback;
-- session a
create table t (a int);
-- session b
begin;
lock table t;
-- session a waits
select count(*) from t;
-- session b
select pg_cancel_backend(pid) from pg_stat_activity where application_name = 'one';
rollback;
-- session a
select count(*) from t;
select pg_cancel_backend(0);
select count(*) from pg_stat_activity where application_name = 'two';
