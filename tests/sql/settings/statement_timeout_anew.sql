-- The clock of statement_timeout begins anew with each statement of a message.
set statement_timeout = '400ms';
select pg_sleep(0.25)\; select pg_sleep(0.25);
select pg_sleep(0.25)\; select pg_sleep(5)\; select 1;
set statement_timeout = 0;
set statement_timeout = '200ms'\; select pg_sleep(5);
show statement_timeout;
set statement_timeout = '200ms';
set statement_timeout = 0\; select pg_sleep(0.3);
select pg_cancel_backend(pg_backend_pid());
select pg_cancel_backend(pg_backend_pid())\; select 1;
select 1 as still_here;
begin;
select pg_cancel_backend(pg_backend_pid());
commit;
