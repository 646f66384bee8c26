-- now() and its kin agree within a transaction; precision is a limit.
begin;
select now() = transaction_timestamp(), now() = current_timestamp, current_date = now()::date, localtimestamp = now()::timestamp, localtime = now()::time, current_time = now()::timetz;
select statement_timestamp() >= now(), clock_timestamp() >= statement_timestamp(), timeofday() is not null;
select pg_typeof(now()), pg_typeof(current_date), pg_typeof(current_time), pg_typeof(localtime), pg_typeof(localtimestamp), pg_typeof(clock_timestamp()), pg_typeof(timeofday());
commit;
select extract(microseconds from current_timestamp(0))::int % 1000000, current_timestamp(3) - current_timestamp < interval '1 second', extract(microseconds from localtime(0))::int % 1000000;
select current_timestamp(-1);
select current_timestamp(7) is not null;
select now(1);
select current_date();
select localtime(2) is not null, current_time(2) is not null, localtimestamp(2) is not null;
select 'now'::timestamptz = now(), 'today'::timestamptz = current_date, 'tomorrow'::date - 'yesterday'::date;
select current_timestamp - interval '1 day' < now(), age(current_date) = interval '0', pg_typeof(age(now()));
select now() at time zone 'UTC' = (now() at time zone 'UTC'), now()::timestamp at time zone current_setting('timezone') = now();
create table td (id int, a timestamptz default now(), b date default current_date, c time default localtime(0), d text default current_user);
insert into td (id) values (1);
select a <= now(), b <= current_date, c is not null, d = current_user from td;
