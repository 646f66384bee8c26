-- to_hex, to_bin and to_oct write two's complement digits; bits of bytea are read and set.
select to_hex(255), to_hex(0), to_hex(-1), to_hex(2147483647), to_hex(4294967295), to_hex(-1::bigint);
select to_bin(10), to_bin(0), to_bin(-1), to_bin(1::bigint << 40), to_oct(8), to_oct(-1), to_oct(0), to_oct(511::bigint);
select to_hex(null::int), to_bin(null::bigint);
select to_hex('a');
select to_hex(1.5);
select get_bit('\x0f'::bytea, 0), get_bit('\x0f'::bytea, 7), get_byte('\x0aff'::bytea, 1), set_bit('\x00'::bytea, 3, 1), set_byte('\x0000'::bytea, 1, 255);
select get_bit('\x0f'::bytea, 8);
select get_byte('\x0f'::bytea, -1);
select set_bit('\x00'::bytea, 0, 2);
select set_byte('\x00'::bytea, 0, 256);
select bit_count('\xff01'::bytea), bit_count(''::bytea);
select 0x1F, 0b101, 0o17, 1_000_000, 0xFFFF_FFFF, -0x10;
select 0x;
select 1__0;
select 12abc;
