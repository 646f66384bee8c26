-- Row locks change nothing: no 40001 after them, the same xmin; KEY SHARE beside updates; ROLLBACK TO wakes.
-- session s
CREATE TABLE t (id int PRIMARY KEY, v int); INSERT INTO t VALUES (1, 0), (2, 0);
CREATE TABLE x AS SELECT xmin::text AS was FROM t WHERE id = 1;
-- session r
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT count(*) FROM t;
-- session w
BEGIN;
SELECT id FROM t WHERE id = 1 FOR UPDATE;
COMMIT;
-- session r
UPDATE t SET v = 1 WHERE id = 1;
ROLLBACK;
-- session s
SELECT t.xmin::text = was FROM t, x WHERE id = 1;
-- session one
BEGIN;
SELECT id FROM t WHERE id = 1 FOR KEY SHARE;
-- session two
UPDATE t SET v = 5 WHERE id = 1;
-- session two waits
UPDATE t SET id = 10 WHERE id = 1;
-- session one
COMMIT;
BEGIN;
SAVEPOINT a;
UPDATE t SET v = 9 WHERE id = 10;
-- session two waits
UPDATE t SET v = v + 1 WHERE id = 10;
-- session one
ROLLBACK TO a;
COMMIT;
BEGIN;
SELECT id FROM t WHERE id = 2 FOR SHARE;
-- session two
SELECT id FROM t WHERE id = 2 FOR SHARE;
SELECT id FROM t WHERE id = 2 FOR NO KEY UPDATE SKIP LOCKED;
SELECT id FROM t WHERE id = 2 FOR UPDATE NOWAIT;
-- session two waits
DELETE FROM t WHERE id = 2;
-- session three waits
SELECT id FROM t WHERE id = 2 FOR UPDATE;
-- session one
COMMIT;
-- session r
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT v FROM t;
-- session w
UPDATE t SET v = 100;
-- session r
SELECT v FROM t;
SELECT v FROM t FOR UPDATE;
ROLLBACK;
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT v FROM t;
-- session w
DELETE FROM t;
-- session r
DELETE FROM t;
ROLLBACK;
