-- INSERT ... RETURNING of many rows: what comes first when several rows fail, what RETURNING sees,
-- and what is left after an error.
CREATE TABLE parent (id int PRIMARY KEY);
INSERT INTO parent SELECT generate_series(1, 900);
CREATE TABLE t (
    k int PRIMARY KEY,
    v int CHECK (v < 10000),
    d int GENERATED ALWAYS AS (k * 2) STORED,
    p int REFERENCES parent
);
CREATE INDEX ON t (v);
CREATE SEQUENCE s;

WITH i AS (INSERT INTO t SELECT g, g + 1 FROM generate_series(1, 700) g RETURNING *)
SELECT count(*), sum(k), sum(v), sum(d), count(p) FROM i;
SELECT count(*), sum(d) FROM t WHERE v > 600;
WITH i AS (INSERT INTO t SELECT g, g FROM generate_series(701, 710) g RETURNING k, (SELECT count(*) FROM t) AS n)
SELECT k, n, (SELECT count(*) FROM t) AS outside FROM i ORDER BY k;
INSERT INTO t SELECT g, -g FROM generate_series(711, 716) g RETURNING k, v, nextval('s');
INSERT INTO t VALUES (801, 1), (802, 2), (803, 3) RETURNING k AS key, v * 10, tableoid::regclass;
INSERT INTO t SELECT 0, 0 WHERE false RETURNING k;

-- The first row that fails tells, whatever fails.
INSERT INTO t SELECT g, g FROM generate_series(900, 910) g RETURNING k, 1 / (k - 905);
INSERT INTO t SELECT CASE g WHEN 905 THEN 5 ELSE g END, g FROM generate_series(900, 910) g RETURNING 1 / (k - 907);
INSERT INTO t SELECT CASE g WHEN 905 THEN 5 ELSE g END, g FROM generate_series(900, 910) g RETURNING 1 / (k - 903);
INSERT INTO t SELECT g, CASE g WHEN 905 THEN 10000 ELSE g END FROM generate_series(900, 910) g RETURNING 1 / (k - 907);
INSERT INTO t SELECT g, CASE g WHEN 905 THEN 10000 ELSE g END FROM generate_series(900, 910) g RETURNING 1 / (k - 903);
INSERT INTO t SELECT CASE g WHEN 903 THEN 5 ELSE g END, CASE g WHEN 905 THEN 10000 ELSE g END
    FROM generate_series(900, 910) g RETURNING k;
INSERT INTO t (k, p) SELECT g, g FROM generate_series(895, 905) g RETURNING k;
INSERT INTO t SELECT g, g FROM generate_series(900, 910) g RETURNING k / (SELECT 0 WHERE k > 0);
SELECT count(*), max(k) FROM t;

-- A savepoint in the middle; a cursor that was opened between two commands.
BEGIN;
INSERT INTO t SELECT g, g FROM generate_series(1001, 1003) g RETURNING k;
DECLARE c CURSOR FOR SELECT k FROM t WHERE k > 1000 ORDER BY k;
SAVEPOINT a;
WITH i AS (INSERT INTO t SELECT g, g FROM generate_series(1004, 1300) g RETURNING k) SELECT count(*) FROM i;
INSERT INTO t SELECT g, g FROM generate_series(1301, 1310) g RETURNING 1 / (k - 1305);
ROLLBACK TO a;
SELECT count(*) FROM t WHERE k > 1000;
INSERT INTO t SELECT g, g FROM generate_series(1004, 1006) g RETURNING k;
FETCH ALL FROM c;
SELECT k FROM t WHERE k > 1000 ORDER BY k;
COMMIT;
SELECT count(*), sum(k), sum(d) FROM t;

-- Row by row, since a key is looked for before each row.
WITH i AS (INSERT INTO t SELECT g % 1100, g FROM generate_series(1, 2000) g ON CONFLICT DO NOTHING RETURNING k)
SELECT count(*), min(k), max(k) FROM i;
BEGIN;
INSERT INTO t SELECT g, g FROM generate_series(2001, 2100) g ON CONFLICT DO NOTHING;
SAVEPOINT a;
INSERT INTO t SELECT g, g FROM generate_series(2051, 2200) g ON CONFLICT DO NOTHING;
ROLLBACK TO a;
MERGE INTO t USING generate_series(2091, 2110) g ON t.k = g
    WHEN MATCHED THEN UPDATE SET v = -1 WHEN NOT MATCHED THEN INSERT (k, v) VALUES (g, -2);
SELECT v, count(*) FROM t WHERE k > 2090 GROUP BY v ORDER BY v;
COMMIT;
SELECT count(*), sum(k), sum(v), sum(d) FROM t;
DROP TABLE t, parent;
DROP SEQUENCE s;
