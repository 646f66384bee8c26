-- psql shows one result expanded, unaligned, as CSV, without headers, with another NULL.
create table t (a int, b text);
insert into t values (1, 'x'), (2, null);
\x on
select 1 as a, 'long value' as b, null as c;
select * from t where false;
select * from t order by a;
\x off
\pset null '(null)'
select null as a, '' as b;
\pset format unaligned
select 1 as a, 'x' as b;
select * from t order by a;
\pset format csv
select 'a,b' as "x,y", 'quote"d' as q, e'line\nbreak' as l;
\pset format html
select '<b>' as tag;
\pset format aligned
\pset tuples_only on
select 1, 2;
\pset tuples_only off
\pset border 2
select * from t order by a;
\pset border 0
select e'two\nlines' as v, 1.50 as n;
\pset border 1
\pset numericlocale off
select a, b from t order by a \gx
select 5 as five \gset
select :five + 1 as six;
select 'x' as nosuch \gset pre_
select :'pre_nosuch' as v;
select 1 as a, 'b' as b \gdesc
select 'select ' || g from generate_series(1, 2) g \gexec
select b, a, count(*) from t group by 1, 2 order by 1, 2 \crosstabview
\echo :ROW_COUNT :SQLSTATE :ERROR
select 1 / 0;
\echo :LAST_ERROR_MESSAGE :LAST_ERROR_SQLSTATE :SQLSTATE :ERROR
