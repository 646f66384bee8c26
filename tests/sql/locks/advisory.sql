-- Advisory locks keep sessions apart, by session and by transaction.
-- session a
select pg_advisory_lock(1);
-- session b
select pg_try_advisory_lock(1), pg_try_advisory_lock(2), pg_try_advisory_lock_shared(1);
-- session b waits
select pg_advisory_lock(1);
-- session a
select pg_advisory_unlock(1);
select pg_try_advisory_lock(1);
-- session b
select pg_advisory_unlock(1), pg_advisory_unlock(1);
-- session a
begin;
select pg_advisory_xact_lock(5);
-- session b
select pg_try_advisory_xact_lock(5);
-- session b waits
select pg_advisory_xact_lock_shared(5);
-- session a
rollback;
select pg_advisory_lock_shared(7);
-- session b
select pg_advisory_lock_shared(7);
select pg_try_advisory_lock(7);
-- session a
select pg_advisory_unlock_shared(7);
-- session b
select pg_try_advisory_lock(7);
-- session a
select pg_try_advisory_lock_shared(7);
-- session b
select pg_advisory_unlock_all();
-- session a
select pg_try_advisory_lock_shared(7), pg_try_advisory_lock(3, 4), pg_try_advisory_lock(4, 3);
-- session b
select pg_try_advisory_lock(3, 4);
-- session a
select locktype, classid, objid, objsubid, mode from pg_locks where locktype = 'advisory' order by 2, 3;
select pg_advisory_unlock(99);
discard all;
-- session b
select pg_try_advisory_lock(3, 4);
