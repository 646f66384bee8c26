-- substring by position counts characters from one, before the beginning too.
select substring('hello' from 2), substring('hello' from 2 for 3), substring('hello' for 2), substring('hello', 2), substring('hello', 2, 3);
select substring('hello' from 0), substring('hello' from 0 for 3), substring('hello' from -1 for 3), substring('hello' from -5);
select substring('hello' from 6), substring('hello' from 10 for 2), substring('hello' from 2 for 0) = '';
select substring('hello' from 2 for -1);
select substr('hello', -2, 1);
select substr('hello', 2, -1);
select substr('héllo', 2, 2), substr('日本語', 3), substring('日本語' from 2 for 1);
select substring('\x01020304'::bytea from 2 for 2), substr('\x01020304'::bytea, 3), substring('\x0102'::bytea from 0 for 2);
select substring('hello' from 2147483647), substring('hello' from 2 for 2147483647), substring('hello' from -2147483648 for 2147483647);
select substring(null from 1), substring('a' from null), substring('a' from 1 for null);
select substring(123 from 1);
select substring('abc' from 1.5);
select substring('ab  '::char(6) from 2) || '|', pg_typeof(substring('a'::char(3) from 1));
select substring('foobar' from 'o.b'), substring('foobar' from 'o(.)b'), substring('foobar' from 'x'), substring('foobar' similar '%#"o_b#"%' escape '#');
select substring('foobar' from '%#"o_b#"%' for '#');
