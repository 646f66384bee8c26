-- A queue of jobs: SKIP LOCKED LIMIT 1 takes one free job for each.
-- session s
CREATE TABLE job (id int PRIMARY KEY, done bool DEFAULT false); INSERT INTO job (id) SELECT i FROM generate_series(1, 5) i;
-- session one
BEGIN;
-- session two
BEGIN;
-- session three
BEGIN;
-- session one
SELECT id FROM job WHERE NOT done ORDER BY id FOR UPDATE SKIP LOCKED LIMIT 1;
-- session two
SELECT id FROM job WHERE NOT done ORDER BY id FOR UPDATE SKIP LOCKED LIMIT 1;
-- session three
SELECT id FROM job WHERE NOT done ORDER BY id FOR UPDATE SKIP LOCKED LIMIT 1;
-- session one
UPDATE job SET done = true WHERE id = 1;
-- session two
ROLLBACK;
-- session one
COMMIT;
-- session two
BEGIN;
UPDATE job SET done = true WHERE id = (SELECT id FROM job WHERE NOT done ORDER BY id FOR UPDATE SKIP LOCKED LIMIT 1) RETURNING id;
-- session one
DELETE FROM job WHERE id = (SELECT id FROM job WHERE NOT done ORDER BY id FOR UPDATE SKIP LOCKED LIMIT 1) RETURNING id;
SELECT id FROM job WHERE NOT done FOR UPDATE NOWAIT;
-- session three
COMMIT;
-- session two
COMMIT;
-- session s
SELECT id, done FROM job ORDER BY id;
