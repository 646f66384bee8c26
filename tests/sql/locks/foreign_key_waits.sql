-- Foreign keys wait for open changes of what they refer to.
-- session a
create table p (k int primary key, v text);
create table c (pk int references p on delete cascade);
insert into p values (1, 'x'), (2, 'y');
begin;
delete from p where k = 1;
-- session b waits
insert into c values (1);
-- session a
commit;
begin;
delete from p where k = 2;
-- session b waits
insert into c values (2);
-- session a
rollback;
begin;
insert into c values (2);
-- session b
update p set v = 'z' where k = 2;
-- session b waits
delete from p where k = 2;
-- session a
commit;
select count(*) from c;
begin;
insert into p values (3, 'new');
-- session b
insert into c values (3);
-- session a
commit;
-- session b
insert into c values (3);
-- session a
begin;
insert into c values (3);
-- session b waits
update p set k = 33 where k = 3;
-- session a
rollback;
select k from p order by k;
select pk from c order by pk;
