-- ARRAY[...], ARRAY(subquery) and literals make arrays of the elements' common type.
select array[1, 2, 3], array['a', 'b'], array[1.5, 2], array[true, null], array[[1, 2], [3, 4]];
select array[]::int[], array[]::text[] = '{}', array[null]::int[], pg_typeof(array[1, 2.5]), pg_typeof(array[null, 'a']);
select array[];
select array[1, 'a'];
select array[1, true];
select array[[1, 2], [3]];
select array[[1, 2], 3];
select array[array[1, 2], array[3, 4]], array[array[]::int[], array[]::int[]];
select array(select i from generate_series(1, 3) i order by i desc), array(select 1 where false), pg_typeof(array(select 'a'::text));
select array(select array[i, i * i] from generate_series(1, 3) i order by i);
select array(select 1, 2);
select array[1, 2]::text[], array['1', '2']::int[], '{1,2}'::bigint[], array[1, 2]::numeric(5,2)[];
select array['x', 'y']::int[];
select array[1]::int;
select '{{1,2},{3,4}}'::int[][], '{1,2}'::int[3], '{1,2,3,4}'::int[2], array[1, 2]::int array, array[1]::int array[5];
select array['a b', 'c,d', 'e"f', 'g\h', '', null, 'NULL', '{x}'];
