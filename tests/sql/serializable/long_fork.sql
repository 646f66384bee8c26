-- Long fork and chains of more than two: snapshots that see two changes in different orders.
-- session s
create table x (k int primary key, v int);
insert into x select i, 0 from generate_series(1, 4) i;
set enable_seqscan = off;
-- session r1
set enable_seqscan = off;
begin isolation level serializable;
select v from x where k = 1;
-- session w1
begin isolation level serializable;
update x set v = 1 where k = 1;
-- session w2
begin isolation level serializable;
update x set v = 1 where k = 2;
-- session r2
begin isolation level serializable;
select v from x where k = 2;
-- session w1
commit;
-- session w2
commit;
-- session r1
select v from x where k = 2;
commit;
-- session r2
select v from x where k = 1;
commit;
-- Three in a circle.
-- session w1
set enable_seqscan = off;
begin isolation level serializable;
select v from x where k = 1;
-- session w2
set enable_seqscan = off;
begin isolation level serializable;
select v from x where k = 2;
-- session r1
begin isolation level serializable;
select v from x where k = 3;
-- session w1
update x set v = 5 where k = 2;
-- session w2
update x set v = 5 where k = 3;
-- session r1
update x set v = 5 where k = 1;
-- session w1
commit;
-- session w2
commit;
-- session r1
commit;
-- session s
select * from x order by k;
-- A savepoint that is rolled back does not take back what was read.
-- session w1
begin isolation level serializable;
savepoint a;
select v from x where k = 1;
rollback to a;
-- session w2
begin isolation level serializable;
select v from x where k = 4;
update x set v = 6 where k = 1;
-- session w1
update x set v = 6 where k = 4;
-- session w2
commit;
-- session w1
commit;
-- Who rolls back is in nobody's way.
-- session w1
begin isolation level serializable;
select v from x where k = 1;
-- session w2
begin isolation level serializable;
select v from x where k = 4;
update x set v = 7 where k = 1;
-- session w1
update x set v = 7 where k = 4;
rollback;
-- session w2
commit;
