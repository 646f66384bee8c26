-- FOR UPDATE OF locks the rows of the named tables only.
-- session a
create table p (k int primary key, n text);
create table q (k int primary key, pk int);
insert into p values (1, 'one'), (2, 'two');
insert into q values (10, 1), (20, 2);
begin;
select p.n, q.k from p join q on q.pk = p.k order by q.k for update of q;
-- session b
update p set n = upper(n) where k = 1 returning *;
select * from q for update skip locked;
-- session b waits
update q set pk = pk where k = 10 returning *;
-- session a
commit;
begin;
select a.n from p a join q b on b.pk = a.k order by 1 for update of a for share of b;
-- session b
select * from q order by k for share nowait;
select * from p for update nowait;
select * from q for update nowait;
-- session a
rollback;
select p.n from p join q on true for update of x;
select a.n from p a for update of p;
select * from p left join q on q.pk = p.k for update;
select * from p left join q on q.pk = p.k order by p.k for update of p;
select distinct n from p for update;
select n from p group by n for update;
select n from p union select 'x' for update;
select * from (select * from p) s order by k for update;
with w as (select * from p) select * from w order by k for update;
