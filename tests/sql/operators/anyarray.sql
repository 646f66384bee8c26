-- Operators whose first operand is anyarray, NULL operands included.
select '{1,2,3}'::int[] && '{2,3}'::int[] as v, '{2,3}'::int[] && '{1,2,3}'::int[] as w, null::int[] && '{1,2,3}'::int[] as n;
select '{1,2,3}'::int[] < '{2,3}'::int[] as v, '{2,3}'::int[] < '{1,2,3}'::int[] as w, null::int[] < '{1,2,3}'::int[] as n;
select '{1,2,3}'::int[] <= '{2,3}'::int[] as v, '{2,3}'::int[] <= '{1,2,3}'::int[] as w, null::int[] <= '{1,2,3}'::int[] as n;
select '{1,2,3}'::int[] <> '{2,3}'::int[] as v, '{2,3}'::int[] <> '{1,2,3}'::int[] as w, null::int[] <> '{1,2,3}'::int[] as n;
select '{1,2,3}'::int[] <@ '{2,3}'::int[] as v, '{2,3}'::int[] <@ '{1,2,3}'::int[] as w, null::int[] <@ '{1,2,3}'::int[] as n;
select '{1,2,3}'::int[] = '{2,3}'::int[] as v, '{2,3}'::int[] = '{1,2,3}'::int[] as w, null::int[] = '{1,2,3}'::int[] as n;
select '{1,2,3}'::int[] > '{2,3}'::int[] as v, '{2,3}'::int[] > '{1,2,3}'::int[] as w, null::int[] > '{1,2,3}'::int[] as n;
select '{1,2,3}'::int[] >= '{2,3}'::int[] as v, '{2,3}'::int[] >= '{1,2,3}'::int[] as w, null::int[] >= '{1,2,3}'::int[] as n;
select '{1,2,3}'::int[] @> '{2,3}'::int[] as v, '{2,3}'::int[] @> '{1,2,3}'::int[] as w, null::int[] @> '{1,2,3}'::int[] as n;
