-- Plans that another session's DDL has overtaken are made again; results never come from stale trees.
-- session s
CREATE TABLE t (a int PRIMARY KEY, b int); INSERT INTO t SELECT i, i * 10 FROM generate_series(1, 100) i;
-- session one
PREPARE q (int) AS SELECT b FROM t WHERE a = $1;
PREPARE u (int) AS UPDATE t SET b = b + 1 WHERE a = $1;
PREPARE w AS SELECT * FROM t WHERE a = 5;
EXECUTE q (5);
EXECUTE u (5);
EXECUTE w;
-- session two
ALTER TABLE t ALTER b TYPE bigint;
-- session one
EXECUTE q (5);
EXECUTE w;
EXECUTE u (5);
-- session two
CREATE INDEX t_b ON t (b);
-- session one
EXECUTE u (5);
-- session two
SET enable_seqscan = off;
SELECT a FROM t WHERE b = 53;
REINDEX TABLE t;
-- session one
EXECUTE u (6);
-- session two
SELECT a FROM t WHERE b = 61;
BEGIN;
ALTER TABLE t ADD CHECK (b < 10000), ALTER a TYPE bigint;
-- session one waits
EXECUTE u (7);
-- session two
COMMIT;
SELECT a FROM t WHERE b = 71;
TRUNCATE t;
-- session one
EXECUTE q (5);
INSERT INTO t VALUES (1, 20000);
-- session two
DROP INDEX t_b;
-- session one
EXECUTE u (1);
-- session two
DROP TABLE t;
-- session one
EXECUTE q (5);
-- session two
CREATE TABLE t (a int, b text);
-- session one
EXECUTE q (5);
