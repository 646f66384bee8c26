-- What uuid accepts as text, how it prints it, and what it refuses.
select 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'::uuid as v;
select '{A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11}'::uuid as v;
select 'a0eebc999c0b4ef8bb6d6bb9bd380a11'::uuid as v;
select 'a0eebc99'::uuid as v;
select ''::uuid as v;
select 'g0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'::uuid as v;
select null::uuid is null as n, pg_typeof(null::uuid) as t;
