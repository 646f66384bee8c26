-- KEY SHARE and foreign keys ask for nothing but the key: updates of other columns, committed or
-- not, before or after the snapshot, are in nobody's way.
-- session a
create table p (id int primary key, n text, u int unique);
create table c (pid int references p);
insert into p values (1, 'a', 1), (2, 'a', 2), (3, 'a', 3), (4, 'a', 4);
-- Committed since the snapshot.
begin isolation level repeatable read;
select count(*) from c;
-- session b
update p set n = 'z' where id = 1;
update p set n = 'y' where id = 1;
update p set u = 20 where id = 2;
delete from p where id = 4;
-- session a
insert into c values (1);
select n from p where id = 1 for key share;
select n from p where id = 1 for share;
rollback;
begin isolation level repeatable read;
select count(*) from c;
-- session b
update p set u = 21 where id = 2;
update p set n = 'x' where id = 2;
-- session a
select n from p where id = 2 for key share;
rollback;
-- An update that names the key and leaves it as it was.
begin;
update p set id = 1, n = 'b', u = 1 where id = 1;
-- session b
insert into c values (1);
select id, n from p where id = 1 for key share;
select id from p where id = 1 for share nowait;
-- session a
commit;
-- The other way round: a row that refers to it is there, not committed.
begin;
insert into c values (3);
-- session b
update p set id = 3, n = 'c' where id = 3;
update p as t set id = s.id, n = 'd', u = s.u from (values (3, 3)) s (id, u) where t.id = s.id;
insert into p values (3, 'e', 3) on conflict (id) do update set n = 'e';
set lock_timeout = '100ms';
\set VERBOSITY terse
update p set id = 33 where id = 3;
update p set u = 33 where id = 3;
-- session a
commit;
select * from p order by id;
select * from c order by pid;
drop table c, p;
