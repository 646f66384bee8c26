-- regexp_match and regexp_matches give captures, one match or all.
select regexp_match('foobarbequebaz', '(bar)(beque)'), regexp_match('foobar', 'bar'), regexp_match('foobar', 'x'), regexp_match('foobar', 'o(x)?b');
select regexp_match('FOO', 'foo'), regexp_match('FOO', 'foo', 'i'), regexp_match(null, 'a'), regexp_match('a', null);
select regexp_match('a', 'a', 'g');
select regexp_matches('foobarbequebazilbarfbonk', '(b[^b]+)(b[^b]+)', 'g');
select regexp_matches('foobarbequebazilbarfbonk', '(b[^b]+)(b[^b]+)');
select regexp_matches('abc', 'x', 'g');
select regexp_matches('aaa', 'a*?', 'g');
select m, n from regexp_matches('k1=v1;k2=v2', '(\w+)=(\w+)', 'g') with ordinality x(m, n);
select regexp_match('abc', '(');
select regexp_match('abc', 'a', 'z');
select regexp_match('abc', '[a');
select regexp_match('abc', '*a');
select regexp_match('abc', 'a{2,1}');
select regexp_match('abc', '\');
select regexp_match(E'a\nb', '^b'), regexp_match(E'a\nb', '^b', 'n'), regexp_match(E'a\nb', 'a.b'), regexp_match(E'a\nb', 'a.b', 'n'), regexp_match('a b', 'a b', 'x'), regexp_match('a.b', 'a.b', 'q');
