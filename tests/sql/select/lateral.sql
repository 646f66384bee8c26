-- LATERAL subqueries and functions see what stands left of them.
create table t (id int, n int);
insert into t values (1,2),(2,0),(3,3);
select t.id, g from t, lateral generate_series(1, t.n) g order by 1, 2;
select t.id, g from t, generate_series(1, t.n) g order by 1, 2;
select t.id, g from t left join lateral generate_series(1, t.n) g on true order by 1, 2;
select t.id, s.m from t, lateral (select t.n * 10 as m) s order by 1;
select t.id, s.c from t left join lateral (select count(*) as c from t u where u.n < t.n) s on true order by 1;
select t.id, s.* from t cross join lateral (select u.id as uid from t u where u.id > t.id order by u.id limit 1) s order by 1;
select t.id from t, (select t.n) s;
select * from lateral (select 1) s;
select * from t right join lateral (select t.n) s on true;
select a, b from unnest(array[1,2]) a, lateral unnest(array[a, a*10]) b;
