-- Number constants have the smallest type that holds them.
select pg_typeof(1), pg_typeof(2147483648), pg_typeof(9223372036854775808), pg_typeof(1.0), pg_typeof(1e3), pg_typeof(.5), pg_typeof(5.);
select 1e3, 1.5e-3, .5, 5., 1E+2, 0.00, 1e0, 00012;
select -1, +1, - -1, 1 - -1, 1--1
;
select 1.5.5;
select 1e;
select 1_000.000_5, 0b1111_0000, 0o7_7, 1_0e1_0;
select _1;
select 1_;
select 0b12;
select 0xg;
select 100000000000000000000, -9223372036854775808, 9223372036854775807, 0x7fffffffffffffff, 0x8000000000000000;
select pg_typeof(0xffffffff), pg_typeof(0b1), pg_typeof(-2147483648), pg_typeof('1'), pg_typeof(1::int2 + 1);
select 1 + '1', 1 + ' 2 ', 1.5 + '1';
select 1 + '1.5';
select 1 + 'a';
select '1' + '1';
