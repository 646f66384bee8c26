-- Lateral items join in any order that the rows they read allow, found by conditions and indexes
CREATE TABLE a (id int PRIMARY KEY, u int);
INSERT INTO a SELECT i, i FROM generate_series(0, 20000) i;
CREATE INDEX ON a (u);
SELECT count(*) FROM a x, a y JOIN LATERAL (VALUES (x.id)) v (n) ON y.u = v.n;
SELECT count(*) FROM a y, a x, LATERAL (VALUES (x.id)) v (n) WHERE y.u = v.n;
SELECT count(*) FROM a y, a x CROSS JOIN LATERAL (SELECT x.u + 1) v (n) WHERE y.u = v.n AND x.id < 100;
SELECT x.id, s.i, y.u FROM a y, a x, LATERAL generate_series(x.id, x.id + 1) s (i) WHERE x.id IN (5, 7) AND y.id = s.i ORDER BY 1, 2;
SELECT count(*) FROM a y, a x, LATERAL (SELECT count(*) FROM a z WHERE z.u = x.u) c (n), LATERAL (VALUES (c.n + x.id)) v (n) WHERE y.id = v.n AND x.id < 10;
SELECT x.id, w.n FROM a x LEFT JOIN LATERAL (SELECT y.id + x.id FROM a y WHERE y.id = x.id) w (n) ON w.n < 6 WHERE x.id < 5 ORDER BY 1;
SELECT x.id FROM LATERAL (SELECT x.id) v, a x;
SELECT * FROM (VALUES (1), (2)) p (a), LATERAL (SELECT p.a * 10) q (b), LATERAL (SELECT p.a + q.b) r (c) WHERE r.c > 11 ORDER BY 1;
