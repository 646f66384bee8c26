-- Operators whose first operand is interval, NULL operands included.
select - '1 day 02:00:00'::interval as v;
select - '-3 hours'::interval as v;
select '1 day 02:00:00'::interval + '2023-01-01'::date as v, '-3 hours'::interval + '2024-02-29'::date as w, null::interval + '2024-02-29'::date as n;
select '1 day 02:00:00'::interval * '-0.5'::float8 as v, '-3 hours'::interval * '2.5'::float8 as w, null::interval * '2.5'::float8 as n;
select '1 day 02:00:00'::interval / '-0.5'::float8 as v, '-3 hours'::interval / '2.5'::float8 as w, null::interval / '2.5'::float8 as n;
select '1 day 02:00:00'::interval + '-3 hours'::interval as v, '-3 hours'::interval + '1 day 02:00:00'::interval as w, null::interval + '1 day 02:00:00'::interval as n;
select '1 day 02:00:00'::interval - '-3 hours'::interval as v, '-3 hours'::interval - '1 day 02:00:00'::interval as w, null::interval - '1 day 02:00:00'::interval as n;
select '1 day 02:00:00'::interval < '-3 hours'::interval as v, '-3 hours'::interval < '1 day 02:00:00'::interval as w, null::interval < '1 day 02:00:00'::interval as n;
select '1 day 02:00:00'::interval <= '-3 hours'::interval as v, '-3 hours'::interval <= '1 day 02:00:00'::interval as w, null::interval <= '1 day 02:00:00'::interval as n;
select '1 day 02:00:00'::interval <> '-3 hours'::interval as v, '-3 hours'::interval <> '1 day 02:00:00'::interval as w, null::interval <> '1 day 02:00:00'::interval as n;
select '1 day 02:00:00'::interval = '-3 hours'::interval as v, '-3 hours'::interval = '1 day 02:00:00'::interval as w, null::interval = '1 day 02:00:00'::interval as n;
select '1 day 02:00:00'::interval > '-3 hours'::interval as v, '-3 hours'::interval > '1 day 02:00:00'::interval as w, null::interval > '1 day 02:00:00'::interval as n;
select '1 day 02:00:00'::interval >= '-3 hours'::interval as v, '-3 hours'::interval >= '1 day 02:00:00'::interval as w, null::interval >= '1 day 02:00:00'::interval as n;
select '1 day 02:00:00'::interval + '01:30:00'::time as v, '-3 hours'::interval + '12:00:00'::time as w, null::interval + '12:00:00'::time as n;
select '1 day 02:00:00'::interval + '2023-01-01 00:00:00'::timestamp as v, '-3 hours'::interval + '2024-02-29 12:00:00'::timestamp as w, null::interval + '2024-02-29 12:00:00'::timestamp as n;
select '1 day 02:00:00'::interval + '2023-01-01 00:00:00-05'::timestamptz as v, '-3 hours'::interval + '2024-02-29 12:00:00+00'::timestamptz as w, null::interval + '2024-02-29 12:00:00+00'::timestamptz as n;
select '1 day 02:00:00'::interval + '01:30:00-05'::timetz as v, '-3 hours'::interval + '12:00:00+00'::timetz as w, null::interval + '12:00:00+00'::timetz as n;
