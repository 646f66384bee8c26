-- ~ and its kin match anywhere; classes, escapes, anchors, back references and lookaround work.
select 'abc' ~ 'b', 'abc' ~ '^b', 'abc' ~* 'B', 'abc' !~ 'b', 'abc' !~* 'X', 'abc' ~ '', '' ~ '^$';
select 'a1_' ~ '^\w+$', 'a b' ~ '\s', '12' ~ '^\d+$', 'a' ~ '\D', ' ' ~ '\S', '-' ~ '\W';
select 'foo bar' ~ '\mbar', 'foobar' ~ '\mbar', 'foo bar' ~ 'foo\M', 'foobar' ~ 'foo\M', 'foobar' ~ 'o\Bb', 'foo bar' ~ '\yfoo\y', 'abc' ~ '\Aabc\Z';
select 'abab' ~ '(ab)\1', 'abba' ~ '(a)(b)\2\1', 'abcd' ~ '(a)\1';
select 'foobar' ~ 'foo(?=bar)', 'foobaz' ~ 'foo(?!bar)', 'foobar' ~ '(?<=foo)bar', 'xbar' ~ '(?<!foo)bar', 'ab' ~ '(?:a)(b)';
select 'aaa' ~ '^a{3}$', 'aaa' ~ '^a{2,}$', 'aaa' ~ '^a{1,2}$', 'xyz' ~ 'x|q', 'b' ~ '[^a]', ']' ~ '[]]', '-' ~ '[a-]', 'é' ~ '[[:alpha:]]', '5' ~ '[[:digit:][:space:]]';
select substring('xaaay' from 'a+?'), substring('xaaay' from 'a+'), substring('xaaay' from 'a??y'), substring('foo"bar"baz"' from '".*?"'), substring('foo"bar"baz"' from '".*"');
select 'a' ~ '(?i)A', 'A' ~ '***:a', 'a.b' ~ '***=a.b', 'axb' ~ '***=a.b', 'a b' ~ '(?x) a \s b # note';
select E'a\nb' ~ 'a$', E'a\nb' ~ '(?n)a$', E'a\nb' ~ '(?w)a$', E'a\nb' ~ '(?p)a.b';
select 'abc' ~ 'a(b';
select 'abc' ~ 'a)';
select 'abc' ~ '[z-a]';
select 'abc' ~ '[[:nosuch:]]';
select 'abc' ~ '(a)\2';
select null ~ 'a', 'a' ~ null, 'ab'::char(4) ~ 'b$', 'ab'::name ~ 'ab';
select '\x61' ~ 'a', 'a' ~ '\x61', 'a' ~ '\u0061', E'\t' ~ '\t', 'aé' ~ '^a.$';
