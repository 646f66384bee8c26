-- Dates plus integers, minus dates, with intervals; limits and infinity.
select date '2024-02-28' + 2, date '2024-03-01' - 1, date '2024-03-01' - date '2024-02-01', 3 + date '2024-01-01', date '2024-01-31' + interval '1 month', date '2024-01-01' - interval '1 day';
select date '2024-01-01' + time '12:30', time '12:30' + date '2024-01-01', date '2024-01-01' + timetz '12:30+02', pg_typeof(date '2024-01-01' + 1), pg_typeof(date '2024-01-01' + interval '1 day');
select date '2024-01-01' + date '2024-01-01';
select date '2024-01-01' * 2;
select date 'infinity' + 1, date '-infinity' - 5, date 'infinity' > date '5874897-12-31', date 'infinity' + interval '1 day';
select date 'infinity' - date '2024-01-01';
select date '5874897-12-31' + 1;
select date '4713-01-01 BC' - 400;
select date '4713-01-01 BC' - 2147483647;
select date '2024-01-01' = timestamp '2024-01-01', date '2024-01-01' < timestamp '2024-01-01 00:00:01', date '2024-01-01' < timestamptz '2024-01-02', date '2024-01-01' between '2023-12-31' and '2024-01-01';
select date '0001-01-01' - 1, date '0001-01-01 BC', date '10000-01-01', '2024-1-2'::date, 'January 8, 1999'::date, '1999 Jan 08'::date, '19990108'::date, '1999.008'::date, 'J2451187'::date;
select make_date(2024, 2, 29), make_date(-44, 3, 15), make_date(2024, 12, 31);
select make_date(2023, 2, 29);
select make_date(0, 1, 1);
select date '2024-02-30';
select date '2024-13-01';
select date 'yesterday' < date 'today', date 'tomorrow' - date 'today', date 'epoch', 'now'::date = current_date;
select isfinite(date 'infinity'), isfinite(date '2024-01-01'), greatest(date '2024-01-01', '2024-06-01'), least(date 'infinity', '2024-01-01');
