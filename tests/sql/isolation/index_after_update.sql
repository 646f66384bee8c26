-- An index that is built after an update in the same transaction serves readers who do not see that update.
-- session s
CREATE TABLE t (a int, b text); INSERT INTO t SELECT i, 'row ' || i FROM generate_series(1, 500) i;
-- session reader
SET enable_seqscan = off;
SET enable_bitmapscan = off;
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT count(*) FROM pg_class WHERE relname = 'nothing';
-- session writer
BEGIN;
UPDATE t SET a = a + 1000 WHERE a <= 250;
DELETE FROM t WHERE a = 300;
INSERT INTO t VALUES (7, 'new');
CREATE INDEX t_a ON t (a);
SET enable_seqscan = off;
SELECT a, b FROM t WHERE a = 7;
SELECT a, b FROM t WHERE a = 1007;
SELECT count(*) FROM t WHERE a = 300;
COMMIT;
-- session reader
SELECT a, b FROM t WHERE a = 7;
SELECT a, b FROM t WHERE a = 1007;
SELECT a, b FROM t WHERE a = 300;
SELECT count(*) FROM t WHERE a BETWEEN 1 AND 2000;
COMMIT;
SELECT a, b FROM t WHERE a = 7;
SELECT a, b FROM t WHERE a = 1007;
SELECT a, b FROM t WHERE a = 300;
SELECT count(*) FROM t WHERE a BETWEEN 1 AND 2000;
