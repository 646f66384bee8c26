-- = ANY and op ALL compare with each element, with NULLs as in three-valued logic.
select 2 = any (array[1, 2]), 3 = any (array[1, 2]), 3 = any (array[1, null]), 1 = any (array[1, null]), null = any (array[1]), 1 = any (null::int[]), 1 = any ('{}');
select 2 = all (array[2, 2]), 2 = all (array[2, 3]), 2 = all (array[2, null]), 2 = all (array[3, null]), null = all (array[1]), 1 = all ('{}'), null = all ('{}'::int[]);
select 2 > any (array[1, 5]), 2 > all (array[1, 0]), 2 <> all (array[1, 3]), 2 <> any (array[2, 2]), 'abc' like any (array['x%', 'a%']), 'abc' ~ all (array['a', 'b']);
select 1 = any (array[[1, 2], [3, 4]]), 4 = any (array[[1, 2], [3, 4]]);
select 1 = some (array[1]), 1.0 = any (array[1, 2]), 1 = any (array[1.5, 1.0]);
select 1 = any (array['1', '2']);
select 1 = any ('{1,2}'), 'a' = any ('{a,b}'), date '2024-01-01' = any ('{2024-01-01}');
select 1 = any (1);
select 1 = any (array['x', 'y']);
select 1 + any (array[1]);
select 'x' = any ('{1,2}'::int[]);
select i from generate_series(1, 5) i where i = any (array[2, 4, null]) order by i;
select i from generate_series(1, 5) i where i <> all (array[2, 4]) order by i;
select i from generate_series(1, 5) i where i <> all (array[2, null]) order by i;
select i from generate_series(1, 3) i where not i = any (array(select j from generate_series(2, 9) j)) order by i;
select i in (1, null), i not in (1, null), i in (1, 2) from generate_series(1, 2) i order by i;
