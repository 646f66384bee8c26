-- Write skew: two transactions that read what the other one changes cannot both commit.
-- session s
create table test (i int primary key, t text);
insert into test values (5, 'apple'), (7, 'pear'), (11, 'banana');
-- session s1
begin isolation level serializable;
show transaction_isolation;
-- session s2
begin isolation level serializable;
-- session s1
update test set t = 'apple' where t = 'pear';
-- session s2
update test set t = 'pear' where t = 'apple';
-- session s1
commit;
-- session s2
commit;
-- session s
select * from test order by i;
create table doctors (name text primary key, shift int, on_call bool);
insert into doctors values ('alice', 1, true), ('bob', 1, true), ('carol', 2, true);
-- session s1
begin isolation level serializable;
select count(*) from doctors where shift = 1 and on_call;
-- session s2
begin isolation level serializable;
select count(*) from doctors where shift = 1 and on_call;
-- session s1
update doctors set on_call = false where name = 'alice';
commit;
-- session s2
update doctors set on_call = false where name = 'bob';
commit;
-- session s
select * from doctors order by name;
-- One of them is read-only in effect: both commit.
-- session s1
begin isolation level serializable;
select count(*) from doctors where on_call;
-- session s2
begin isolation level serializable;
select count(*) from doctors where on_call;
update doctors set on_call = true where name = 'alice';
commit;
-- session s1
select count(*) from doctors where on_call;
commit;
-- Repeatable read lets it happen.
-- session s1
begin isolation level repeatable read;
select count(*) from doctors where shift = 1 and on_call;
-- session s2
begin isolation level repeatable read;
select count(*) from doctors where shift = 1 and on_call;
update doctors set on_call = false where name = 'bob';
commit;
-- session s1
update doctors set on_call = false where name = 'alice';
commit;
-- session s
select * from doctors order by name;
