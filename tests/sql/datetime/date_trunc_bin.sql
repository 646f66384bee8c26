-- date_trunc cuts to a unit, also in a zone; date_bin to a stride from an origin.
set timezone = 'UTC';
select u, date_trunc(u, timestamp '2024-05-16 17:38:49.123456') from unnest(array['microseconds', 'milliseconds', 'second', 'minute', 'hour', 'day', 'week', 'month', 'quarter', 'year', 'decade', 'century', 'millennium']) u;
select date_trunc('week', date '2024-01-03'), date_trunc('day', timestamptz '2024-05-16 17:38+00', 'America/New_York'), date_trunc('month', timestamptz '2024-05-01 02:00+00', 'America/New_York'), date_trunc('hour', interval '3 days 02:47:33'), date_trunc('month', interval '1 year 14 months 20 days');
select date_trunc('day', timestamp 'infinity'), date_trunc('century', timestamp '0001-06-01 BC'), date_trunc('decade', timestamp '0004-01-01'), date_trunc('year', null::timestamp);
select date_trunc('nosuch', timestamp '2024-01-01');
select date_trunc('timezone', timestamp '2024-01-01');
select date_trunc('week', interval '10 days');
select date_trunc('day', time '12:00');
select date_trunc('day', timestamptz '2024-01-01', 'nosuch');
select date_bin('15 minutes', timestamp '2024-02-11 15:44:17', timestamp '2001-01-01'), date_bin('1 day', timestamp '2024-02-11 15:44:17', timestamp '2001-01-01 12:00'), date_bin('1 hour', timestamp '2000-12-31 23:59', timestamp '2001-01-01'), date_bin('2 hours 30 minutes', timestamptz '2024-01-01 12:00+00', timestamptz '2024-01-01 00:10+00');
select date_bin('1 month', timestamp '2024-02-11', timestamp '2001-01-01');
select date_bin('0 days', timestamp '2024-02-11', timestamp '2001-01-01');
select date_bin('-1 day', timestamp '2024-02-11', timestamp '2001-01-01');
reset timezone;
set timezone = 'America/New_York';
select date_trunc('day', timestamptz '2024-03-10 12:00'), date_trunc('hour', timestamptz '2024-11-03 01:30 EST'), date_trunc('week', timestamptz '2024-03-11 00:30');
reset timezone;
