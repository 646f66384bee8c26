-- A REPEATABLE READ reader across CREATE INDEX, TRUNCATE, and ADD COLUMN that is rolled back and comes again.
-- session w
CREATE TABLE t (a int, b text); INSERT INTO t SELECT i, 'v' || i FROM generate_series(1, 200) i;
CREATE TABLE u (a int); INSERT INTO u VALUES (1), (2);
-- session r
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT count(*) FROM pg_class WHERE relname = 't';
-- session w
UPDATE t SET a = a + 1000 WHERE a = 7;
DELETE FROM t WHERE a = 8;
CREATE INDEX t_a ON t (a);
CREATE INDEX t_e ON t ((a * 2));
-- session r
SET enable_seqscan = off;
SELECT b FROM t WHERE a = 7;
SELECT b FROM t WHERE a = 8;
SELECT b FROM t WHERE a = 1007;
SELECT b FROM t WHERE a BETWEEN 5 AND 9 ORDER BY a;
SELECT b FROM t WHERE a * 2 = 14;
-- session w
BEGIN;
-- session w waits
ALTER TABLE t ADD COLUMN c int;
-- session r
COMMIT;
-- session w
UPDATE t SET c = 1;
INSERT INTO t VALUES (500, 'v500', 5);
ROLLBACK;
ALTER TABLE t ADD COLUMN c int DEFAULT 7;
-- session r
SELECT DISTINCT c FROM t;
SELECT count(*), sum(c) FROM t;
-- session w
BEGIN;
ALTER TABLE t ADD COLUMN d int;
UPDATE t SET d = 1 WHERE a < 20;
ROLLBACK;
ALTER TABLE t ADD COLUMN d text;
-- session r
SELECT count(d), count(*) FROM t;
-- session w
UPDATE t SET d = 'x' WHERE a = 11;
-- session r
SELECT a, b, c, d FROM t WHERE a IN (10, 11) ORDER BY a;
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT count(*) FROM t;
-- session w waits
TRUNCATE t;
-- session r
SELECT count(*) FROM u;
COMMIT;
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT count(*) FROM u;
-- session w
INSERT INTO t (a) VALUES (1);
TRUNCATE t;
INSERT INTO t (a) VALUES (2);
-- session r
SELECT count(*) FROM t;
COMMIT;
SELECT a FROM t;
