-- Domains: constraints on casts, inserts, updates and COPY.
create domain posint as int check (value > 0);
select 5::posint, '7'::posint, 5::posint + 1;
select 0::posint;
select '-1'::posint;
create domain name5 as varchar(5) not null default 'dflt' check (value <> 'bad');
create table d (a posint, b name5);
insert into d values (1, 'x');
insert into d values (0, 'x');
insert into d values (1, 'bad');
insert into d values (1, null);
insert into d values (1, 'toolong');
insert into d (a) values (2);
insert into d values (null, 'y');
select * from d order by a;
update d set a = a - 5 where a = 2;
update d set a = a + 5 where a = 2;
copy d from stdin;
8	eight
-8	y
\.
copy d from stdin;
9	\N
\.
copy d (a) from stdin;
10
\.
select * from d order by a;
select null::posint, null::name5;
create domain posint2 as posint check (value < 100) constraint even check (value % 2 = 0);
select 4::posint2, 5::posint2;
select 200::posint2;
select (-4)::posint2;
select array[1, 2]::posint[], '{1,0}'::posint[];
create table da (x posint[]);
insert into da values ('{1,2}'), (array[3]);
insert into da values ('{1,-2}');
insert into da values (array[0]);
select x[1] + 1 from da order by 1;
select a + 1, pg_typeof(a), pg_typeof(a + 1) from d where a = 1;
create type ct as (p posint, t text);
select row(1, 'x')::ct, '(2,y)'::ct;
select row(0, 'x')::ct;
select '(0,y)'::ct;
prepare p(posint) as select $1;
execute p(3);
execute p(-3);
