-- backend_xmin is the smallest transaction id that the session's snapshot needs to know of
SELECT backend_xmin IS NOT NULL AS held, pg_typeof(backend_xmin) FROM pg_stat_activity WHERE pid = pg_backend_pid();
SELECT backend_xid IS NULL AS reads FROM pg_stat_activity WHERE pid = pg_backend_pid();
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT pg_current_xact_id() IS NOT NULL AS writes;
SELECT backend_xid::text = pg_current_xact_id()::text AS same, backend_xmin::text::int8 <= backend_xid::text::int8 AS not_above FROM pg_stat_activity WHERE pid = pg_backend_pid();
SELECT backend_xmin::text = pg_snapshot_xmin(pg_current_snapshot())::text AS of_the_snapshot FROM pg_stat_activity WHERE pid = pg_backend_pid();
COMMIT;
SELECT backend_xid IS NULL AS over FROM pg_stat_activity WHERE pid = pg_backend_pid();
SELECT backend_xmin + 1 FROM pg_stat_activity;
