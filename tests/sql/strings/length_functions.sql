-- char_length counts characters, octet_length bytes, bit_length bits.
select length('jose'), length('josé'), length(''), length(null::text);
select char_length('héllo'), character_length('日本語');
select octet_length('héllo'), octet_length('日本語'), octet_length('\x0102'::bytea);
select bit_length('abc'), bit_length('é'), bit_length('\xff'::bytea);
select length('ab   '::char(8)), octet_length('ab   '::char(8)), bit_length('ab'::char(4));
select length('ab   '::varchar(8)), length('ab  '::text);
select length('\x00ff00'::bytea), length(''::bytea);
select length('abc'::bytea, 'UTF8');
select length('\xff'::bytea, 'UTF8');
select length(123);
select length('a', 'b', 'c');
select char_length('x'::name);
