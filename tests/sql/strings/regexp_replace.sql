-- regexp_replace replaces the first match, the n-th or all, with captures.
select regexp_replace('foobarbaz', 'b..', 'X'), regexp_replace('foobarbaz', 'b..', 'X', 'g'), regexp_replace('foobarbaz', 'b(..)', 'X\1Y', 'g');
select regexp_replace('abc', 'x', 'y'), regexp_replace('abc', '', '-'), regexp_replace('abc', '', '-', 'g'), regexp_replace('abc', '$', 'd');
select regexp_replace('abc', 'b', '[\&]'), regexp_replace('abc', 'b', '\\'), regexp_replace('abc', 'b', '\5'), regexp_replace('abc', '(b)', '\1\1');
select regexp_replace('Thomas', '.[mN]a.', 'M'), regexp_replace('ABC', 'b', 'x', 'i'), regexp_replace('AbAb', 'B', 'x', 'gi');
select regexp_replace('aXaXaX', 'X', 'y', 3), regexp_replace('aXaXaX', 'X', 'y', 1, 2), regexp_replace('aXaXaX', 'X', 'y', 1, 0), regexp_replace('aXaXaX', 'x', 'y', 3, 0, 'i');
select regexp_replace('a', 'a', 'b', 0);
select regexp_replace('a', 'a', 'b', 1, -1);
select regexp_replace('a', 'a', 'b', '1');
select regexp_replace('a', 'a', 'b', 'x?');
select regexp_replace(null, 'a', 'b'), regexp_replace('a', 'a', null);
select regexp_replace('日本語', '本', '\&\&'), regexp_replace('éé', 'é', 'e', 'g');
select regexp_replace('a b  c', '\s+', ' ', 'g'), regexp_replace('2024-05-06', '(\d+)-(\d+)-(\d+)', '\3/\2/\1'), regexp_replace('aaa', 'a{2}', 'b');
