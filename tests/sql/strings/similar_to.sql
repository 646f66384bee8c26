-- SIMILAR TO knows alternatives, repetition and classes, over the whole string.
select 'abc' similar to 'abc', 'abc' similar to 'a', 'abc' similar to '%(b|d)%', 'abc' similar to '(b|c)%', 'abc' similar to '_b_';
select 'aaa' similar to 'a+', 'aaa' similar to 'a{3}', 'aaa' similar to 'a{2}', 'aaa' similar to 'a{1,}', 'aaa' similar to 'a{1,2}', '' similar to 'a*', 'a' similar to 'a?';
select 'a1' similar to '[a-z][0-9]', 'a1' similar to '[^a-z]%', 'A' similar to '[[:upper:]]', 'a.c' similar to 'a.c', 'abc' similar to 'a.c';
select 'a%b' similar to 'a\%b', 'a%b' similar to 'a#%b' escape '#', 'a|b' similar to 'a\|b';
select 'abc' not similar to 'a%', null similar to 'a', 'a' similar to null;
select 'abc' similar to '(';
select 'abc' similar to 'a' escape 'xx';
select 'xabcx' similar to '%abc%', 'a' similar to '(a|b)', 'ab' similar to '(a|b)*', 'abc' similar to 'abc|x';
select substring('abcdefg' similar 'a#"(b_d)#"%' escape '#'), substring('abcdefg' similar '#"%#"g' escape '#'), substring('abcdefg' similar 'x#"%#"g' escape '#');
select substring('abcdefg' similar 'a*#"%#"g*#"x' escape '#');
select similar_to_escape('a_%'), similar_to_escape('a#_', '#');
select '^a$' similar to '^a$', 'a' similar to '^a$';
