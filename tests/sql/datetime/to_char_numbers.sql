-- to_char and to_number of numbers: digits, groups, signs, currency, exponents, Roman.
select to_char(1234.5, '9999.99'), to_char(1234.5, 'FM9999.99'), to_char(1234.5, '0000.00'), to_char(1234.5, 'FM0999.990'), to_char(0, '9.99'), to_char(0, '0.99'), to_char(0.5, '.99'), to_char(-0.5, '9.99');
select to_char(1234567.891, '9,999,999.99'), to_char(1234567, 'FM9,999,999'), to_char(12, '9,999'), to_char(1234, '9G999D99'), to_char(1234, '0,000,000');
select to_char(-12, '99S'), to_char(-12, 'S99'), to_char(12, 'S99'), to_char(-12, '99MI'), to_char(12, '99MI') || '|', to_char(-12, 'MI99'), to_char(-12, 'PL99'), to_char(12, 'PL99'), to_char(-12, 'SG99'), to_char(-12, '99PR'), to_char(12, '99PR') || '|', to_char(-12, '<99>');
select to_char(12345, '999'), to_char(12345.6, '999.9'), to_char(-12345, 'FM999'), to_char(99.99, '9.9'), to_char('NaN'::numeric, '999'), to_char('infinity'::float8, '999.99'), to_char(1e20, '9.9');
select to_char(12345.678, '9.999EEEE'), to_char(0.00012, '9.9EEEE'), to_char(-5, '9EEEE'), to_char(0, '9.9EEEE'), to_char(12345.678::float8, '9.99EEEE');
select to_char(1, '9th'), to_char(2, '9TH'), to_char(3, 'FM9th'), to_char(11, 'FM99th'), to_char(21, 'FM99th'), to_char(112, 'FM999th');
select to_char(12, 'RN') || '|', to_char(12, 'FMRN'), to_char(3999, 'FMRN'), to_char(4000, 'FMRN'), to_char(4, 'FMrn'), to_char(0, 'FMRN');
select to_char(12.345, '99V9'), to_char(12.345, '99V999'), to_char(5, 'FM"n="9'), to_char(5, '"a"9"b"'), to_char(5.5, '9D9'), to_char(1234.5::float4, '9999.99'), to_char(123::bigint, '999'), to_char(12, 'B999');
select to_char(1, 'EEEE9');
select to_char(1, '9.9.9');
select to_char(1, '9V.9');
select to_char(1, 'S9S');
select to_number('1,234.50', '9G999D99'), to_number('12.5-', '99.9S'), to_number('-12', 'MI99'), to_number('<12>', '99PR'), to_number('$12', 'L99'), to_number('1 2', '99'), to_number('12', '9'), to_number('XII', 'RN'), to_number('0.5', '9.9');
select to_number('', '99');
select to_number('ab', '99');
select to_number('IIII', 'RN');
select to_number('1.5', '9V9');
select to_char(null::int, '9'), to_char(5, null), to_char(-1, 'FM9'), to_char(100, 'FM999,999'), to_char(-0.01, '0.0');
