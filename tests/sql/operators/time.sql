-- Operators whose first operand is time, NULL operands included.
select '12:00:00'::time + '2023-01-01'::date as v, '01:30:00'::time + '2024-02-29'::date as w, null::time + '2024-02-29'::date as n;
select '12:00:00'::time + '-3 hours'::interval as v, '01:30:00'::time + '1 day 02:00:00'::interval as w, null::time + '1 day 02:00:00'::interval as n;
select '12:00:00'::time - '-3 hours'::interval as v, '01:30:00'::time - '1 day 02:00:00'::interval as w, null::time - '1 day 02:00:00'::interval as n;
select '12:00:00'::time - '01:30:00'::time as v, '01:30:00'::time - '12:00:00'::time as w, null::time - '12:00:00'::time as n;
select '12:00:00'::time < '01:30:00'::time as v, '01:30:00'::time < '12:00:00'::time as w, null::time < '12:00:00'::time as n;
select '12:00:00'::time <= '01:30:00'::time as v, '01:30:00'::time <= '12:00:00'::time as w, null::time <= '12:00:00'::time as n;
select '12:00:00'::time <> '01:30:00'::time as v, '01:30:00'::time <> '12:00:00'::time as w, null::time <> '12:00:00'::time as n;
select '12:00:00'::time = '01:30:00'::time as v, '01:30:00'::time = '12:00:00'::time as w, null::time = '12:00:00'::time as n;
select '12:00:00'::time > '01:30:00'::time as v, '01:30:00'::time > '12:00:00'::time as w, null::time > '12:00:00'::time as n;
select '12:00:00'::time >= '01:30:00'::time as v, '01:30:00'::time >= '12:00:00'::time as w, null::time >= '12:00:00'::time as n;
