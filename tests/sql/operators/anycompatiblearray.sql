-- Operators whose first operand is anycompatiblearray, NULL operands included.
select '{1,2,3}'::int[] || '6'::int as v, '{4}'::int[] || '5'::int as w, null::int[] || '5'::int as n;
select '{1,2,3}'::int[] || '{4}'::int[] as v, '{4}'::int[] || '{1,2,3}'::int[] as w, null::int[] || '{1,2,3}'::int[] as n;
