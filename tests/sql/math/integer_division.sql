-- Division and modulo of integers cut towards zero, and refuse zero.
select 7 / 2, -7 / 2, 7 / -2, -7 / -2, 7 % 3, -7 % 3, 7 % -3, -7 % -3;
select 7::smallint / 2::smallint, 7::bigint / 2, 7 / 2.0, 7 / 2::float8, pg_typeof(7::smallint / 2::bigint);
select div(7, 2), div(-7, 2), div(7.5, 2), mod(7, 3), mod(-7, 3), mod(7.5, 2), mod(-7::bigint, 4::smallint);
select 1 / 0;
select 1 % 0;
select 1.0 / 0;
select mod(1.5, 0);
select div(1, 0);
select 1 / 0::float8;
select (-2147483648) / -1;
select (-9223372036854775808) / -1;
select (-32768)::int2 / (-1)::int2;
select (-2147483648) % -1, (-9223372036854775808) % -1, (-32768)::int2 % (-1)::int2;
select gcd(12, 18), gcd(-12, 18), gcd(0, 5), gcd(0, 0), lcm(4, 6), lcm(0, 3), lcm(-4, 6), gcd(1.5, 1), lcm(1.5, 1);
select gcd((-2147483648)::int, 0);
select lcm(2147483647, 2147483646);
select factorial(0), factorial(5), factorial(20), factorial(25);
select factorial(-1);
