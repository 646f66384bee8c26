-- Data-modifying WITH: all see one snapshot.
create table a (x int);
create table b (x int);
insert into a values (1), (2), (3);
with moved as (delete from a where x < 3 returning x) insert into b select x from moved returning x;
select * from a;
select * from b order by x;
with i as (insert into a values (10) returning x) select count(*) from a;
select count(*) from a;
with u as (update a set x = x + 1 returning x), d as (delete from b returning x) select (select sum(x) from u) as u, (select sum(x) from d) as d;
select * from a order by x;
select * from b;
with i as (insert into b select generate_series(1, 3) returning x) select max(x) from i;
with t as (insert into b values (99)) select 1;
select max(x) from b;
with t as (insert into b values (1)) select * from t;
with recursive t as (insert into b values (1) returning x) select * from t;
