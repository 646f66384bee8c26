-- USING merges columns; aliases rename them.
create table p (k int, v int);
create table r (k int, w int);
insert into p values (1,10),(2,20);
insert into r values (2,200),(3,300);
select k, v, w from p join r using (k);
select * from p left join r using (k) order by k;
select p.k, r.k from p full join r using (k) order by 1, 2;
select j.k, j.v from (p join r using (k)) as j (k, v, w);
select j.* from p join r using (k) as j;
select z.a, z.b from p as z (a, b) order by a;
select * from p as z (a) order by a;
select * from p as z (a, b, c);
select * from p join r using (nosuch);
select * from (select 1 as a) x join (select 1 as a) y using (a) join (select 1 as a) z using (a);
