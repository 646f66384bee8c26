-- READ COMMITTED: the recheck of a row keeps the rows of other tables that it was joined with.
-- session a
create table acc (k int primary key, bal int);
create table rate (k int, mul int);
insert into acc values (1, 100), (2, 200);
insert into rate values (1, 2), (2, 3);
begin;
update acc set bal = bal + 50 where k = 1;
-- session b waits
update acc set bal = bal * mul from rate where rate.k = acc.k returning acc.k, bal, mul;
-- session a
commit;
-- session b
select * from acc order by k;
-- session a
begin;
update acc set bal = 0 where k = 2;
-- session b waits
delete from acc using rate where rate.k = acc.k and bal > 500 returning acc.k;
-- session a
commit;
-- session b
select * from acc order by k;
-- session a
begin;
update acc set bal = bal + 1;
-- session b waits
select k, bal, (select sum(bal) from acc) as total from acc order by k for update;
-- session a
commit;
begin;
update acc set bal = -1 where k = 1;
-- session b waits
with u as (update acc set bal = bal + 1000 where bal >= 0 returning *) select * from u order by k;
-- session a
commit;
-- session b
select * from acc order by k;
