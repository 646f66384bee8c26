-- statement_timeout holds for the statements after the one that sets it, also when that takes it away.
set statement_timeout = '400ms';
reset statement_timeout;
select pg_sleep(0.6);
set statement_timeout = '400ms';
select set_config('statement_timeout', '0', false);
select pg_sleep(0.6);
set statement_timeout = '400ms';
select pg_sleep(5);
begin;
set local statement_timeout = 0;
select pg_sleep(0.6);
commit;
select pg_sleep(5);
begin;
set local statement_timeout = '10s';
rollback;
select pg_sleep(5);
reset all;
select pg_sleep(0.6);
begin;
set statement_timeout = '400ms';
rollback;
select pg_sleep(0.6);
prepare p as select pg_sleep($1);
set statement_timeout = '400ms';
execute p(5);
set statement_timeout = 0;
execute p(0.6);
select 1 as one \bind \g
set statement_timeout = '400ms' \bind \g
set statement_timeout = 0 \bind \g
select pg_sleep(0.6) \bind \g
set statement_timeout = '400ms' \bind \g
select pg_sleep($1) \bind 5 \g
