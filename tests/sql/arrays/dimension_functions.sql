-- array_ndims, array_dims, bounds, length and cardinality; empty arrays have none.
select array_ndims(array[[1, 2], [3, 4]]), array_ndims(array[1]), array_ndims('{}'::int[]), array_ndims(null::int[]);
select array_dims(array[[1, 2, 3], [4, 5, 6]]), array_dims('[-2:1]={1,2,3,4}'::int[]), array_dims('{}'::int[]);
select array_length(array[1, 2, 3], 1), array_length(array[1], 2), array_length('{}'::int[], 1), array_length(array[[1, 2]], 2), array_length(array[1], 0), array_length(array[1], -1);
select array_lower('[0:2]={1,2,3}'::int[], 1), array_upper('[0:2]={1,2,3}'::int[], 1), array_lower('{}'::int[], 1), array_upper(array[[1, 2]], 2);
select cardinality(array[[1, 2], [3, 4]]), cardinality('{}'::int[]), cardinality(null::int[]), cardinality(array[null]::int[]);
select array_ndims(1);
select array_length('{1,2}', 1);
select array_length(array[1]);
select generate_subscripts('[5:7]={a,b,c}'::text[], 1) order by 1;
select generate_subscripts(array[1, 2, 3], 1, true);
select count(*) from generate_subscripts('{}'::int[], 1);
select i, j from generate_subscripts(array[[1, 2, 3], [4, 5, 6]], 1) i, generate_subscripts(array[[1, 2, 3], [4, 5, 6]], 2) j order by i, j;
select cardinality('x');
