-- Tables joined with themselves, chains of joins, and parentheses around them.
create table emp (id int primary key, boss int, name text, pay int);
insert into emp values (1, null, 'ada', 100), (2, 1, 'bob', 80), (3, 1, 'cyd', 90), (4, 2, 'dan', 85), (5, 9, 'eve', 70);
select e.name, b.name from emp e left join emp b on b.id = e.boss order by 1;
select e.name, b.name, g.name from emp e join emp b on b.id = e.boss left join emp g on g.id = b.boss order by 1;
select e.name from emp e join emp b on b.id = e.boss and e.pay > b.pay order by 1;
select e.name, count(s.id) from emp e left join emp s on s.boss = e.id group by e.name order by 2 desc, 1;
select a.name, b.name from emp a join emp b on a.id < b.id and a.boss = b.boss;
select e.name, x.name from emp e left join (emp x join emp y on y.boss = x.id) on x.id = e.boss and y.id = e.id order by 1;
select name from emp e where not exists (select 1 from emp s where s.boss = e.id) order by 1;
select e.name from emp e left join emp b on b.id = e.boss where b.id is null order by 1;
select e.name, r from emp e, lateral (select rank() over (order by pay desc) as r, id from emp) q where q.id = e.id order by r;
select e.id from emp e join emp b on b.id = e.boss where id = 1;
select e.name from (emp e join emp b on b.id = e.boss) where b.name = 'ada' order by 1;
select q.name from (emp e join emp b on b.id = e.boss) as q;
select e.name from (emp e join emp b on b.id = e.boss) as q;
select q.a, q.c from (emp e join emp b on b.id = e.boss) as q(a, b, c) order by 1;
select e.name from emp e join emp e on true;
select max(e.pay - b.pay), min(b.name) from emp e join emp b on e.boss = b.id group by b.boss order by b.boss nulls first;
