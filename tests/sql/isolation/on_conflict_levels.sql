-- ON CONFLICT under a snapshot that is older than the row in the way: never ignored, never overwritten.
-- session s
create table u (k int primary key, n int);
insert into u select i, 0 from generate_series(1, 4) i;
-- session a
begin isolation level repeatable read;
select count(*) from u;
-- session s
update u set n = 1 where k = 1;
delete from u where k = 2;
insert into u values (5, 0);
-- session a
savepoint x;
insert into u values (1, 9) on conflict do nothing;
rollback to x;
insert into u values (1, 9) on conflict (k) do update set n = 9;
rollback to x;
insert into u values (1, 9) on conflict (k) do update set n = 9 where false;
rollback to x;
insert into u values (5, 9) on conflict do nothing;
rollback to x;
insert into u values (5, 9) on conflict (k) do update set n = 9;
rollback to x;
insert into u values (2, 9) on conflict do nothing returning *;
insert into u values (3, 9) on conflict do nothing returning *;
insert into u values (3, 9) on conflict (k) do update set n = excluded.n returning *;
insert into u values (3, 8) on conflict (k) do update set n = excluded.n returning *;
select * from u order by k, n;
commit;
select * from u order by k, n;
-- What the transaction itself has written, by the same command too.
begin isolation level repeatable read;
insert into u values (6, 1), (6, 2) on conflict do nothing;
insert into u values (6, 3) on conflict do nothing;
insert into u values (6, 4) on conflict (k) do update set n = excluded.n returning *;
commit;
begin isolation level serializable;
insert into u values (7, 1), (7, 2) on conflict (k) do update set n = excluded.n;
rollback;
-- READ COMMITTED takes the row as it is.
-- session a
begin;
select count(*) from u;
-- session s
update u set n = 2 where k = 1;
-- session a
insert into u values (1, 9) on conflict do nothing;
insert into u values (1, 9) on conflict (k) do update set n = u.n + 10 returning *;
commit;
-- Who waits for a writer that then commits.
-- session s
begin;
update u set n = 50 where k = 4;
-- session a
begin isolation level repeatable read;
select n from u where k = 4;
-- session a waits
insert into u values (4, 9) on conflict (k) do update set n = 9;
-- session s
commit;
-- session a
rollback;
