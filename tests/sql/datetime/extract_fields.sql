-- extract gives numeric fields of every date/time type, and refuses fields a type has not.
select extract(year from date '2024-05-06'), extract(month from date '2024-05-06'), extract(day from date '2024-05-06'), extract(dow from date '2024-05-05'), extract(isodow from date '2024-05-05'), extract(doy from date '2024-12-31'), extract(week from date '2024-12-30'), extract(isoyear from date '2024-12-30'), extract(quarter from date '2024-05-06');
select extract(century from date '2000-12-31'), extract(century from date '2001-01-01'), extract(millennium from date '2001-01-01'), extract(decade from date '1999-01-01'), extract(century from date '0001-01-01 BC'), extract(year from date '0044-03-15 BC'), extract(julian from date '2000-01-01');
select extract(hour from timestamp '2024-05-06 17:08:09.123456'), extract(minute from timestamp '2024-05-06 17:08:09'), extract(second from timestamp '2024-05-06 17:08:09.123456'), extract(milliseconds from timestamp '2024-05-06 17:08:09.5'), extract(microseconds from timestamp '2024-05-06 17:08:09.5'), extract(epoch from timestamp '1970-01-02 00:00:00.5'), extract(julian from timestamp '2000-01-01 12:00');
select extract(epoch from timestamptz '2024-01-01 00:00+00'), extract(timezone from timestamptz '2024-01-01 00:00+00'), extract(timezone_hour from timetz '12:00+05:30'), extract(timezone_minute from timetz '12:00+05:30'), extract(epoch from time '01:00:00.5');
select extract(days from interval '40 days 25 hours'), extract(hour from interval '40 days 25 hours'), extract(month from interval '1 year 14 months'), extract(year from interval '-14 months'), extract(epoch from interval '1 month 1 day'), extract(week from interval '15 days'), extract(quarter from interval '5 months');
select extract(hour from date '2024-05-06');
select extract(timezone from date '2024-05-06');
select extract(day from time '12:00');
select extract(nosuch from timestamp '2024-05-06');
select extract(timezone from timestamp '2024-05-06');
select extract(doy from interval '1 day');
select extract(year from date 'infinity'), extract(day from timestamp '-infinity'), extract(epoch from timestamp 'infinity'), extract(hour from interval 'infinity'), extract(year from interval '-infinity');
select extract('year' from date '2024-01-01'), extract("month" from date '2024-01-01'), extract(year from null::date), pg_typeof(extract(year from date '2024-01-01')), pg_typeof(date_part('year', date '2024-01-01'));
select date_part('second', timestamp '2024-05-06 17:08:09.123456'), date_part('epoch', date '2024-01-01'), date_part('dow', timestamp '2024-05-06'), date_part('YEAR', timestamp '2024-05-06');
select date_part('nosuch', now());
select extract(year from '2024-01-01');
select extract(year from 2024);
