-- Who waits for another's unique key and gives up is told what it was about to do.
-- session a
create table t (k int primary key, v int);
insert into t values (1, 10);
-- session b
set lock_timeout = '50ms';
-- session c
set statement_timeout = '50ms';
-- session a
begin;
insert into t values (2, 20);
-- session b
insert into t values (2, 21) on conflict do nothing;
insert into t values (2, 21) on conflict (k) do update set v = excluded.v;
begin;
insert into t values (2, 21) on conflict (k) do nothing;
rollback;
-- session c
insert into t values (2, 22) on conflict do nothing;
-- session a
update t set k = 3 where k = 1;
-- session b
update t set v = 0 where k = 1;
-- session a
commit;
-- session b
insert into t values (2, 21) on conflict do nothing;
select * from t order by k;
