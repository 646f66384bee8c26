-- COPY FROM: WHERE, DEFAULT, ON_ERROR, FORCE options, generated and identity columns.
create table t (a int, b text default 'dflt', c int default 7);
copy t from stdin where a > 2;
1	a	1
3	b	2
4	c	3
\.
copy t from stdin where nosuch = 1;
copy t from stdin where a;
copy t from stdin where a = (select 1);
copy t (a) from stdin where c = 7 and b = 'dflt';
10
\.
select * from t order by a;
copy t from stdin (default '\D');
20	\D	1
21	x	\D
\.
copy t from stdin (default '\D');
\D	x	1
\.
copy t from stdin (format csv, default 'DEF');
22,DEF,DEF
23,"DEF",1
\.
select * from t where a >= 20 order by a;
copy t from stdin (on_error ignore, log_verbosity verbose);
30	ok	1
x	bad	1
31	bad	y
32	ok	2
\.
copy t from stdin (on_error ignore, reject_limit 1);
33	ok	1
x	bad	1
y	bad	1
\.
copy t from stdin (on_error ignore, log_verbosity silent);
34	ok	1
x	bad	1
\.
copy t from stdin (on_error ignore);
35	ok
\.
select * from t where a >= 30 order by a;
copy t from stdin (format csv, force_null (b), force_not_null (b));
40,"",1
41,,1
\.
select a, b, b is null as n from t where a >= 40 order by a;
create table g (id int generated always as identity, a int, twice int generated always as (a * 2) stored);
copy g from stdin;
100	5
\.
copy g (a) from stdin;
6
\.
copy g (twice) from stdin;
copy g from stdin where twice > 1;
select * from g order by a;
copy g to stdout;
create view v as select * from t;
copy v from stdin;
1	a	1
\.
create table parent (id int primary key);
create table child (id int references parent);
insert into parent values (1);
copy child from stdin;
1
2
\.
copy child from stdin;
1
1
\.
select count(*) from child;
copy t (a, b) from stdin (delimiter ',');
50,a\,b
51,\N
\.
select a, b from t where a >= 50 order by a;
