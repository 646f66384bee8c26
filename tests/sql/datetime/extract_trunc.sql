-- extract, date_part, date_trunc.
set timezone = 'UTC';
select extract(year from timestamp '2024-05-06 07:08:09.123456'), extract(month from timestamp '2024-05-06'), extract(day from date '2024-05-06'), extract(hour from time '07:08:09'), extract(minute from time '07:08:09'), extract(second from timestamp '2024-05-06 07:08:09.123456');
select extract(dow from date '2024-05-05'), extract(isodow from date '2024-05-05'), extract(doy from date '2024-12-31'), extract(week from date '2024-12-30'), extract(isoyear from date '2024-12-30'), extract(quarter from date '2024-05-06');
select extract(century from date '2000-12-31'), extract(century from date '2001-01-01'), extract(decade from date '1999-01-01'), extract(millennium from date '2001-01-01'), extract(julian from date '2024-01-01'), extract(year from date '0001-01-01 BC');
select extract(epoch from timestamptz '2024-01-01 00:00+00'), extract(epoch from interval '1 day 2 hours'), extract(epoch from date '1970-01-02'), extract(milliseconds from time '00:00:01.5'), extract(microseconds from time '00:00:01.5');
select extract(timezone from timestamptz '2024-01-01 00:00+00'), extract(timezone_hour from timetz '00:00+05:30'), extract(timezone_minute from timetz '00:00+05:30');
select extract(day from interval '40 days 5 hours'), extract(month from interval '14 months'), extract(year from interval '14 months'), extract(hour from interval '30 hours');
select extract(nosuch from date '2024-01-01');
select extract(hour from date '2024-01-01');
select extract(year from time '12:00');
select date_part('year', date '2024-05-06'), date_part('epoch', timestamp '1970-01-01 00:00:01.5'), pg_typeof(date_part('year', date '2024-05-06')), pg_typeof(extract(year from date '2024-05-06'));
select extract(year from date 'infinity'), extract(day from timestamp '-infinity'), extract(epoch from timestamp 'infinity');
select date_trunc('hour', timestamp '2024-05-06 07:08:09.123'), date_trunc('day', timestamp '2024-05-06 07:08:09'), date_trunc('week', timestamp '2024-05-06 07:08:09'), date_trunc('month', date '2024-05-06'), date_trunc('quarter', timestamp '2024-05-06'), date_trunc('year', timestamp '2024-05-06');
select date_trunc('decade', timestamp '2024-05-06'), date_trunc('century', timestamp '2024-05-06'), date_trunc('millennium', timestamp '2024-05-06'), date_trunc('second', timestamp '2024-05-06 07:08:09.999'), date_trunc('milliseconds', timestamp '2024-05-06 07:08:09.123456');
select date_trunc('day', interval '3 days 5 hours'), date_trunc('hour', interval '1 day 02:47:33'), date_trunc('day', timestamptz '2024-05-06 23:00+00', 'Asia/Tokyo');
select date_trunc('nosuch', timestamp '2024-05-06');
select d, extract(isodow from d) as dow, extract(week from d) as w from generate_series(date '2024-12-28', date '2025-01-06', interval '1 day') g(d);
