-- A timeout ends a comparison with the elements of large arrays.
set statement_timeout = '500ms';
select count(*) from generate_series(1, 100000) g where g < any (array_fill(0, array[5000000]));
select count(*) from generate_series(1, 100000) g where g > all (array_fill(0, array[5000000]));
reset statement_timeout;
select 1 < any (array[0, 2]), 1 < all (array[0, 2]);
