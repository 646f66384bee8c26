-- Operators whose first operand is timetz, NULL operands included.
select '12:00:00+00'::timetz + '2023-01-01'::date as v, '01:30:00-05'::timetz + '2024-02-29'::date as w, null::timetz + '2024-02-29'::date as n;
select '12:00:00+00'::timetz + '-3 hours'::interval as v, '01:30:00-05'::timetz + '1 day 02:00:00'::interval as w, null::timetz + '1 day 02:00:00'::interval as n;
select '12:00:00+00'::timetz - '-3 hours'::interval as v, '01:30:00-05'::timetz - '1 day 02:00:00'::interval as w, null::timetz - '1 day 02:00:00'::interval as n;
select '12:00:00+00'::timetz < '01:30:00-05'::timetz as v, '01:30:00-05'::timetz < '12:00:00+00'::timetz as w, null::timetz < '12:00:00+00'::timetz as n;
select '12:00:00+00'::timetz <= '01:30:00-05'::timetz as v, '01:30:00-05'::timetz <= '12:00:00+00'::timetz as w, null::timetz <= '12:00:00+00'::timetz as n;
select '12:00:00+00'::timetz <> '01:30:00-05'::timetz as v, '01:30:00-05'::timetz <> '12:00:00+00'::timetz as w, null::timetz <> '12:00:00+00'::timetz as n;
select '12:00:00+00'::timetz = '01:30:00-05'::timetz as v, '01:30:00-05'::timetz = '12:00:00+00'::timetz as w, null::timetz = '12:00:00+00'::timetz as n;
select '12:00:00+00'::timetz > '01:30:00-05'::timetz as v, '01:30:00-05'::timetz > '12:00:00+00'::timetz as w, null::timetz > '12:00:00+00'::timetz as n;
select '12:00:00+00'::timetz >= '01:30:00-05'::timetz as v, '01:30:00-05'::timetz >= '12:00:00+00'::timetz as w, null::timetz >= '12:00:00+00'::timetz as n;
