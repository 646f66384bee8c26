-- upper, lower and initcap change letters of the C.UTF-8 collation only where a letter has another case.
select upper('abc'), upper('ABC'), upper('a1-b'), upper(''), upper(null);
select lower('ABC'), lower('aBc'), lower('A1-B');
select upper('éàü'), lower('ÉÀÜ'), upper('ß'), lower('ẞ');
select upper('привет'), lower('ПРИВЕТ'), upper('ελληνικά');
select initcap('hello world'), initcap('HELLO WORLD'), initcap('hello-world foo_bar 1st 2ND');
select initcap(''), initcap('o''neil'), initcap('éa éb');
select upper('abc' collate "C"), upper('éa' collate "C"), lower('ÉA' collate "C");
select casefold('ABC éÀ');
select upper(1);
select lower('ABC'::char(5)) || '|', upper('x'::varchar) || '|', initcap('ab cd'::name);
select upper('a') || lower('B') as both;
select pg_typeof(upper('a'::char(3))), pg_typeof(lower('a'::varchar)), pg_typeof(initcap('a'));
