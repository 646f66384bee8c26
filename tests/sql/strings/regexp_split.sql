-- regexp_split_to_table and regexp_split_to_array cut where the pattern matches.
select regexp_split_to_array('the quick  brown fox', '\s+'), regexp_split_to_array('abc', ''), regexp_split_to_array('abc', 'x'), regexp_split_to_array('', 'x'), regexp_split_to_array('abc', 'abc');
select regexp_split_to_array('aXbxc', 'x'), regexp_split_to_array('aXbxc', 'x', 'i');
select foo from regexp_split_to_table('the quick brown fox', '\s*') as foo limit 5;
select * from regexp_split_to_table('a,b;c', '[,;]') with ordinality as x(w, n) order by n desc;
select regexp_split_to_array(',a,', ',');
select regexp_split_to_array('abc', 'b', 'g');
select regexp_split_to_table('abc', 'b', 'zz');
select regexp_split_to_array(null, 'a'), regexp_split_to_array('a', null);
select regexp_split_to_array('a1b22c', '[0-9]+'), regexp_split_to_array('日本語', '本');
select regexp_split_to_array('abc', '(?=b)');
select regexp_split_to_array('a', 'a{1000}');
