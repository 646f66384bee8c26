-- READ COMMITTED looks again at rows that changed while it waited.
-- session s
CREATE TABLE a (id int PRIMARY KEY, v int, w int); INSERT INTO a SELECT i, i, 0 FROM generate_series(1, 6) i;
CREATE TABLE b (id int, n int); INSERT INTO b VALUES (1, 10), (2, 20), (3, 30);
-- session one
BEGIN;
UPDATE a SET v = v + 100 WHERE id IN (1, 2);
-- session two waits
UPDATE a SET w = w + 1 WHERE v < 4 RETURNING id, v, w;
-- session one
COMMIT;
BEGIN;
UPDATE a SET v = 1 WHERE id = 1;
-- session two waits
UPDATE a SET v = v + 1, w = (SELECT count(*) FROM b) WHERE id = 1 RETURNING v, w;
-- session one
COMMIT;
BEGIN;
DELETE FROM a WHERE id = 6;
-- session two waits
UPDATE a SET w = 9 WHERE id >= 5 RETURNING id;
-- session one
COMMIT;
BEGIN;
UPDATE a SET id = 50 WHERE id = 5;
-- session two waits
SELECT id, w FROM a WHERE id = 5 FOR UPDATE;
-- session one
COMMIT;
BEGIN;
INSERT INTO a VALUES (7, 7, 7);
-- session two waits
INSERT INTO a VALUES (7, 0, 0) ON CONFLICT (id) DO UPDATE SET w = a.w + 1 RETURNING id, v, w;
-- session one
COMMIT;
BEGIN;
UPDATE a SET v = 3 WHERE id = 3;
-- session two waits
DELETE FROM a WHERE v <= 3 RETURNING id;
-- session one
UPDATE a SET v = 33 WHERE id = 3;
COMMIT;
-- session s
SELECT id, v, w FROM a ORDER BY id;
