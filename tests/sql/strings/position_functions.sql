-- position, strpos and starts_with find strings; an empty one is found at the beginning.
select position('b' in 'abc'), position('x' in 'abc'), position('' in 'abc'), position('abc' in ''), position('' in '');
select strpos('hello', 'l'), strpos('hello', 'lo'), strpos('hello', ''), strpos('', 'x');
select position('本' in '日本語'), strpos('éèé', 'é'), strpos('ééab', 'ab');
select position('\x02'::bytea in '\x010203'::bytea), position(''::bytea in '\x01'::bytea), position('\x05' in '\x01'::bytea);
select position(null in 'a'), position('a' in null), strpos(null, 'a');
select starts_with('alphabet', 'alph'), starts_with('alphabet', ''), starts_with('a', 'ab'), starts_with(null, 'a');
select 'alphabet' ^@ 'alph', 'alphabet' ^@ 'b', '' ^@ '';
select position('a', 'b');
select position(1 in 21);
select strpos('abc');
select strpos('aaa', 'aa'), strpos('abab', 'bab');
select position('B' in 'abc'), position(lower('B') in 'abc');
