-- array_position and array_positions find elements, NULL too.
select array_position(array[1, 2, 3, 2], 2), array_position(array[1, 2, 3, 2], 2, 3), array_position(array[1, 2], 5), array_position(array[1, null], null), array_position(null::int[], 1);
select array_positions(array[1, 2, 1], 1), array_positions(array[1], 2), array_positions(array[1, null, null], null), array_positions(null::int[], 1);
select array_position('[0:2]={5,6,7}'::int[], 6), array_position('{}'::int[], 1), array_position(array['a', 'b'], 'b');
select array_position(array[[1, 2], [3, 4]], 1);
select array_positions(array[[1, 2]], 1);
select array_position(array[1, 2], 'x');
select array_position(array[1, 2], 1.5);
select array_position(array[1, 2, 1], 1, null);
select array_to_string(array[1, 2, null, 4], '-'), array_to_string(array[1, null], ',', 'nil'), array_to_string(array[true, false], ','), array_to_string(null::int[], ',');
select array_to_string(array[1], null), array_to_string('{}'::int[], ',') = '', array_to_string(array[date '2024-01-01', null], ',', '?');
select array_to_string(1, ',');
select unnest(array[1, 2]), array_ndims(array[unnest(array[1, 2])]);
