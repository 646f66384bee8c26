-- What int[] accepts as text, how it prints it, and what it refuses.
select '{}'::int[] as v;
select '{1,2,3}'::int[] as v;
select '{{1,2},{3,4}}'::int[] as v;
select '{1,NULL,3}'::int[] as v;
select '[2:4]={1,2,3}'::int[] as v;
select ' { 1 , 2 } '::int[] as v;
select '{1,2'::int[] as v;
select '{1,a}'::int[] as v;
select '{{1},{2,3}}'::int[] as v;
select ''::int[] as v;
select '1,2'::int[] as v;
select '[1:2]={1}'::int[] as v;
select null::int[] is null as n, pg_typeof(null::int[]) as t;
