-- Operators whose first operand is pg_lsn, NULL operands included.
select '0/10'::pg_lsn + '-3'::numeric as v, '1/0'::pg_lsn + '12.50'::numeric as w, null::pg_lsn + '12.50'::numeric as n;
select '0/10'::pg_lsn - '-3'::numeric as v, '1/0'::pg_lsn - '12.50'::numeric as w, null::pg_lsn - '12.50'::numeric as n;
select '0/10'::pg_lsn - '1/0'::pg_lsn as v, '1/0'::pg_lsn - '0/10'::pg_lsn as w, null::pg_lsn - '0/10'::pg_lsn as n;
select '0/10'::pg_lsn < '1/0'::pg_lsn as v, '1/0'::pg_lsn < '0/10'::pg_lsn as w, null::pg_lsn < '0/10'::pg_lsn as n;
select '0/10'::pg_lsn <= '1/0'::pg_lsn as v, '1/0'::pg_lsn <= '0/10'::pg_lsn as w, null::pg_lsn <= '0/10'::pg_lsn as n;
select '0/10'::pg_lsn <> '1/0'::pg_lsn as v, '1/0'::pg_lsn <> '0/10'::pg_lsn as w, null::pg_lsn <> '0/10'::pg_lsn as n;
select '0/10'::pg_lsn = '1/0'::pg_lsn as v, '1/0'::pg_lsn = '0/10'::pg_lsn as w, null::pg_lsn = '0/10'::pg_lsn as n;
select '0/10'::pg_lsn > '1/0'::pg_lsn as v, '1/0'::pg_lsn > '0/10'::pg_lsn as w, null::pg_lsn > '0/10'::pg_lsn as n;
select '0/10'::pg_lsn >= '1/0'::pg_lsn as v, '1/0'::pg_lsn >= '0/10'::pg_lsn as w, null::pg_lsn >= '0/10'::pg_lsn as n;
