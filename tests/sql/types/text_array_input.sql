-- What text[] accepts as text, how it prints it, and what it refuses.
select '{}'::text[] as v;
select '{a,b}'::text[] as v;
select '{"a b","c,d"}'::text[] as v;
select '{NULL,"NULL"}'::text[] as v;
select '{"q\"uote"}'::text[] as v;
select '{{a,b},{c,d}}'::text[] as v;
select '{a'::text[] as v;
select '{a}}'::text[] as v;
select '{"a}'::text[] as v;
select '{a,}'::text[] as v;
select null::text[] is null as n, pg_typeof(null::text[]) as t;
