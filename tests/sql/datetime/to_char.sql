-- to_char of timestamps, intervals and numbers; to_date, to_timestamp, to_number.
set timezone = 'UTC';
select to_char(timestamp '2024-05-06 17:08:09.123456', 'YYYY-MM-DD HH24:MI:SS.US'), to_char(timestamp '2024-05-06 17:08:09', 'DD Mon YYYY HH12:MI:SS AM'), to_char(timestamp '2024-05-06', 'Day, DDth Month YYYY');
select to_char(timestamp '2024-05-06 17:08:09.12', 'HH:MI:SS.MS pm'), to_char(timestamp '2024-05-06', 'FMDay FMDD FMMonth'), to_char(timestamp '2024-05-06', 'DY dy Dy MON mon'), to_char(timestamp '2024-05-06', 'D ID DDD IDDD WW IW W CC J Q RM rm');
select to_char(timestamp '2024-05-06', 'YYY YY Y IYYY IYY IY I Y,YYY'), to_char(timestamp '2024-05-06', '"year" YYYY "quoted ""x"""'), to_char(timestamp '0044-03-15 BC', 'YYYY BC AD b.c.'), to_char(timestamptz '2024-05-06 12:00+00', 'TZ tz OF TZH:TZM');
select to_char(date '2024-01-01', 'YYYYMMDD'), to_char(timestamp '2024-05-06 23:59:59', 'SSSS SSSSS'), to_char(timestamp 'infinity', 'YYYY'), to_char(interval '15h 2m 12s', 'HH24:MI:SS'), to_char(interval '3 days', 'DD'), to_char(null::timestamp, 'YYYY');
select to_char(125, '999'), to_char(125, '00999'), to_char(-125, '999'), to_char(125.8, '999D9'), to_char(-125.8, '999D99S'), to_char(1234567, '9,999,999'), to_char(0.1, '0.9'), to_char(0.1, '9.9'), to_char(485, '999PR'), to_char(-485, '999PR');
select to_char(12, 'FM999'), to_char(12.0, 'FM990.99'), to_char(482, '999th'), to_char(1, 'FM9th'), to_char(485, 'RN'), to_char(485, 'FMRN'), to_char(-12, 'S99'), to_char(12, 'SG99'), to_char(-12, 'MI99'), to_char(12345, '999');
select to_char(12.454, '99V999'), to_char(0.000123, '9.99EEEE'), to_char(1234.5678::float8, '9999.99'), to_char(485.8, '"Pre:"999" Post:" .999'), to_char(5, 'L9'), to_char(148.5, '999.999'), to_char(0, '9'), to_char(12, '');
select to_date('2024-05-06', 'YYYY-MM-DD'), to_date('06 May 2024', 'DD Mon YYYY'), to_date('20240506', 'YYYYMMDD'), to_date('24', 'YY'), to_date('2024 127', 'YYYY DDD'), to_date('2024-19', 'IYYY-IW');
select to_timestamp('2024-05-06 17:08:09', 'YYYY-MM-DD HH24:MI:SS'), to_timestamp('05:06 PM', 'HH12:MI PM'), to_timestamp(1700000000), to_timestamp(1700000000.5), to_timestamp('2024-05-06 17:08:09.123', 'YYYY-MM-DD HH24:MI:SS.MS');
select to_date('2024-13-01', 'YYYY-MM-DD');
select to_date('abc', 'YYYY');
select to_timestamp('25:00', 'HH24:MI');
select to_timestamp('13', 'HH12');
select to_number('1,234.56', '9,999.99'), to_number('-12', 'S99'), to_number('12', '99'), to_number('$5', 'L9'), to_number('12.5', '99D9'), to_number('485', '999PR');
select to_number('abc', '999');
select to_date('2024-02-30', 'YYYY-MM-DD');
