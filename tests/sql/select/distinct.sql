-- DISTINCT and DISTINCT ON.
create table t (a int, b text, c int);
insert into t values (1,'x',1),(1,'x',2),(1,'y',3),(2,'x',4),(null,'x',5),(null,'x',6);
select distinct a from t order by a;
select distinct a, b from t order by a, b;
select distinct b from t order by b desc;
select distinct on (a) a, b, c from t order by a, c desc;
select distinct on (a, b) a, b, c from t order by a, b, c;
select distinct on (b) b, a from t order by b, a nulls first;
select distinct on (1) a, b from t order by a, b;
select count(distinct a), count(distinct b), count(distinct (a, b)) from t;
select distinct a from t order by b;
select distinct on (a) a, c from t order by c;
select distinct a + 1 as s from t order by s;
select distinct null as n from t;
select distinct (a, b) as r from t order by r;
select all a from t where a = 1;
select distinct 1 from t;
select distinct on (nosuch) a from t;
