-- to_char patterns of dates and times, one by one.
set timezone = 'America/New_York';
select p, to_char(timestamp '2024-03-05 07:08:09.012345', p) from unnest(array['YYYY', 'YYY', 'YY', 'Y', 'Y,YYY', 'IYYY', 'IYY', 'IY', 'I', 'BC', 'AD', 'B.C.', 'a.d.', 'CC']) with ordinality u(p, n) order by n;
select p, to_char(timestamp '2024-03-05 07:08:09.012345', p) from unnest(array['MONTH', 'Month', 'month', 'FMMonth', 'MON', 'Mon', 'mon', 'MM', 'FMMM', 'RM', 'rm', 'FMRM', 'Q']) with ordinality u(p, n) order by n;
select p, to_char(timestamp '2024-03-05 07:08:09.012345', p) || '|' from unnest(array['DAY', 'Day', 'day', 'FMDay', 'DY', 'Dy', 'dy', 'DDD', 'IDDD', 'DD', 'FMDD', 'D', 'ID', 'W', 'WW', 'IW', 'J']) with ordinality u(p, n) order by n;
select p, to_char(timestamp '2024-03-05 17:08:09.012345', p) from unnest(array['HH', 'HH12', 'HH24', 'MI', 'SS', 'MS', 'US', 'FF1', 'FF2', 'FF3', 'FF4', 'FF5', 'FF6', 'SSSS', 'SSSSS', 'AM', 'am', 'P.M.', 'p.m.']) with ordinality u(p, n) order by n;
select p, to_char(timestamptz '2024-07-05 17:08:09', p) from unnest(array['TZ', 'tz', 'TZH', 'TZM', 'OF', 'HH24:MI TZH:TZM']) with ordinality u(p, n) order by n;
select to_char(timestamp '2024-03-01', 'DDth FMDDth FMDDTH'), to_char(timestamp '2024-03-02', 'FMDDth'), to_char(timestamp '2024-03-03', 'FMDDth'), to_char(timestamp '2024-03-11', 'FMDDth'), to_char(timestamp '2024-03-21', 'FMDDth');
select to_char(timestamp '2024-03-05', 'literal "YYYY" text'), to_char(timestamp '2024-03-05', '\YYYY'), to_char(timestamp '2024-03-05', 'YYYY"\"q"'), to_char(timestamp '2024-03-05', 'xyz'), to_char(timestamp '2024-03-05', '');
select to_char(date '0044-03-15 BC', 'YYYY-MM-DD BC'), to_char(date '12345-01-01', 'YYYY Y,YYY'), to_char(date '0001-01-01', 'CC IYYY IW'), to_char(timestamp 'infinity', 'YYYY'), to_char(timestamp '2024-01-01 00:00', 'HH12 HH24 AM'), to_char(timestamp '2024-01-01 12:00', 'HH12 HH24 AM');
select to_char(time '10:20', 'HH24:MI');
select to_char(interval '1 year 2 mons 3 days 4:05:06.7', 'YYYY MM DD HH24:MI:SS.MS'), to_char(interval '-1 day -2 hours', 'DD HH24'), to_char(interval '49 hours', 'HH24 HH12 HH'), to_char(interval '14 months', 'YY MM');
select to_char(interval '1 day', 'Month');
select to_char(interval '1 day', 'Day');
select to_char(timestamp '2024-12-30', 'IYYY-IW-ID YYYY-WW-D'), to_char(timestamp '2021-01-01', 'IYYY-IW-ID YYYY-WW-D'), to_char(timestamp '2024-02-29', 'DDD IDDD J');
select to_char(timestamp '2024-03-05', 'TMMonth TMDay TMMon TMDy'), to_char(timestamp '2024-03-05 01:02:03', 'FXFMHH24:FMMI:FMSS');
reset timezone;
