-- lpad and rpad fill with a string to a length, and cut what is longer.
select lpad('ab', 5), lpad('ab', 5, 'x'), lpad('ab', 5, 'xyz'), lpad('abc', 2), lpad('abc', 2, 'x');
select rpad('ab', 5) || '|', rpad('ab', 5, 'x'), rpad('ab', 5, 'xyz'), rpad('abc', 2), rpad('abc', 2, 'x');
select lpad('ab', 5, '') || '|', rpad('ab', 5, '') || '|', lpad('', 3, 'x'), rpad('', 3, 'ab');
select lpad('ab', 0), lpad('ab', -1), rpad('ab', 0), rpad('ab', -5);
select lpad('é', 3, 'ü'), rpad('é', 3, 'ü'), lpad('日本', 4, '語');
select lpad(null, 3), lpad('a', null), lpad('a', 3, null);
select lpad('a', 2000000000);
select lpad('a', 3000000000);
select rpad('a', 1073741824, 'é');
select lpad(1, 3);
select lpad(1::text, 3, '0');
select length(lpad('x', 100000, 'abc')), right(lpad('x', 100000, 'abc'), 3);
