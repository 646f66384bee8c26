-- A pivot finds out by a row's older version, though others have changed the row many times since.
-- session a
create table accounts (id int primary key, v int);
create table other (id int);
insert into accounts values (1, 0), (2, 0);
begin isolation level serializable;
select count(*) from other;
insert into accounts values (3, 0);
-- session b
begin isolation level serializable;
insert into accounts values (4, 1);
commit;
update accounts set v = v + 1 where id = 4;
update accounts set v = v + 1 where id = 4;
update accounts set v = v + 1 where id = 4;
update accounts set v = v + 1 where id = 4;
update accounts set v = v + 1 where id = 4;
update accounts set v = v + 1 where id = 4;
update accounts set v = v + 1 where id = 4;
update accounts set v = v + 1 where id = 4;
update accounts set v = v + 1 where id = 4;
update accounts set v = v + 1 where id = 4;
update accounts set v = v + 1 where id = 4;
update accounts set v = v + 1 where id = 4;
update accounts set v = v + 1 where id = 4;
update accounts set v = v + 1 where id = 4;
update accounts set v = v + 1 where id = 4;
update accounts set v = v + 1 where id = 4;
update accounts set v = v + 1 where id = 4;
update accounts set v = v + 1 where id = 4;
update accounts set v = v + 1 where id = 4;
update accounts set v = v + 1 where id = 4;
update accounts set v = v + 1 where id = 4;
update accounts set v = v + 1 where id = 4;
update accounts set v = v + 1 where id = 4;
update accounts set v = v + 1 where id = 4;
-- session a
select * from accounts order by id;
-- session c
begin isolation level serializable, read only;
select * from accounts order by id;
commit;
-- session a
commit;
-- session b
select * from accounts order by id;
drop table accounts, other;
