-- Deferrable keys: the check of a key that another transaction has taken waits for it.
-- session a
create table w (a int primary key, b int unique deferrable initially deferred, c int unique deferrable);
insert into w values (1, 1, 1);
begin;
insert into w values (2, 2, 2);
-- session b
begin;
insert into w values (3, 2, 3);
select * from w order by a;
-- session b waits
commit;
-- session a
commit;
-- session a
begin;
insert into w values (4, 4, 4);
-- session b waits
insert into w values (5, 5, 4);
-- session a
rollback;
-- session b
select * from w order by a;
-- session a
begin;
insert into w values (6, 6, 6);
-- session b
begin;
insert into w values (7, 7, 6) on conflict do nothing;
rollback;
begin;
insert into w values (7, 6, 7);
-- session a
rollback;
-- session b
commit;
-- session a
select * from w order by a;
