-- LIKE's escape character makes wildcards literal; a pattern must not end with it.
select 'a%b' like 'a\%b', 'axb' like 'a\%b', 'a_b' like 'a\_b', 'axb' like 'a_b';
select 'a%b' like 'a#%b' escape '#', 'axb' like 'a#%b' escape '#', 'a#b' like 'a##b' escape '#';
select 'a\b' like 'a\b' escape '', 'a\b' like 'a\\b', 'a%' like 'a\' escape '';
select 'abc' like 'ab\';
select 'abc' like 'ab' escape 'xy';
select 'abc' like null, null like 'a', 'a' like 'a' escape null;
select '' like '', '' like '%', '' like '_', 'a' like '', 'é' like '_', '日本' like '__', 'abc' like '%%c', 'abc' like '_%_';
select 'abc' not like 'a%', 'ABC' ilike 'a%', 'ABC' not ilike 'a%', 'É' ilike 'é', 'abc' ~~ 'a%', 'abc' !~~ 'a%', 'ABC' ~~* 'abc', 'ABC' !~~* 'abc';
select 'abc'::char(5) like 'abc', 'abc'::char(5) like 'abc  ', 'abc'::name like 'a%', '\x6162'::bytea like 'a%'::bytea, '\x6162'::bytea like '\x61'::bytea;
select 1 like '1';
select '%' like '%' escape '%';
select 'a' like any (array['b%', 'a%']), 'a' like all (array['a%', '_']), 'a' not like all (array['b%', 'c']), 'A' ilike any (array['a']);
select like_escape('a#%', '#'), textlike('abc', 'a%'), textnlike('abc', 'a%'), texticlike('ABC', 'a%');
