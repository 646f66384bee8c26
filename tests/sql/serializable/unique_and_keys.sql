-- Unique keys and foreign keys under SERIALIZABLE: a failure to serialize is told first.
-- session s
create table test (i int primary key);
create table invoice (year int, number int, primary key (year, number));
insert into invoice values (2016, 1), (2016, 2);
create table parent (k int primary key);
create table child (k int, p int references parent);
insert into parent values (1), (2);
-- session s1
begin isolation level serializable;
select * from test where i = 42;
-- session s2
begin isolation level serializable;
select * from test where i = 42;
-- session s1
insert into test values (42);
-- session s2 waits
insert into test values (42);
-- session s1
commit;
-- session s2
rollback;
-- Without having looked it is a duplicate.
-- session s1
begin isolation level serializable;
insert into test values (43);
-- session s2
begin isolation level serializable;
-- session s2 waits
insert into test values (43);
-- session s1
commit;
-- session s2
rollback;
-- The next number.
-- session s1
begin isolation level serializable;
select coalesce(max(number) + 1, 1) from invoice where year = 2016;
-- session s2
begin isolation level serializable;
select coalesce(max(number) + 1, 1) from invoice where year = 2016;
-- session s1
insert into invoice values (2016, 3);
-- session s2 waits
insert into invoice values (2016, 3);
-- session s1
commit;
-- session s2
rollback;
-- Children of different parents.
-- session s1
begin isolation level serializable;
insert into child values (1, 1);
-- session s2
begin isolation level serializable;
insert into child values (2, 2);
-- session s1
commit;
-- session s2
commit;
-- A parent that goes while a child comes.
-- session s1
begin isolation level serializable;
insert into parent values (3);
commit;
begin isolation level serializable;
delete from parent where k = 3;
-- session s2
begin isolation level serializable;
-- session s2 waits
insert into child values (3, 3);
-- session s1
commit;
-- session s2
rollback;
-- ON CONFLICT.
-- session s1
begin isolation level serializable;
insert into test values (50) on conflict do nothing;
-- session s2
begin isolation level serializable;
-- session s2 waits
insert into test values (50) on conflict do nothing;
-- session s1
commit;
-- session s2
rollback;
