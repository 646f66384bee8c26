-- uuids: input forms, order, versions, generation.
select 'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11'::uuid, '{a0eebc99-9c0b4ef8-bb6d6bb9-bd380a11}'::uuid, 'a0eebc999c0b4ef8bb6d6bb9bd380a11'::uuid;
select 'a0eebc99'::uuid;
select 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a1g'::uuid;
select 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11 '::uuid;
select '{a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'::uuid;
select gen_random_uuid() <> gen_random_uuid(), uuid_extract_version(gen_random_uuid()), uuid_extract_version(uuidv7()), uuid_extract_version(uuidv4()), uuidv7() < uuidv7(), pg_typeof(gen_random_uuid());
select uuid_extract_timestamp('C232AB00-9414-11EC-B3C8-9F6BDECED846') at time zone 'UTC', uuid_extract_timestamp('017F22E2-79B0-7CC3-98C4-DC0C0C07398F') at time zone 'UTC', uuid_extract_timestamp('a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11');
select uuid_extract_version('00000000-0000-0000-0000-000000000000'), uuid_extract_version(null);
select u from (values ('b0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'::uuid), ('a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'), ('00000000-0000-0000-0000-000000000000')) v(u) order by u;
select min(u), max(u) from (values ('b0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'::uuid), ('a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11')) v(u);
select '00000000-0000-0000-0000-000000000001'::uuid::text, 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'::varchar::uuid;
select 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'::uuid::bytea;
create table uu (id uuid primary key default gen_random_uuid(), n int);
insert into uu (n) values (1), (2);
insert into uu values ('a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', 3), ('A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11', 4);
select count(distinct id) from uu;
select 1::uuid;
select 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'::uuid like 'a%';
