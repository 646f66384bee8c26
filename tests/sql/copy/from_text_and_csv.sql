-- COPY FROM: text format, errors and their context.
create table t (a int, b text, c numeric(5,2) default 1.5);
copy t from stdin;
1	one	1.25
2	\N	\N
3	tab\there\\	3
\.
select * from t order by a;
copy t (b, a) from stdin;
x	10
y	20
\.
select * from t where a >= 10 order by a;
copy t from stdin;
x	one	1
\.
copy t from stdin;
4	four
\.
copy t from stdin;
4	four	4	5
\.
copy t from stdin;
5	five	5
6	six	1234.5
\.
copy t from stdin;
	empty	1
\.
copy t (a, nosuch) from stdin;
copy t (a, a) from stdin;
copy nosuch from stdin;
copy t from stdin (delimiter '|', null 'NIL');
7|NIL|NIL
8|a\|b|2
\.
select * from t where a in (7, 8) order by a;
copy t from stdin (format csv);
9,"nine, ""quoted""",9.5
10,,
11,"",3
"12","multi
line",1
\.
select a, b, b is null as n, c from t where a between 9 and 12 order by a, b;
copy t from stdin (format csv, header);
a,b,c
13,x,1
\.
copy t from stdin (format csv, header match);
a,c,b
14,x,1
\.
copy t from stdin (format csv, header match);
a,b
14,x
\.
copy t from stdin with (header match, null 'c');
a	b	c
14	x	1
\.
copy t from stdin (format csv);
15,"unterminated,1
\.
copy t from stdin (format csv);
15,"a
b",x
\.
copy t from stdin;
16	\x41\102\n	1
17	a\.b	1
\.
select * from t where a in (16, 17) order by a;
create table nn (id int primary key, v text not null check (length(v) < 5));
copy nn from stdin;
1	a
2	\N
\.
copy nn from stdin;
1	a
2	toolong
\.
copy nn from stdin;
1	a
2	b
1	c
\.
copy nn from stdin;
1	a
2	b
\.
copy nn from stdin;
3	c
2	d
\.
select * from nn order by id;
create table vc (a varchar(3), b char(4), d date);
copy vc from stdin;
abc	x	2024-01-01
abcd	y	2024-01-01
\.
copy vc from stdin;
abc	x	2024-13-01
\.
copy vc from stdin (on_error ignore);
abc	x	2024-01-01
abcd	y	2024-01-01
a	y	yesterdayish
b	z	2024-01-02
\.
select * from vc order by a;
