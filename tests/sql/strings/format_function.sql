-- format fills %s, %I and %L, with positions, widths and flags.
select format('Hello %s', 'World'), format('%s %s', 1, null), format('%%'), format('no args');
select format('%I', 'simple'), format('%I', 'Needs Quote'), format('%I', 'select'), format('%I', 'a"b');
select format('%L', 'it''s'), format('%L', null), format('%L', E'back\\slash'), format('%L', 12);
select format('%2$s %1$s', 'a', 'b'), format('%1$s %1$s', 'x'), format('%2$s %s', 'a', 'b', 'c');
select format('|%10s|', 'abc'), format('|%-10s|', 'abc'), format('|%*s|', 6, 'abc'), format('|%-*s|', 6, 'abc'), format('|%*s|', -6, 'abc'), format('|%2$*1$s|', 6, 'abc');
select format('%s', array[1, 2]), format('%s', row(1, 'a')), format('%s', true), format('%s', 1.50);
select format('%I', null);
select format('%s');
select format('%x', 1);
select format('%');
select format('%3$s', 1, 2);
select format('%0$s', 1);
select format('%1s$', 'a', 'b');
select format('%s %s', variadic array['a', 'b']), format('%s', variadic null::text[]), format(null, 1);
select format('Hello %1$', 'x');
