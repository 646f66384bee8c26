-- SKIP LOCKED leaves out rows that others have locked.
-- session a
create table job (id int primary key, done bool default false);
insert into job select generate_series(1, 5);
begin;
select id from job where not done order by id limit 2 for update skip locked;
-- session b
begin;
select id from job where not done order by id limit 2 for update skip locked;
-- session c
begin;
select id from job order by id for update skip locked;
select id from job order by id for key share skip locked;
commit;
-- session a
update job set done = true where id in (1, 2);
commit;
-- session c
select id from job where not done order by id for update skip locked;
-- session b
rollback;
-- session c
select id from job where not done order by id for update skip locked;
-- session a
begin;
select id from job where id = 3 for share;
-- session b
select id from job where not done order by id for share skip locked;
select id from job where not done order by id for update skip locked;
with n as (select id from job where not done order by id limit 1 for update skip locked) update job set done = true from n where n.id = job.id returning job.id;
-- session a
commit;
select * from job order by id;
select id from job for update skip locked nowait;
