-- left and right count from either end, negative numbers leave off; reverse turns characters round.
select left('abcde', 2), left('abcde', -2), left('abcde', 0), left('abcde', 10), left('abcde', -10);
select right('abcde', 2), right('abcde', -2), right('abcde', 0), right('abcde', 10), right('abcde', -10);
select left('日本語', 2), right('日本語', 2), left('éa', 1), right('aé', -1);
select left(null, 1), left('a', null), right(null, 1), right('a', null);
select left('abc', -2147483648) = '', right('abc', -2147483648) = '';
select left('abc', 2147483648);
select reverse('abc'), reverse(''), reverse('日本語'), reverse(null), reverse('a');
select reverse('\x010203'::bytea), reverse(''::bytea);
select left(123, 1);
select left('ab'::char(5), 4) || '|', right('ab'::char(5), 4) || '|';
select repeat('ab', 3), repeat('ab', 0), repeat('ab', -1), repeat('', 5), repeat(null, 2);
select repeat('a', 2000000000);
