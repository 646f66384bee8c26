-- WITH RECURSIVE: sequences, trees, cycles, UNION against UNION ALL.
with recursive t (n) as (values (1) union all select n + 1 from t where n < 5) select * from t;
with recursive t (n) as (values (1) union all select n + 1 from t where n < 100) select sum(n) from t;
with recursive fib (a, b) as (values (0, 1) union all select b, a + b from fib where b < 50) select a from fib;
create table tree (id int primary key, parent int, name text);
insert into tree values (1, null, 'root'), (2, 1, 'a'), (3, 1, 'b'), (4, 2, 'aa'), (5, 4, 'aaa'), (6, 3, 'ba');
with recursive sub as (select id, name, 0 as depth from tree where parent is null union all select t.id, t.name, s.depth + 1 from tree t join sub s on t.parent = s.id) select * from sub order by depth, id;
with recursive path as (select id, name::text as p from tree where parent is null union all select t.id, path.p || '/' || t.name from tree t join path on t.parent = path.id) select * from path order by p;
with recursive up as (select * from tree where id = 5 union all select t.* from tree t join up on t.id = up.parent) select id from up order by id;
create table edge (a int, b int);
insert into edge values (1,2),(2,3),(3,1),(3,4);
with recursive reach (n) as (values (1) union select b from edge join reach on a = n) select n from reach order by n;
with recursive t (n) as (values (1) union all select n + 1 from t) select n from t limit 4;
with recursive t (n) as (select 1 union all select n || 'x' from t) select * from t;
with recursive t (n) as (select n from t union all select 1) select * from t;
with recursive t (n) as (values (1) union all select sum(n) from t) select * from t;
with recursive t (n) as (values (1) union all (select n + 1 from t where n < 3)), u as (select n * 10 as m from t) select * from u order by m;
with recursive t as (select 1 as n union all select n + 1 from t where n < 3) select t1.n, t2.n from t t1 join t t2 on t1.n = t2.n order by 1;
