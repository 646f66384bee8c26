-- split_part gives the n-th field, from the end for negative numbers.
select split_part('a,b,c', ',', 1), split_part('a,b,c', ',', 2), split_part('a,b,c', ',', 3), split_part('a,b,c', ',', 4) = '';
select split_part('a,b,c', ',', -1), split_part('a,b,c', ',', -3), split_part('a,b,c', ',', -4) = '';
select split_part('a,b,c', ',', 0);
select split_part('abc', '', 1), split_part('abc', '', -1), split_part('abc', '', 2) = '', split_part('', ',', 1) = '';
select split_part('a~@~b~@~c', '~@~', 2), split_part('aaaa', 'aa', 2) = '', split_part('aaa', 'aa', 2);
select split_part('日,本', ',', 2), split_part(',a', ',', 1) = '', split_part('a,', ',', -1) = '';
select split_part(null, ',', 1), split_part('a', null, 1), split_part('a', ',', null);
select split_part('a', ',', 2147483648);
select string_to_array('a,b,c', ','), string_to_array('a,b,c', ',', 'b'), string_to_array('', ','), string_to_array('abc', null), string_to_array('abc', '');
select string_to_array(null, ','), string_to_array('a,,c', ',', ''), string_to_array('a,b', ',', null);
select * from string_to_table('a,b,,d', ',') with ordinality;
select * from string_to_table('a,b,,d', ',', '') with ordinality as x(v, n);
select * from string_to_table('abc', null);
select array_to_string(array['a', null, 'c'], ','), array_to_string(array['a', null, 'c'], ',', '*'), array_to_string(array[]::text[], ','), array_to_string(array[[1,2],[3,4]], ',');
