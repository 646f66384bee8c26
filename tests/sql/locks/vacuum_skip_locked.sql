-- VACUUM and ANALYZE with SKIP_LOCKED pass over a table that another session holds.
-- session a
create table t (a int);
begin;
lock table t in share update exclusive mode;
-- session b
vacuum (skip_locked) t;
analyze (skip_locked) t;
vacuum (skip_locked, analyze) t;
-- session b waits
vacuum (skip_locked off) t;
-- session a
commit;
-- session b
vacuum (skip_locked) t;
