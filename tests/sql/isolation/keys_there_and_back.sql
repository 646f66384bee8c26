-- A key goes from A to B and back over transactions; an old snapshot and a unique index are right throughout.
-- session s
CREATE TABLE t (id int PRIMARY KEY, k text UNIQUE, n int); INSERT INTO t VALUES (1, 'A', 0), (2, 'C', 0);
SET enable_seqscan = off;
-- session old
BEGIN ISOLATION LEVEL REPEATABLE READ;
SET enable_seqscan = off;
SELECT id, k FROM t WHERE k = 'A';
-- session one
BEGIN;
UPDATE t SET k = 'B' WHERE id = 1;
-- session s
SELECT id FROM t WHERE k = 'A';
SELECT id FROM t WHERE k = 'B';
-- session two waits
INSERT INTO t VALUES (3, 'A', 0);
-- session one
ROLLBACK;
UPDATE t SET k = 'B' WHERE id = 1;
-- session two
UPDATE t SET k = 'A' WHERE id = 1;
-- session old
SELECT id, k FROM t WHERE k = 'A';
SELECT id, k FROM t WHERE k = 'B';
-- session s
INSERT INTO t VALUES (4, 'A', 0);
-- session one
UPDATE t SET k = 'B' WHERE id = 1;
-- session two
INSERT INTO t VALUES (5, 'A', 0);
-- session s
DELETE FROM t WHERE id = 5;
UPDATE t SET k = 'A' WHERE id = 1;
-- session old
SELECT id, k FROM t WHERE k >= 'A' ORDER BY k;
-- session s
SELECT id, k FROM t WHERE k >= 'A' ORDER BY k;
-- session old
UPDATE t SET n = 1 WHERE id = 2;
UPDATE t SET n = 1 WHERE id = 1;
ROLLBACK;
-- session one
BEGIN;
DELETE FROM t WHERE k = 'A';
-- session two waits
INSERT INTO t VALUES (6, 'A', 0) ON CONFLICT (k) DO UPDATE SET n = 7 RETURNING id, n;
-- session one
COMMIT;
BEGIN;
UPDATE t SET id = 20 WHERE id = 6;
-- session two waits
SELECT id, n FROM t WHERE k = 'A' FOR UPDATE;
-- session one
COMMIT;
-- session s
SELECT id, k, n FROM t WHERE id > 0 ORDER BY id;
