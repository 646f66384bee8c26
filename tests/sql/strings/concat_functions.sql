-- concat and concat_ws leave NULLs out and take any type; || does not.
select concat('a', 1, null, true, 2.50, date '2024-02-29'), concat(null), concat(null, null) = '';
select concat_ws(',', 'a', null, 'b', 3), concat_ws(null, 'a', 'b'), concat_ws('', 'a', 'b'), concat_ws(',') = '', concat_ws(',', null, null) = '';
select concat();
select concat_ws();
select concat(variadic array['a', 'b', null, 'c']), concat_ws('-', variadic array[1, 2, null, 3]), concat(variadic null::text[]);
select concat_ws(',', variadic 10);
select 'a' || null, 'a' || 1, 1 || 'a', 'a' || true, 'a' || 1.50, 'a' || date '2024-01-01';
select 1 || 2;
select 'a'::char(3) || 'b', 'a'::char(3) || 'b'::char(3) || '|', 'x'::name || 'y';
select concat('a'::char(3), 'b'), concat(array[1,2], row(1,'x')), concat('\x41'::bytea);
select pg_typeof('a'::char(2) || 'b'::char(2)), pg_typeof(concat(1)), pg_typeof('a' || 'b');
select 'a' || array['b'], array['a'] || 'b'::text, array[1] || 2;
