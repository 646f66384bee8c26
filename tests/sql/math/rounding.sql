-- round, trunc, ceil and floor, of numeric away from zero, of double to even.
select round(2.5), round(3.5), round(-2.5), round(0.5), round(2.4999);
select round(2.5::float8), round(3.5::float8), round(-2.5::float8), round(0.5::float8);
select round(123.456, 2), round(123.456, 0), round(123.456, -1), round(155, -1), round(155, -2), round(-123.455, 2), round(123.456, 10);
select trunc(2.9), trunc(-2.9), trunc(123.456, 2), trunc(123.456, -2), trunc(-2.9::float8), trunc(0.999, 2);
select ceil(2.1), ceil(-2.1), ceiling(2.0), floor(2.9), floor(-2.1), ceil(2.1::float8), floor(-2.1::float8), ceil(-0.5::float8);
select round(2.5::float8, 1);
select round('NaN'::numeric), round('infinity'::numeric, 2), trunc('-infinity'::numeric), ceil('NaN'::float8), floor('infinity'::float8);
select sign(-2.5), sign(0.0), sign(3), sign(-1.5::float8), sign('NaN'::float8), sign('-infinity'::numeric);
select abs(-1.5), abs(-1.5::float8), abs(-5), @ -5, abs(null::int);
select scale(1.500), min_scale(1.500), trim_scale(1.500), scale(1e10), min_scale(0.000), trim_scale(0.00);
select round(null), round(1.5, null);
select round('abc');
select round(1, 2, 3);
select width_bucket(5.35, 0.024, 10.06, 5), width_bucket(0, 1, 10, 5), width_bucket(10, 1, 10, 5), width_bucket(5, 10, 1, 3), width_bucket(5::float8, 0, 10, 4), width_bucket(6, array[1, 5, 10]);
select width_bucket(1, 0, 10, 0);
select width_bucket(1, 5, 5, 3);
select width_bucket('NaN'::float8, 0, 10, 3);
