-- array_append, prepend, cat, fill, remove, replace, trim, reverse, sort.
select array_append(array[1, 2], 3), array_append(null::int[], 1), array_append(array[1], null), array_prepend(0, array[1]), array_prepend(1, null::int[]);
select array_cat(array[1], array[2, 3]), array_cat(array[1], null), array_cat(array[[1, 2]], array[3, 4]), array_cat('{}'::int[], array[1]);
select array_append(array[[1, 2]], 3);
select array_cat(array[1, 2], array[[[1]]]);
select array_fill(7, array[3]), array_fill('x'::text, array[2, 2]), array_fill(0, array[2], array[5]), array_fill(null::int, array[2]), array_fill(1, '{}'::int[]);
select array_fill(1, null);
select array_fill(1, array[-1]);
select array_fill(1, array[1, null]);
select array_fill(1, array[2], array[1, 1]);
select array_remove(array[1, 2, 1, null], 1), array_remove(array[1, null], null), array_remove(array[1], 5), array_remove(null::int[], 1);
select array_remove(array[[1, 2]], 1);
select array_replace(array[1, 2, 1], 1, 9), array_replace(array[1, null], null, 0), array_replace(array[[1, 2], [2, 1]], 2, 5), array_replace(array[1], 1, null);
select trim_array(array[1, 2, 3], 1), trim_array(array[1, 2], 2), trim_array(array[1], 0);
select trim_array(array[1], 2);
select trim_array(array[1], -1);
select array_reverse(array[1, 2, 3]), array_reverse(array[[1, 2], [3, 4]]), array_reverse('{}'::int[]), array_sort(array[3, 1, null, 2]), array_sort(array[3, 1, null, 2], true), array_sort(array[3, 1, null, 2], true, false), array_sort(array['b', 'a']);
select array_sample(array[1], 1), array_shuffle(array[1]), array_sample(array[1, 2], 0);
select array_sample(array[1], 2);
