-- CREATE TABLE AS writes many rows, wide rows, rows without columns and no rows at all.
create table no_columns as select from generate_series(1, 3000);
select count(*) from no_columns;
create table wide as select i, repeat('x', 100000) as t, null::int as n from generate_series(1, 50) i;
select count(*), sum(length(t)), count(n), max(i) from wide;
create table none as select 1 as a where false;
select count(*) from none;
create table many as select i, md5(i::text) as b from generate_series(1, 10000) i;
select count(*), min(i), max(i), count(distinct b) from many;
create table failing as select 1 / (5000 - i) as q from generate_series(1, 10000) i;
select to_regclass('failing');
create materialized view seen as select i % 7 as m from many;
select m, count(*) from seen group by m order by m;
insert into many select i, '' from generate_series(10001, 13000) i;
refresh materialized view seen;
select count(*) from seen;
