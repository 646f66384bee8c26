-- ON CONFLICT waits for the other inserter and then does what its action says.
-- session a
create table u (k int primary key, n int);
begin;
insert into u values (1, 1);
-- session b waits
insert into u values (1, 100) on conflict (k) do update set n = u.n + excluded.n returning *;
-- session a
commit;
begin;
insert into u values (2, 1);
-- session b waits
insert into u values (2, 100) on conflict do nothing returning *;
-- session a
commit;
begin;
insert into u values (3, 1);
-- session b waits
insert into u values (3, 100) on conflict (k) do update set n = u.n + excluded.n returning *;
-- session a
rollback;
begin;
update u set n = 50 where k = 1;
-- session b waits
insert into u values (1, 7) on conflict (k) do update set n = u.n + excluded.n returning *;
-- session a
commit;
begin isolation level repeatable read;
select count(*) from u;
-- session b
insert into u values (4, 4);
-- session a
insert into u values (4, 5) on conflict do nothing;
rollback;
begin isolation level repeatable read;
select count(*) from u;
-- session b
update u set n = 0 where k = 4;
-- session a
insert into u values (4, 5) on conflict (k) do update set n = 9;
rollback;
select * from u order by k;
