-- Hash functions give PostgreSQL's numbers.
SELECT hashint4(0), hashint4(42), hashint4(-1), hashint2(42::smallint), hashint8(42), hashint8(-42), hashint8(123456789012345), hashoid(42), hashchar('a'), hashbool(true);
SELECT hashtext(''), hashtext('a'), hashtext('abcd'), hashtext('abcdefgh'), hashtext('abcdefghijk'), hashtext('abcdefghijkl'), hashtext('abcdefghijklmnopqrstuvwxyz'), hashname('pg_class'), hashbpchar('ab  '), hashbpchar('ab');
SELECT hashint4extended(42, 0), hashint4extended(42, 1), hashint4extended(42, -123456789012), hashint8extended(-42, 7), hashtextextended('abc', 0), hashtextextended('abcdefghijklmnop', 99), hashcharextended('x', 5), hashoidextended(1, 2);
SELECT hashfloat4(1.5), hashfloat8(1.5), hashfloat8(0), hashfloat8(-0.0), hashfloat8('NaN'), hashfloat8extended(0, 12), hashfloat8extended(2.5, 12);
SELECT hashdate('2024-02-29'), time_hash('10:00'), timestamp_hash('2024-02-29 10:00'), timestamptz_hash('2024-02-29 10:00+00'), timetz_hash('10:00+02'), interval_hash('1 month'), interval_hash('30 days'), interval_hash('-1 day 3 hours'), interval_hash_extended('1 day', 4), timetz_hash_extended('10:00+02', 3);
SELECT uuid_hash('a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'), uuid_hash_extended('a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', 3), pg_lsn_hash('16/B374D848'), hashxid8('42'), hashbytea('\xdeadbeef01');
