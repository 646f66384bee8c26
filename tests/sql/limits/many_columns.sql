-- Tables of a thousand columns; 1600 are the most; targets of a select 1664.
select 'create table wide (' || string_agg('c' || i || ' int', ', ' order by i) || ')' from generate_series(1, 1000) i \gexec
insert into wide (c1, c500, c1000) values (1, 2, 3);
select c1, c2, c500, c1000 from wide;
update wide set c999 = 9 where c1 = 1 returning c999;
select count(*) from information_schema.columns where table_name = 'wide';
select 'create table too_wide (' || string_agg('c' || i || ' int', ', ' order by i) || ')' from generate_series(1, 1601) i \gexec
select 'select ' || string_agg(i::text, ', ' order by i) || ' limit 0' from generate_series(1, 1665) i \gexec
select 'insert into wide select ' || string_agg(i::text, ', ' order by i) from generate_series(1, 1000) i \gexec
select c1, c777, c1000 from wide order by c1, c777;
select 'insert into wide select ' || string_agg(i::text, ', ' order by i) from generate_series(1, 1001) i \gexec
alter table wide drop column c500;
select count(*) from wide where c500 = 1;
select c501 from wide order by c501;
select length(wide::text) from wide order by 1;
select 'create index on wide (' || string_agg('c' || i, ', ' order by i) || ')' from generate_series(1, 33) i \gexec
select 'create index on wide (' || string_agg('c' || i, ', ' order by i) || ')' from generate_series(1, 32) i \gexec
select count(*) from wide where c1 = 1 and c2 is null;
drop table wide;
