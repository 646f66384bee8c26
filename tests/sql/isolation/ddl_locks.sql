-- The locks of DDL: who waits for whom.
-- session s
CREATE TABLE t (a int, b int); INSERT INTO t SELECT i, i FROM generate_series(1, 10) i;
CREATE TABLE p (k int PRIMARY KEY); INSERT INTO p SELECT i FROM generate_series(1, 10) i;
-- session one
BEGIN;
INSERT INTO t VALUES (11, 11);
-- session two
SELECT count(*) FROM t;
-- session two waits
CREATE INDEX t_a ON t (a);
-- session three
SELECT count(*) FROM t;
-- session three waits
INSERT INTO t VALUES (12, 12);
-- session one
COMMIT;
BEGIN;
CREATE UNIQUE INDEX t_u ON t (a);
-- session two
SELECT count(*) FROM t;
-- session two waits
UPDATE t SET b = 0 WHERE a = 3;
-- session one
ROLLBACK;
BEGIN;
SELECT count(*) FROM t;
-- session two waits
ALTER TABLE t ALTER b TYPE bigint;
-- session three waits
SELECT sum(b) FROM t;
-- session one
COMMIT;
BEGIN;
ALTER TABLE t ADD CONSTRAINT tp FOREIGN KEY (b) REFERENCES p NOT VALID;
-- session two
SELECT count(*) FROM t;
SELECT count(*) FROM p;
-- session two waits
INSERT INTO p VALUES (11);
-- session one
COMMIT;
BEGIN;
INSERT INTO t VALUES (13, 1);
-- session two
UPDATE t SET b = 1 WHERE b NOT IN (SELECT k FROM p);
ALTER TABLE t VALIDATE CONSTRAINT tp;
SET lock_timeout = '200ms';
TRUNCATE t;
LOCK TABLE t IN ACCESS SHARE MODE NOWAIT;
BEGIN;
LOCK TABLE t IN SHARE MODE NOWAIT;
ROLLBACK;
RESET lock_timeout;
-- session one
SAVEPOINT s;
ALTER TABLE t ADD COLUMN c int DEFAULT 1;
-- session two waits
SELECT count(*) FROM t;
-- session one
ROLLBACK TO s;
COMMIT;
BEGIN;
DROP TABLE t;
-- session two waits
SELECT count(*) FROM t;
-- session one
COMMIT;
