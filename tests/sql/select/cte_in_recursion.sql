-- A WITH inside of a recursive term is computed anew in each round.

-- CTEs of the recursive term that read the work table, directly and through each other.
WITH RECURSIVE
  tab(id_key, link) AS (VALUES (1,17), (2,17), (3,17), (4,17), (6,17), (5,17)),
  iter(id_key, row_type, link) AS (
      SELECT 0, 'base', 17
    UNION ALL (
      WITH remaining(id_key, row_type, link, min) AS (
        SELECT tab.id_key, 'true'::text, iter.link, min(tab.id_key) OVER ()
        FROM tab INNER JOIN iter USING (link)
        WHERE tab.id_key > iter.id_key
      ),
      first_remaining AS (
        SELECT id_key, row_type, link FROM remaining WHERE id_key = min
      ),
      effect AS (
        SELECT tab.id_key, 'new'::text, tab.link
        FROM first_remaining e INNER JOIN tab ON e.id_key = tab.id_key
        WHERE e.row_type = 'false'
      )
      SELECT * FROM first_remaining
      UNION ALL SELECT * FROM effect
    )
  )
SELECT * FROM iter;

-- The same with UNION and materialized CTEs.
WITH RECURSIVE
  tab(id_key, link) AS (VALUES (1,17), (2,17), (3,17), (4,17), (6,17), (5,17)),
  iter(id_key, row_type, link) AS (
      SELECT 0, 'base', 17
    UNION (
      WITH remaining(id_key, row_type, link, min) AS MATERIALIZED (
        SELECT tab.id_key, 'true'::text, iter.link, min(tab.id_key) OVER ()
        FROM tab INNER JOIN iter USING (link)
        WHERE tab.id_key > iter.id_key
      ),
      first_remaining AS MATERIALIZED (
        SELECT id_key, row_type, link FROM remaining WHERE id_key = min
      )
      SELECT * FROM first_remaining
      UNION ALL SELECT id_key, 'seen', link + 1 FROM first_remaining WHERE link < 18
    )
  )
SELECT * FROM iter ORDER BY link, id_key;

-- A CTE that reads the work table beside one that does not.
WITH RECURSIVE t(n, s) AS (
    SELECT 1, 0::bigint
  UNION ALL (
    WITH now AS MATERIALIZED (SELECT n, s FROM t),
         fixed AS MATERIALIZED (SELECT 10 AS k),
         next AS MATERIALIZED (SELECT n + 1 AS n, s + n * k AS s FROM now, fixed)
    SELECT next.n, next.s FROM next, now WHERE next.n = now.n + 1 AND next.n <= 6
  )
)
SELECT * FROM t;

-- Through subqueries in expressions, and through hash joins with a table.
CREATE TABLE step_of (a int, b int);
INSERT INTO step_of SELECT i, i + 1 FROM generate_series(1, 8) i;
WITH RECURSIVE t(n, c) AS (
    SELECT 1, 1
  UNION ALL (
    WITH last AS MATERIALIZED (SELECT n FROM t)
    SELECT s.b, (SELECT max(n)::int FROM last) FROM step_of s WHERE s.a IN (SELECT n FROM last)
  )
)
SELECT * FROM t;
WITH RECURSIVE t(n) AS (
  SELECT 1 UNION ALL SELECT s.b FROM t JOIN step_of s ON s.a = t.n
)
SELECT count(*), max(n) FROM t;

-- A recursion within a recursion.
WITH RECURSIVE o(n, total) AS (
    SELECT 1, 1::bigint
  UNION ALL (
    WITH RECURSIVE i(k, n) AS (
        SELECT n, n FROM o
      UNION ALL
        SELECT k - 1, n FROM i WHERE k > 1
    ),
    sums AS MATERIALIZED (SELECT n, sum(k) AS s FROM i GROUP BY n)
    SELECT n + 1, s FROM sums WHERE n < 6
  )
)
SELECT * FROM o;

-- CTEs of a lateral subquery that read a column beside it, more than once.
SELECT v.a, q.x, q.y
FROM (VALUES (1), (2), (3)) v(a),
  LATERAL (WITH c AS MATERIALIZED (SELECT v.a * 10 AS x),
                d AS MATERIALIZED (SELECT x + 1 AS y FROM c)
           SELECT c.x, d.y FROM c, d, d e WHERE d.y = e.y) q
ORDER BY 1;
SELECT v.a, (WITH c AS MATERIALIZED (SELECT v.a * 10 AS x),
                  d AS MATERIALIZED (SELECT x + 1 AS y FROM c)
             SELECT sum(c.x + d.y + e.y) FROM c, d, d e)
FROM (VALUES (1), (2), (3)) v(a)
ORDER BY 1;

-- A recursion that runs again for each row.
SELECT v.a, (WITH RECURSIVE t(n) AS (SELECT v.a UNION ALL (
               WITH m AS MATERIALIZED (SELECT n FROM t) SELECT n + 1 FROM m WHERE n < 5))
             SELECT string_agg(n::text, ',') FROM t)
FROM (VALUES (1), (3), (4), (1)) v(a);
DROP TABLE step_of;
