-- Containment, overlap, concatenation and comparison of arrays.
select array[1, 2, 3] @> array[2], array[1, 2] @> array[2, 2, 1], array[1] @> array[]::int[], array[1, null] @> array[null]::int[];
select array[2] <@ array[1, 2, 3], array[]::int[] <@ array[1], array[[1, 2], [3, 4]] @> array[3];
select array[1, 2] && array[2, 3], array[1] && array[2], array[]::int[] && array[]::int[], array[null]::int[] && array[null]::int[];
select array[1, 2] || array[3], array[1, 2] || 3, 0 || array[1, 2], array[1] || null::int, null::int[] || array[1], array[[1, 2]] || array[3, 4], array[1, 2] || array[[3, 4]];
select array[1] || array[[1, 2], [3, 4]];
select array[1] || 'a';
select array[1] || array['a'];
select array[1, 2] = array[1, 2], array[1, 2] <> array[1, 3], array[1, 2] < array[1, 3], array[1, 2] < array[1, 2, 0], array[2] > array[1, 9], array[1, null] = array[1, null], array[1, null] > array[1, 5];
select '[0:1]={1,2}'::int[] = array[1, 2], array[[1], [2]] = array[1, 2], array[]::int[] < array[null]::int[];
select array[1, 2] = array['1', '2'];
select array[1, 2] = array[1.0, 2.0];
select array['a']::text[] = array['a']::varchar[], array[1]::int[] = array[1]::bigint[];
select a from (values (array[2, 1]), (array[1, 2, 3]), (array[1]), (null), ('{}')) v(a) order by a;
select distinct a from (values (array[1, 2]), (array[1, 2]), (array[2, 1])) v(a) order by a;
select a, count(*) from (values (array['x']), (array['x']), (array[null])) v(a) group by a order by a;
select point '(1,2)' = any (array[point '(1,2)']);
