-- What a foreign key does to referring rows fails where the transaction's snapshot does not see them.
-- session a
create table p (id int primary key);
create table c (id int primary key, pid int references p on delete cascade on update cascade);
create table n (id int primary key, pid int references p on delete set null);
create table r (id int primary key, pid int references p);
insert into p values (1), (2), (3), (4), (5);
insert into c values (10, 5);
begin isolation level repeatable read;
select count(*) from p;
-- session b
insert into c values (1, 1);
-- session a
delete from p where id = 1;
rollback;
begin isolation level repeatable read;
select count(*) from p;
-- session b
insert into c values (2, 2);
-- session a
update p set id = 20 where id = 2;
rollback;
begin isolation level serializable;
select count(*) from p;
-- session b
insert into n values (3, 3);
-- session a
delete from p where id = 3;
rollback;
begin isolation level repeatable read;
select count(*) from p;
-- session b
insert into r values (4, 4);
-- session a
delete from p where id = 4;
rollback;
-- Changed since: seen, but not as it is.
begin isolation level repeatable read;
select count(*) from p;
-- session b
update c set id = 11 where id = 10;
-- session a
delete from p where id = 5;
rollback;
-- Own rows, and those that are seen, are no hindrance; nor is anything at READ COMMITTED.
begin isolation level repeatable read;
insert into c values (12, 5);
delete from p where id = 5;
select * from c order by id;
rollback;
begin;
select count(*) from p;
-- session b
insert into c values (13, 5);
-- session a
delete from p where id = 5;
select * from c order by id;
commit;
drop table c, n, r, p;
