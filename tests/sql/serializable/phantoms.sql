-- Rows that appear in a range which another transaction has read: by an index and by all of the table.
-- session s
create table a (k int primary key, v int);
insert into a select i * 10, i from generate_series(1, 1000) i;
analyze a;
-- By a range of the primary key.
-- session s1
set enable_seqscan = off;
begin isolation level serializable;
select count(*) from a where k between 100 and 200;
-- session s2
set enable_seqscan = off;
begin isolation level serializable;
select count(*) from a where k between 500 and 600;
-- session s1
insert into a values (555, 0);
commit;
-- session s2
insert into a values (155, 0);
commit;
-- The whole table.
-- session s1
begin isolation level serializable;
select sum(v) from a;
-- session s2
begin isolation level serializable;
select sum(v) from a;
insert into a values (-1, 1);
-- session s1
insert into a values (-2, 1);
-- session s2
commit;
-- session s1
commit;
-- A key that is not there.
-- session s1
begin isolation level serializable;
select * from a where k = 1001;
-- session s2
begin isolation level serializable;
select * from a where k = 1003;
insert into a values (1001, 1);
-- session s1
insert into a values (1003, 1);
commit;
-- session s2
commit;
-- Points of different keys do not conflict.
-- session s1
begin isolation level serializable;
select * from a where k = 3010;
update a set v = v + 1 where k = 7010;
-- session s2
begin isolation level serializable;
select * from a where k = 9010;
update a set v = v + 1 where k = 5010;
-- session s1
commit;
-- session s2
commit;
-- Deleting what another counted.
-- session s1
begin isolation level serializable;
select count(*) from a where k between 2000 and 2030;
-- session s2
begin isolation level serializable;
select count(*) from a where k between 3000 and 3030;
delete from a where k = 2010;
-- session s1
delete from a where k = 3020;
-- session s2
commit;
-- session s1
commit;
-- A row that moves into the range.
-- session s1
begin isolation level serializable;
select count(*) from a where k between 4001 and 4009;
-- session s2
begin isolation level serializable;
select count(*) from a where k between 4011 and 4019;
update a set k = 4005 where k = 8000;
commit;
-- session s1
update a set k = 4015 where k = 8100;
commit;
