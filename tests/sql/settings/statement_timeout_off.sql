-- A statement that ends statement_timeout is the last one that it counts for.
set statement_timeout = '300ms';
set statement_timeout = 0;
select pg_sleep(0.6);
set statement_timeout = '300ms';
reset statement_timeout;
select pg_sleep(0.6);
set statement_timeout = '300ms';
select pg_sleep(5);
