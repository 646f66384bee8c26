-- An aggregate with DISTINCT takes its rows in order, with or without ORDER BY.
CREATE TABLE d (g int, t text, n numeric, f float8, b bool);
INSERT INTO d VALUES (1, 'pear', 3, 1e16, true), (1, 'apple', 1, 1, false), (1, 'pear', 3, -1e16, true),
  (1, NULL, NULL, 1, NULL), (2, 'fig', 2, 0.5, true), (2, 'Fig', 2.5, 0.25, true), (2, 'fig', -1, 0.125, false),
  (3, NULL, NULL, NULL, NULL);
SELECT string_agg(DISTINCT t, ',') FROM d;
SELECT g, string_agg(DISTINCT t, ',') FROM d GROUP BY g ORDER BY g;
SELECT string_agg(DISTINCT t, ',' ORDER BY t) FROM d;
SELECT string_agg(DISTINCT t, ',' ORDER BY t DESC) FROM d;
SELECT string_agg(DISTINCT t, t) FROM d;
SELECT array_agg(DISTINCT t), array_agg(DISTINCT n), array_agg(DISTINCT b), array_agg(DISTINCT g) FROM d;
SELECT array_agg(DISTINCT n ORDER BY n DESC), array_agg(DISTINCT n ORDER BY n NULLS FIRST) FROM d;
SELECT g, array_agg(DISTINCT n) FILTER (WHERE n > 0) FROM d GROUP BY g ORDER BY g;
SELECT json_agg(DISTINCT t) FROM d;
SELECT jsonb_agg(DISTINCT n), jsonb_agg(DISTINCT g) FROM d;
SELECT sum(DISTINCT f), avg(DISTINCT f), sum(DISTINCT n), avg(DISTINCT n), count(DISTINCT t) FROM d;
SELECT min(DISTINCT n), max(DISTINCT t), bool_or(DISTINCT b), count(DISTINCT n) FROM d;
SELECT g, string_agg(DISTINCT t, ','), array_agg(DISTINCT b) FROM d GROUP BY ROLLUP (g) ORDER BY g;
SELECT string_agg(DISTINCT x::text, ',') FROM generate_series(20, 1, -1) x;
SELECT array_agg(DISTINCT x % 7) FROM generate_series(100, 1, -1) x;
SELECT (array_agg(DISTINCT (x * 7919) % 5000))[1:5] FROM generate_series(1, 5000) x;
SELECT array_agg(DISTINCT ARRAY[g, 4 - g]) FROM d;
SELECT array_agg(DISTINCT ROW(g, t)) FROM d WHERE g < 3;
SELECT string_agg(DISTINCT t, ',' ORDER BY g) FROM d;
DROP TABLE d;
