-- How unnamed columns are called.
select 1, 'a', null, true, 1.5;
select 1 + 1, -1, not true, 1 = 1;
select now() is null, count(*), max(1), coalesce(1, 2), nullif(1, 2), greatest(1), least(1);
select cast(1 as text), 1::int8, '1'::numeric(5,2), int '7', date '2024-01-01';
select case when true then 1 end, case when true then 1 else count(*) end;
select array[1, 2], row(1, 2), (select 5), exists (select 1), array(select 1);
select extract(year from date '2024-05-06'), position('b' in 'abc'), substring('abc' from 2), trim('  x '), overlay('abc' placing 'x' from 2), upper('a');
select (array[1,2])[1], (row(1,2)).f1;
select "a""b" from (select 1 as "a""b") s;
select 1 as "select", 2 as end, 3 value;
select a.b from (select 3 as b) a;
select current_date is null, current_user, session_user, current_catalog, current_schema;
select 1 as A, 2 as "A";
select 1 x, 2 as y, 3 "Z z";
select localtimestamp is null as l, interval '1 day';
