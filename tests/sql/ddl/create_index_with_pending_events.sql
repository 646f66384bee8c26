-- CREATE INDEX of a table whose deferred checks are still to come.
create table p (a int primary key);
create table c (a int references p deferrable initially deferred);
begin;
insert into c values (1);
create index on c (a);
rollback;
begin;
insert into p values (1);
insert into c values (1);
savepoint s;
create index c_a on c (a);
rollback to s;
set constraints all immediate;
create index c_a on c (a);
commit;
select indexname from pg_indexes where tablename = 'c';
