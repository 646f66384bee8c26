-- A transaction that has locked a temporary table cannot be prepared.
create temp table tt (a int);
begin;
lock table tt in access share mode;
prepare transaction 'locked_temporary';
select count(*) from pg_prepared_xacts where gid = 'locked_temporary';
