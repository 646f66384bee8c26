-- replace takes every occurrence, translate maps characters, overlay writes over a place.
select replace('abcabc', 'b', 'X'), replace('abcabc', 'bc', ''), replace('abc', '', 'x'), replace('', 'a', 'b'), replace('aaa', 'aa', 'b');
select replace(null, 'a', 'b'), replace('a', null, 'b'), replace('a', 'a', null);
select replace('日本', '本', '米'), replace('abc', 'B', 'x');
select translate('12345', '143', 'ax'), translate('abc', 'abc', ''), translate('abc', '', 'xyz'), translate('aabb', 'aab', 'xyz');
select translate('日本', '本', '語x'), translate(null, 'a', 'b'), translate('éa', 'é', 'e');
select overlay('Txxxxas' placing 'hom' from 2 for 4), overlay('abcdef' placing 'XY' from 3), overlay('abc' placing 'XY' from 10), overlay('abc' placing '' from 2 for 1);
select overlay('abc' placing 'x' from 0);
select overlay('abc' placing 'x' from 2 for -1);
select overlay('\x010203'::bytea placing '\xff'::bytea from 2 for 1), overlay('\x010203'::bytea placing '\xffff'::bytea from 2);
select overlay('abc' placing 'x' from 2147483647 for 1);
select overlay('abc' placing null from 2), overlay('日本語' placing '国' from 2 for 1);
select replace(123, '1', '2');
select translate('abc', 'ab');
