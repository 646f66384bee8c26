-- quote_ident, quote_literal and quote_nullable write what can be read back.
select quote_ident('abc'), quote_ident('Abc'), quote_ident('a b'), quote_ident('a"b'), quote_ident(''), quote_ident('1a'), quote_ident('_a1$');
select quote_ident('select'), quote_ident('user'), quote_ident('name'), quote_ident('int'), quote_ident('é');
select quote_literal('abc'), quote_literal('it''s'), quote_literal(E'a\\b'), quote_literal(''), quote_literal(42), quote_literal(null), quote_literal(date '2024-01-01');
select quote_nullable('abc'), quote_nullable(null), quote_nullable(42), quote_nullable(E'\\');
select quote_ident(null), quote_ident(1);
select quote_ident('a'::name), quote_literal('\x01'::bytea), quote_literal(array['a', 'b''c']);
select parse_ident('a.b.c'), parse_ident('"A b".c'), parse_ident('Foo.BAR'), parse_ident(' a . b ');
select parse_ident('a.');
select parse_ident('"a');
select parse_ident('a b');
select parse_ident('a b', false), parse_ident('foo.bar(int)', false);
select parse_ident('');
select parse_ident('1a');
