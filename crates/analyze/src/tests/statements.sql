-- One statement a line. Only what every PostgreSQL database has.
-- Literals and types
SELECT 1, 'a', 1.5, 12345678901, true, null, B'101', 1e10
SELECT 1 + 2, 1 + 2.5, 2::int8 * 3, 1.0::real / 2, 7 % 3, -5, + 5
SELECT 'a' || 'b', 'a' || 1, 1 || 'a', 'x'::text || 'y'::varchar
SELECT 1 + 'a'
SELECT 1 + 'a'::text
SELECT '2020-01-01'::date + 1, now() - '1 day'::interval, '2020-01-01'::date - '2019-01-01'::date
SELECT 'abc'::varchar(2), 'abc'::char(5), 1.25::numeric(5,1), '12:00'::time(3), interval '1' day
SELECT cast(1 as nosuch)
SELECT 'x'::int
SELECT 1::point
SELECT array[1,2,3], array[[1,2],[3,4]], array[1,2.5], array['a','b'], array[]::int[]
SELECT array[]
SELECT array[1,'a'::text]
SELECT (array[1,2,3])[1], (array[1,2,3])[1:2], ('{1,2}'::int[])[1]
SELECT (1)[1]
SELECT row(1,'a'), (1,2), row(1,2) = row(1,2), (1,2) < (3,4)
SELECT (1,2) = (1,2,3)
SELECT case when true then 1 else 2.5 end, case 1 when 1 then 'a' end, case when true then 'a' else 'b' end
SELECT case when true then 1 else 'a'::text end
SELECT case 1 when 'a' then 1 end
SELECT coalesce(null, 1, 2.5), nullif(1, 2), greatest(1, 2.5), least('a', 'b')
SELECT coalesce(1, 'a'::text)
SELECT 1 is null, null is not null, true is true, 1 is distinct from 2, null is distinct from null
SELECT 1 is true
SELECT 1 between 0 and 2, 1 not between symmetric 3 and 0, 1 in (1,2,3), 1 not in (1,2), 'a' in ('a', 'b')
SELECT 1 in (1, 'x')
SELECT 1 = any(array[1,2]), 1 = all('{1,2}'), 'a' = any('{a,b}'::text[])
SELECT 1 = any(1)
SELECT 'a' like 'b', 'a' ilike 'b', 'a' similar to 'b', 'a' ~ 'b', 'a' not like 'b'
SELECT current_date, current_timestamp(3), current_user, localtime, current_schema, session_user
SELECT not true, true and false, 1 and true
SELECT true or 'x'
SELECT not 1
SELECT 'a' collate "C", 1 collate "C"
SELECT 'a' collate nosuch
SELECT @ -5, |/ 25.0, !! 'x'
SELECT 1 <=> 2
SELECT '1' + '2'
SELECT '1' = '2', '1' < 2, 'a' > 'b'
-- Functions
SELECT lower('A'), length('abc'), abs(-1), round(1.5), round(1.5, 1), upper(1)
SELECT nosuch(1)
SELECT nosuch.f(1)
SELECT lower(1, 2)
SELECT substring('abc' from 2 for 1), extract(year from now()), position('a' in 'b'), trim(' a '), overlay('a' placing 'b' from 1)
SELECT concat('a', 1, true), format('%s', 1), concat_ws(',', 'a', 'b')
SELECT generate_series(1, 3), generate_series(1::numeric, 3)
SELECT make_interval(days => 1), make_interval(nosuch => 1)
SELECT make_interval(days => 1, 2)
SELECT make_interval(days => 1, days => 2)
SELECT int4('1'), text(1), date '2020-01-01', int8 '1', float8(1)
SELECT pg_typeof(1), pg_typeof('a')
SELECT array_append(array[1], 2), array_append(array[1], 2.5), array_cat(array[1], array[2]), array_length(array[1], 1), unnest(array[1,2])
SELECT array_append(array[1], 'x')
SELECT array_agg(oid), string_agg(relname, ','), count(*), max(relname), sum(relpages), avg(relpages) FROM pg_class
SELECT lower(distinct 'a')
SELECT lower(*)
SELECT count()
SELECT lower('a') over ()
SELECT row_number()
SELECT rank() over (order by 1), lag(relname) over (partition by relkind order by oid), sum(relpages) over w FROM pg_class WINDOW w AS (ORDER BY oid ROWS BETWEEN 1 PRECEDING AND CURRENT ROW)
SELECT sum(relpages) over nosuch FROM pg_class
SELECT count(distinct relname) over () FROM pg_class
SELECT sum(sum(relpages)) FROM pg_class
SELECT sum(count(*)) over () FROM pg_class
SELECT sum(rank() over ()) FROM pg_class
SELECT rank() over (order by rank() over ()) FROM pg_class
SELECT 1 FROM pg_class WHERE count(*) > 1
SELECT 1 FROM pg_class WHERE rank() over () > 1
SELECT 1 FROM pg_class WHERE generate_series(1,2) > 1
SELECT count(*) filter (where relkind = 'r') FROM pg_class
SELECT count(*) filter (where 1) FROM pg_class
SELECT string_agg(relname, ',' order by oid desc) FROM pg_class
SELECT count(distinct relname order by oid) FROM pg_class
SELECT percentile_cont(0.5) within group (order by relpages) FROM pg_class
SELECT mode() within group (order by relname) FROM pg_class
SELECT jsonb_build_object('a', 1), to_jsonb(1), json_agg(relname) FROM pg_class GROUP BY relname
SELECT '{"a":1}'::jsonb -> 'a', '{"a":1}'::jsonb ->> 'a', ('{"a":1}'::jsonb)['a']
SELECT 1 FROM pg_class HAVING count(*) > 1
-- Names
SELECT relname FROM pg_class
SELECT pg_class.relname, c.oid FROM pg_class c
SELECT c.relname FROM pg_class c
SELECT c.nosuch FROM pg_class c
SELECT nosuch FROM pg_class
SELECT relnam FROM pg_class
SELECT c.relnam FROM pg_class c
SELECT oid FROM pg_class, pg_type
SELECT * FROM nosuch
SELECT * FROM nosuch.nosuch
SELECT * FROM pg_catalog.pg_namespace
SELECT pg_catalog.pg_namespace.nspname FROM pg_catalog.pg_namespace
SELECT *
SELECT x.* FROM pg_class c
SELECT c.* FROM pg_namespace c
SELECT c FROM pg_namespace c
SELECT (c).nspname, (c).* FROM pg_namespace c
SELECT (c).nosuch FROM pg_namespace c
SELECT ctid, tableoid, xmin, xmax, c.cmin FROM pg_namespace c
SELECT a FROM (SELECT 1 AS a) x
SELECT x.a, b FROM (SELECT 1, 2) AS x(a, b)
SELECT * FROM (SELECT 1, 2) AS x(a, b, c)
SELECT * FROM (SELECT 1)
SELECT * FROM (VALUES (1, 'a'), (2, 'b')) v(x, y)
VALUES (1, 'a'), (2, null)
VALUES (1, 2), (3)
VALUES (1), ('a'::text)
SELECT * FROM pg_class c, pg_class c
SELECT nspname AS n FROM pg_namespace ORDER BY n
SELECT nspname FROM pg_namespace ORDER BY 2
SELECT nspname FROM pg_namespace ORDER BY 'a'
SELECT nspname FROM pg_namespace ORDER BY nosuch
SELECT 1 AS a, 2 AS a ORDER BY a
SELECT nspname FROM pg_namespace ORDER BY oid + 1, nspname DESC NULLS LAST
SELECT DISTINCT nspname FROM pg_namespace ORDER BY oid
SELECT DISTINCT ON (nspowner) nspname FROM pg_namespace ORDER BY nspname
SELECT DISTINCT ON (nspowner) nspname FROM pg_namespace ORDER BY nspowner, nspname
SELECT nspname FROM pg_namespace LIMIT 'a'
SELECT nspname FROM pg_namespace LIMIT nspname
SELECT nspname FROM pg_namespace LIMIT 1 OFFSET 1 + 1
SELECT nspname FROM pg_namespace WHERE nspname
SELECT nspname FROM pg_namespace WHERE 1
SELECT a.oid FROM pg_class a JOIN pg_namespace b ON a.relnamespace = b.oid
SELECT oid, relname FROM pg_class JOIN pg_type USING (oid)
SELECT * FROM (SELECT 1 AS a, 2 AS b) x JOIN (SELECT 1 AS a, 3 AS c) y USING (a)
SELECT * FROM (SELECT 1 AS a, 2 AS b) x NATURAL FULL JOIN (SELECT 1::int8 AS a, 3 AS c) y
SELECT * FROM (SELECT 1 AS a) x JOIN (SELECT 'x'::text AS a) y USING (a)
SELECT * FROM (SELECT 1 AS a) x JOIN (SELECT 2 AS b) y USING (a)
SELECT j.a, j.b FROM ((SELECT 1 AS a) x CROSS JOIN (SELECT 2 AS b) y) AS j
SELECT x.a FROM ((SELECT 1 AS a) x CROSS JOIN (SELECT 2 AS b) y) AS j
SELECT * FROM (SELECT 1 AS a) x LEFT JOIN (SELECT 2 AS b) y ON a = b AND z.c = 1
SELECT * FROM (SELECT 1 AS a) x, (SELECT a) y
SELECT * FROM (SELECT 1 AS a) x, LATERAL (SELECT a AS b) y
SELECT * FROM (SELECT 1 AS a) x FULL JOIN LATERAL (SELECT x.a AS b) y ON true
SELECT * FROM generate_series(1, 3) g, generate_series(1, g) WITH ORDINALITY AS h(x, n)
SELECT * FROM unnest(array[1,2], array['a','b']) AS u(a, b)
SELECT * FROM json_to_record('{}') AS x(a int, b text)
SELECT * FROM json_to_record('{}')
SELECT * FROM generate_series(1, 3) AS x(a int)
SELECT * FROM pg_stat_file('x')
SELECT * FROM ROWS FROM (generate_series(1,2), unnest(array['a'])) AS r(a, b)
SELECT x.relname FROM pg_class x WHERE y.oid = 1
-- Grouping
SELECT relkind, count(*) FROM pg_class GROUP BY relkind
SELECT relname, count(*) FROM pg_class GROUP BY relkind
SELECT relname, count(*) FROM pg_class
SELECT relname FROM pg_class GROUP BY oid
SELECT c.relname, n.nspname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace GROUP BY c.oid
SELECT relkind AS k, count(*) FROM pg_class GROUP BY k
SELECT relkind, count(*) FROM pg_class GROUP BY 1
SELECT relkind, count(*) FROM pg_class GROUP BY 3
SELECT relkind, count(*) FROM pg_class GROUP BY 2
SELECT relkind || 'x', count(*) FROM pg_class GROUP BY relkind || 'x'
SELECT relkind, count(*) FROM pg_class GROUP BY relkind HAVING relname = 'x'
SELECT relkind, relpersistence, grouping(relkind), count(*) FROM pg_class GROUP BY ROLLUP (relkind, relpersistence)
SELECT relkind, grouping(relname) FROM pg_class GROUP BY CUBE (relkind)
SELECT relkind FROM pg_class GROUP BY GROUPING SETS ((relkind), ())
SELECT relkind, (SELECT relname) FROM pg_class GROUP BY relkind
SELECT relkind, count(*) FROM pg_class GROUP BY relkind ORDER BY relname
SELECT relkind, count(*) FROM pg_class GROUP BY relkind ORDER BY count(*)
-- Set operations
SELECT 1 UNION SELECT 2
SELECT 1 AS a UNION ALL SELECT 2.5 ORDER BY a
SELECT 1 UNION SELECT 'a'
SELECT 1 UNION SELECT 'a'::text
SELECT 1 UNION SELECT 1, 2
SELECT null UNION SELECT 1
SELECT 'a' UNION SELECT 'b'
SELECT 1 AS a UNION SELECT 2 ORDER BY a + 1
SELECT 1 AS a UNION SELECT 2 ORDER BY b
SELECT 1 INTERSECT SELECT 2 EXCEPT SELECT 3
(SELECT 1 LIMIT 1) UNION (SELECT 2 ORDER BY 1)
SELECT relname FROM pg_class UNION SELECT 'x' LIMIT 3
-- WITH
WITH a AS (SELECT 1 AS x) SELECT x FROM a
WITH a(y) AS (SELECT 1 AS x) SELECT y FROM a b
WITH a(y, z) AS (SELECT 1 AS x) SELECT y FROM a
WITH a AS (SELECT 1), a AS (SELECT 2) SELECT 1
WITH a AS (SELECT * FROM b), b AS (SELECT 1) SELECT * FROM a
WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t WHERE n < 5) SELECT n FROM t
WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1.5 FROM t) SELECT n FROM t
WITH RECURSIVE t AS (SELECT * FROM t) SELECT * FROM t
SELECT * FROM (WITH a AS (SELECT 1 AS x) SELECT x FROM a) y
-- Subqueries
SELECT (SELECT 1), EXISTS (SELECT 1), ARRAY(SELECT 1), 1 IN (SELECT 2), (SELECT 1 AS a)
SELECT (SELECT 1, 2)
SELECT 1 IN (SELECT 1, 2)
SELECT (1, 2) IN (SELECT 1, 2), (1, 'a') = (SELECT 1, 'a')
SELECT (1, 2) IN (SELECT 1)
SELECT 1 = ANY (SELECT 'a'::text)
SELECT 1 > ALL (SELECT 2.5)
SELECT (SELECT c.relname) FROM pg_class c
SELECT (SELECT count(c.oid)) FROM pg_class c
SELECT (SELECT count(*) FROM pg_type t WHERE t.typrelid = c.oid) FROM pg_class c
-- Parameters
SELECT $1
SELECT $1 + 1, $2::text
SELECT $1 + 1, $1::text
SELECT $1::int, $1 + 1
SELECT relname FROM pg_class WHERE oid = $1 AND relname LIKE $2
SELECT $2
SELECT $1 = $1
SELECT CASE WHEN $1 THEN $2 ELSE 1 END
SELECT relname FROM pg_class LIMIT $1
SELECT lower($1), $2 || 'a'
SELECT $0
-- Locking
SELECT 1 FROM pg_class FOR UPDATE
SELECT 1 FROM pg_class c FOR SHARE OF c SKIP LOCKED
SELECT 1 FROM pg_class c FOR UPDATE OF x
SELECT count(*) FROM pg_class FOR UPDATE
SELECT DISTINCT relname FROM pg_class FOR UPDATE
SELECT 1 UNION SELECT 2 FOR UPDATE
-- Changing rows
INSERT INTO pg_description VALUES (1, 2, 3, 'a')
INSERT INTO pg_description (objoid, description) VALUES (1, 'a'), (2, null)
INSERT INTO pg_description (objoid, nosuch) VALUES (1, 'a')
INSERT INTO pg_description (objoid, objoid) VALUES (1, 2)
INSERT INTO pg_description VALUES (1, 2, 3, 'a', 5)
INSERT INTO pg_description (objoid, classoid) VALUES (1)
INSERT INTO pg_description (objoid) VALUES (true)
INSERT INTO pg_description (objoid) VALUES ('x')
INSERT INTO pg_description VALUES ($1, $2, $3, $4)
INSERT INTO pg_description SELECT oid, oid, 0, relname FROM pg_class
INSERT INTO pg_description SELECT 1, 2, 3, $1
INSERT INTO pg_description DEFAULT VALUES
INSERT INTO pg_description VALUES (1, 2, 3, 'a') RETURNING *, description AS d, old.objoid, new.objsubid
INSERT INTO pg_description VALUES (1, 2, 3, 'a') ON CONFLICT DO NOTHING
INSERT INTO pg_description VALUES (1, 2, 3, 'a') ON CONFLICT (objoid, classoid, objsubid) DO UPDATE SET description = excluded.description WHERE pg_description.objoid > 1
INSERT INTO pg_description VALUES (1, 2, 3, 'a') ON CONFLICT (objoid) DO NOTHING
INSERT INTO pg_description VALUES (1, 2, 3, 'a') ON CONFLICT DO UPDATE SET description = 'x'
UPDATE pg_description SET description = 'x', objsubid = objsubid + 1 WHERE objoid = 1
UPDATE pg_description SET nosuch = 1
UPDATE pg_description SET objoid = 1, objoid = 2
UPDATE pg_description SET (objoid, classoid) = (1, 2), description = DEFAULT
UPDATE pg_description SET (objoid, classoid) = (SELECT 1, 2)
UPDATE pg_description SET (objoid, classoid) = (1, 2, 3)
UPDATE pg_description SET (objoid, classoid) = 1
UPDATE pg_description d SET description = c.relname FROM pg_class c WHERE c.oid = d.objoid RETURNING d.objoid, c.relname
UPDATE pg_description SET ctid = 'x'
UPDATE pg_description SET objoid = true
UPDATE pg_description SET objsubid = $1 WHERE objoid = $2
UPDATE pg_index SET indkey[0] = 1
DELETE FROM pg_description
DELETE FROM pg_description d USING pg_class c WHERE c.oid = d.objoid RETURNING *
DELETE FROM nosuch
DELETE FROM pg_description WHERE nosuch = 1
WITH d AS (DELETE FROM pg_description RETURNING objoid) SELECT * FROM d
WITH d AS (DELETE FROM pg_description) SELECT * FROM d
SELECT * FROM (WITH d AS (DELETE FROM pg_description RETURNING objoid) SELECT * FROM d) x
MERGE INTO pg_description d USING pg_class c ON c.oid = d.objoid WHEN MATCHED THEN DELETE WHEN NOT MATCHED THEN INSERT VALUES (c.oid, 1, 0, c.relname)
MERGE INTO pg_description d USING pg_class c ON c.oid = d.objoid WHEN MATCHED THEN DELETE WHEN MATCHED THEN DO NOTHING
-- What psql asks
SELECT n.nspname as "Schema", c.relname as "Name", CASE c.relkind WHEN 'r' THEN 'table' WHEN 'v' THEN 'view' END as "Type", pg_catalog.pg_get_userbyid(c.relowner) as "Owner" FROM pg_catalog.pg_class c LEFT JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace LEFT JOIN pg_catalog.pg_am am ON am.oid = c.relam WHERE c.relkind IN ('r','p','v','m','S','f','') AND n.nspname <> 'pg_catalog' AND n.nspname !~ '^pg_toast' AND n.nspname <> 'information_schema' AND pg_catalog.pg_table_is_visible(c.oid) ORDER BY 1,2
SELECT c.oid, n.nspname, c.relname FROM pg_catalog.pg_class c LEFT JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE c.relname OPERATOR(pg_catalog.~) '^(t)$' COLLATE pg_catalog.default AND pg_catalog.pg_table_is_visible(c.oid) ORDER BY 2, 3
SELECT c.relchecks, c.relkind, c.relhasindex, c.relhasrules, c.relhastriggers, c.relrowsecurity, c.relforcerowsecurity, false AS relhasoids, c.relispartition, '', c.reltablespace, CASE WHEN c.reloftype = 0 THEN '' ELSE c.reloftype::pg_catalog.regtype::pg_catalog.text END, c.relpersistence, c.relreplident, am.amname FROM pg_catalog.pg_class c LEFT JOIN pg_catalog.pg_class tc ON (c.reltoastrelid = tc.oid) LEFT JOIN pg_catalog.pg_am am ON (c.relam = am.oid) WHERE c.oid = '1259'
SELECT a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod), (SELECT pg_catalog.pg_get_expr(d.adbin, d.adrelid, true) FROM pg_catalog.pg_attrdef d WHERE d.adrelid = a.attrelid AND d.adnum = a.attnum AND a.atthasdef), a.attnotnull, (SELECT c.collname FROM pg_catalog.pg_collation c, pg_catalog.pg_type t WHERE c.oid = a.attcollation AND t.oid = a.atttypid AND a.attcollation <> t.typcollation) AS attcollation, a.attidentity, a.attgenerated FROM pg_catalog.pg_attribute a WHERE a.attrelid = '1259' AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum
SELECT c2.relname, i.indisprimary, i.indisunique, i.indisclustered, i.indisvalid, pg_catalog.pg_get_indexdef(i.indexrelid, 0, true), pg_catalog.pg_get_constraintdef(con.oid, true), contype, condeferrable, condeferred, i.indisreplident, c2.reltablespace, con.conperiod FROM pg_catalog.pg_class c, pg_catalog.pg_class c2, pg_catalog.pg_index i LEFT JOIN pg_catalog.pg_constraint con ON (conrelid = i.indrelid AND conindid = i.indexrelid AND contype IN ('p','u','x')) WHERE c.oid = '1259' AND c.oid = i.indrelid AND i.indexrelid = c2.oid ORDER BY i.indisprimary DESC, c2.relname
SELECT d.datname as "Name", pg_catalog.pg_get_userbyid(d.datdba) as "Owner", pg_catalog.pg_encoding_to_char(d.encoding) as "Encoding", CASE d.datlocprovider WHEN 'b' THEN 'builtin' WHEN 'c' THEN 'libc' WHEN 'i' THEN 'icu' END AS "Locale Provider", d.datcollate as "Collate", CASE WHEN pg_catalog.array_length(d.datacl, 1) = 0 THEN '(none)' ELSE pg_catalog.array_to_string(d.datacl, E'\n') END AS "Access privileges" FROM pg_catalog.pg_database d ORDER BY 1
SELECT r.rolname, r.rolsuper, ARRAY(SELECT b.rolname FROM pg_catalog.pg_auth_members m JOIN pg_catalog.pg_authid b ON (m.roleid = b.oid) WHERE m.member = r.oid) as memberof FROM pg_catalog.pg_authid r WHERE r.rolname !~ '^pg_' ORDER BY 1
SELECT n.nspname as "Schema", p.proname as "Name", pg_catalog.pg_get_function_result(p.oid) as "Result data type", pg_catalog.pg_get_function_arguments(p.oid) as "Argument data types", CASE p.prokind WHEN 'a' THEN 'agg' WHEN 'w' THEN 'window' WHEN 'p' THEN 'proc' ELSE 'func' END as "Type" FROM pg_catalog.pg_proc p LEFT JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace WHERE p.proname OPERATOR(pg_catalog.~) '^(lower)$' COLLATE pg_catalog.default ORDER BY 1, 2, 4
-- pgbench
SELECT abalance FROM pgbench_accounts WHERE aid = $1
UPDATE pgbench_accounts SET abalance = abalance + $1 WHERE aid = $2
UPDATE pgbench_tellers SET tbalance = tbalance + -42 WHERE tid = 7
UPDATE pgbench_branches SET bbalance = bbalance + $1 WHERE bid = $2
INSERT INTO pgbench_history (tid, bid, aid, delta, mtime) VALUES ($1, $2, $3, $4, CURRENT_TIMESTAMP)
SELECT count(*) FROM pgbench_branches
SELECT o.n, p.partstrat, pg_catalog.count(i.inhparent) FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON (n.oid = c.relnamespace) CROSS JOIN LATERAL (SELECT pg_catalog.array_position(pg_catalog.current_schemas(true), n.nspname)) AS o(n) LEFT JOIN pg_catalog.pg_partitioned_table AS p ON (p.partrelid = c.oid) LEFT JOIN pg_catalog.pg_inherits AS i ON (c.oid = i.inhparent) WHERE c.relname = 'pgbench_accounts' AND o.n IS NOT NULL GROUP BY 1, 2 ORDER BY 1 ASC LIMIT 1
INSERT INTO pgbench_accounts (aid, bid, abalance, filler) SELECT aid, (aid - 1) / 100000 + 1, 0, '' FROM pg_catalog.generate_series(1, 100000) AS aid
-- Ordinary tables
SELECT * FROM t
SELECT t, (t).a, t.f[1], t.g['x'], t.g -> 'y' FROM t
SELECT a, b, count(*) FROM t GROUP BY a
SELECT b, c FROM t GROUP BY b
SELECT * FROM t JOIN u USING (a)
SELECT * FROM t NATURAL LEFT JOIN u
SELECT * FROM t FULL JOIN u USING (a) WHERE a > 1
SELECT a FROM t JOIN u USING (a) GROUP BY a
SELECT t.a FROM t JOIN u USING (a) GROUP BY a
SELECT a FROM t, u
SELECT t.a + u.a, b || z, c * w, c + a, w + a, a / 2.0 FROM t, u
SELECT b = z, b < 'x', z = 'x', c = 1, w = 1.5, d > '2020-01-01', d < now() FROM t, u
SELECT b = 1 FROM t
SELECT d = 1 FROM t
SELECT a + b FROM t
SELECT sum(a), sum(c), avg(a), avg(w), min(b), max(d), count(g), bool_and(a > 1), stddev(c) FROM t, u
INSERT INTO t (a) VALUES (1)
INSERT INTO t VALUES (1, DEFAULT, DEFAULT, DEFAULT)
INSERT INTO t VALUES (1, 'x', 1.555, now(), 5)
INSERT INTO t (e) VALUES (5)
INSERT INTO t (e) VALUES (DEFAULT), (DEFAULT)
INSERT INTO t (a, b) VALUES (1, 'a'), (2, DEFAULT), ($1, $2)
INSERT INTO t (a, f, g) VALUES (1, '{1,2}', '{}'), (2, array[1], null)
INSERT INTO t (a, b) SELECT a, z FROM u
INSERT INTO t (a, b) SELECT w, a FROM u
INSERT INTO t (b) SELECT d FROM t
INSERT INTO u VALUES (1, 2, '3') RETURNING u.*, a + 1 AS n
INSERT INTO t (a) VALUES (1) ON CONFLICT (a) DO UPDATE SET b = excluded.b || t.b RETURNING a, old.b, new.b
INSERT INTO t AS x (a) VALUES (1) ON CONFLICT (b) DO NOTHING
INSERT INTO t (a) VALUES (1) ON CONFLICT (nosuch) DO NOTHING
UPDATE t SET b = a
UPDATE t SET a = b
UPDATE t SET e = 1
UPDATE t SET e = DEFAULT, b = DEFAULT
UPDATE t SET f[1] = 5, f[2] = 6
UPDATE t SET f[1] = 'x'::text
UPDATE t SET a = u.a FROM u WHERE u.z = t.b RETURNING t.*, u.w
UPDATE t SET a = 1 FROM t
UPDATE t x SET b = t.b
UPDATE t SET (b, c) = (SELECT z, w FROM u WHERE u.a = t.a)
DELETE FROM t WHERE b = (SELECT max(z) FROM u)
DELETE FROM t USING u WHERE t.a = u.a RETURNING old.a, u.z
MERGE INTO t USING u ON t.a = u.a WHEN MATCHED AND u.w > 1 THEN UPDATE SET b = z WHEN NOT MATCHED THEN INSERT (a, b) VALUES (u.a, u.z) WHEN NOT MATCHED BY SOURCE THEN DELETE
MERGE INTO t USING u ON t.a = u.a WHEN NOT MATCHED THEN INSERT (a) VALUES (t.a)
SELECT * FROM u WHERE (a, w) IN (SELECT a, c FROM t) AND EXISTS (SELECT 1 FROM t WHERE t.a = u.a)
SELECT (SELECT max(t.a) FROM t WHERE t.b = u.z), (SELECT sum(u.a) FROM t) FROM u
SELECT x.* FROM u, LATERAL (SELECT t.a, u.w AS v FROM t WHERE t.a = u.a LIMIT 1) x
SELECT rank() OVER w, sum(a) OVER (w ROWS 2 PRECEDING), first_value(b) OVER (PARTITION BY b ORDER BY a DESC) FROM t WINDOW w AS (ORDER BY a)
SELECT sum(a) OVER (ORDER BY d RANGE BETWEEN '1 day' PRECEDING AND CURRENT ROW) FROM t
SELECT sum(a) OVER (ORDER BY b RANGE BETWEEN 1 PRECEDING AND CURRENT ROW) FROM t
SELECT sum(a) OVER (RANGE 1 PRECEDING) FROM t
SELECT sum(a) OVER (ORDER BY a ROWS a PRECEDING) FROM t
WITH x AS (INSERT INTO t (a) VALUES (1) RETURNING a, b) SELECT x.b FROM x JOIN u USING (a)
SELECT z FROM u UNION ALL SELECT b FROM t UNION SELECT 'x' ORDER BY z
SELECT a FROM u EXCEPT SELECT a FROM t ORDER BY 1 LIMIT 1
SELECT g FROM t UNION SELECT '{}'
SELECT DISTINCT ON (b) b, a FROM t ORDER BY b, a DESC
SELECT string_agg(DISTINCT b, ',' ORDER BY b) FROM t
SELECT array_agg(b ORDER BY a DESC) FILTER (WHERE a > 1) FROM t
-- TPC-H
select l_returnflag, l_linestatus, sum(l_quantity) as sum_qty, sum(l_extendedprice) as sum_base_price, sum(l_extendedprice * (1 - l_discount)) as sum_disc_price, sum(l_extendedprice * (1 - l_discount) * (1 + l_tax)) as sum_charge, avg(l_quantity) as avg_qty, avg(l_extendedprice) as avg_price, avg(l_discount) as avg_disc, count(*) as count_order from lineitem where l_shipdate <= date '1998-12-01' - interval '90' day group by l_returnflag, l_linestatus order by l_returnflag, l_linestatus
select s_acctbal, s_name, n_name, p_partkey, p_mfgr, s_address, s_phone, s_comment from part, supplier, partsupp, nation, region where p_partkey = ps_partkey and s_suppkey = ps_suppkey and p_size = 15 and p_type like '%BRASS' and s_nationkey = n_nationkey and n_regionkey = r_regionkey and r_name = 'EUROPE' and ps_supplycost = (select min(ps_supplycost) from partsupp, supplier, nation, region where p_partkey = ps_partkey and s_suppkey = ps_suppkey and s_nationkey = n_nationkey and n_regionkey = r_regionkey and r_name = 'EUROPE') order by s_acctbal desc, n_name, s_name, p_partkey limit 100
select l_orderkey, sum(l_extendedprice * (1 - l_discount)) as revenue, o_orderdate, o_shippriority from customer, orders, lineitem where c_mktsegment = 'BUILDING' and c_custkey = o_custkey and l_orderkey = o_orderkey and o_orderdate < date '1995-03-15' and l_shipdate > date '1995-03-15' group by l_orderkey, o_orderdate, o_shippriority order by revenue desc, o_orderdate limit 10
select o_orderpriority, count(*) as order_count from orders where o_orderdate >= date '1993-07-01' and o_orderdate < date '1993-07-01' + interval '3' month and exists (select * from lineitem where l_orderkey = o_orderkey and l_commitdate < l_receiptdate) group by o_orderpriority order by o_orderpriority
select n_name, sum(l_extendedprice * (1 - l_discount)) as revenue from customer, orders, lineitem, supplier, nation, region where c_custkey = o_custkey and l_orderkey = o_orderkey and l_suppkey = s_suppkey and c_nationkey = s_nationkey and s_nationkey = n_nationkey and n_regionkey = r_regionkey and r_name = 'ASIA' and o_orderdate >= date '1994-01-01' and o_orderdate < date '1994-01-01' + interval '1' year group by n_name order by revenue desc
select sum(l_extendedprice * l_discount) as revenue from lineitem where l_shipdate >= date '1994-01-01' and l_shipdate < date '1994-01-01' + interval '1' year and l_discount between 0.06 - 0.01 and 0.06 + 0.01 and l_quantity < 24
select supp_nation, cust_nation, l_year, sum(volume) as revenue from (select n1.n_name as supp_nation, n2.n_name as cust_nation, extract(year from l_shipdate) as l_year, l_extendedprice * (1 - l_discount) as volume from supplier, lineitem, orders, customer, nation n1, nation n2 where s_suppkey = l_suppkey and o_orderkey = l_orderkey and c_custkey = o_custkey and s_nationkey = n1.n_nationkey and c_nationkey = n2.n_nationkey and ((n1.n_name = 'FRANCE' and n2.n_name = 'GERMANY') or (n1.n_name = 'GERMANY' and n2.n_name = 'FRANCE')) and l_shipdate between date '1995-01-01' and date '1996-12-31') as shipping group by supp_nation, cust_nation, l_year order by supp_nation, cust_nation, l_year
select o_year, sum(case when nation = 'BRAZIL' then volume else 0 end) / sum(volume) as mkt_share from (select extract(year from o_orderdate) as o_year, l_extendedprice * (1 - l_discount) as volume, n2.n_name as nation from part, supplier, lineitem, orders, customer, nation n1, nation n2, region where p_partkey = l_partkey and s_suppkey = l_suppkey and l_orderkey = o_orderkey and o_custkey = c_custkey and c_nationkey = n1.n_nationkey and n1.n_regionkey = r_regionkey and r_name = 'AMERICA' and s_nationkey = n2.n_nationkey and o_orderdate between date '1995-01-01' and date '1996-12-31' and p_type = 'ECONOMY ANODIZED STEEL') as all_nations group by o_year order by o_year
select nation, o_year, sum(amount) as sum_profit from (select n_name as nation, extract(year from o_orderdate) as o_year, l_extendedprice * (1 - l_discount) - ps_supplycost * l_quantity as amount from part, supplier, lineitem, partsupp, orders, nation where s_suppkey = l_suppkey and ps_suppkey = l_suppkey and ps_partkey = l_partkey and p_partkey = l_partkey and o_orderkey = l_orderkey and s_nationkey = n_nationkey and p_name like '%green%') as profit group by nation, o_year order by nation, o_year desc
select c_custkey, c_name, sum(l_extendedprice * (1 - l_discount)) as revenue, c_acctbal, n_name, c_address, c_phone, c_comment from customer, orders, lineitem, nation where c_custkey = o_custkey and l_orderkey = o_orderkey and o_orderdate >= date '1993-10-01' and o_orderdate < date '1993-10-01' + interval '3' month and l_returnflag = 'R' and c_nationkey = n_nationkey group by c_custkey, c_name, c_acctbal, c_phone, n_name, c_address, c_comment order by revenue desc limit 20
select ps_partkey, sum(ps_supplycost * ps_availqty) as value from partsupp, supplier, nation where ps_suppkey = s_suppkey and s_nationkey = n_nationkey and n_name = 'GERMANY' group by ps_partkey having sum(ps_supplycost * ps_availqty) > (select sum(ps_supplycost * ps_availqty) * 0.0001 from partsupp, supplier, nation where ps_suppkey = s_suppkey and s_nationkey = n_nationkey and n_name = 'GERMANY') order by value desc
select l_shipmode, sum(case when o_orderpriority = '1-URGENT' or o_orderpriority = '2-HIGH' then 1 else 0 end) as high_line_count, sum(case when o_orderpriority <> '1-URGENT' and o_orderpriority <> '2-HIGH' then 1 else 0 end) as low_line_count from orders, lineitem where o_orderkey = l_orderkey and l_shipmode in ('MAIL', 'SHIP') and l_commitdate < l_receiptdate and l_shipdate < l_commitdate and l_receiptdate >= date '1994-01-01' and l_receiptdate < date '1994-01-01' + interval '1' year group by l_shipmode order by l_shipmode
select c_count, count(*) as custdist from (select c_custkey, count(o_orderkey) as c_count from customer left outer join orders on c_custkey = o_custkey and o_comment not like '%special%requests%' group by c_custkey) as c_orders group by c_count order by custdist desc, c_count desc
select 100.00 * sum(case when p_type like 'PROMO%' then l_extendedprice * (1 - l_discount) else 0 end) / sum(l_extendedprice * (1 - l_discount)) as promo_revenue from lineitem, part where l_partkey = p_partkey and l_shipdate >= date '1995-09-01' and l_shipdate < date '1995-09-01' + interval '1' month
with revenue as (select l_suppkey as supplier_no, sum(l_extendedprice * (1 - l_discount)) as total_revenue from lineitem where l_shipdate >= date '1996-01-01' and l_shipdate < date '1996-01-01' + interval '3' month group by l_suppkey) select s_suppkey, s_name, s_address, s_phone, total_revenue from supplier, revenue where s_suppkey = supplier_no and total_revenue = (select max(total_revenue) from revenue) order by s_suppkey
select p_brand, p_type, p_size, count(distinct ps_suppkey) as supplier_cnt from partsupp, part where p_partkey = ps_partkey and p_brand <> 'Brand#45' and p_type not like 'MEDIUM POLISHED%' and p_size in (49, 14, 23, 45, 19, 3, 36, 9) and ps_suppkey not in (select s_suppkey from supplier where s_comment like '%Customer%Complaints%') group by p_brand, p_type, p_size order by supplier_cnt desc, p_brand, p_type, p_size
select sum(l_extendedprice) / 7.0 as avg_yearly from lineitem, part where p_partkey = l_partkey and p_brand = 'Brand#23' and p_container = 'MED BOX' and l_quantity < (select 0.2 * avg(l_quantity) from lineitem where l_partkey = p_partkey)
select c_name, c_custkey, o_orderkey, o_orderdate, o_totalprice, sum(l_quantity) from customer, orders, lineitem where o_orderkey in (select l_orderkey from lineitem group by l_orderkey having sum(l_quantity) > 300) and c_custkey = o_custkey and o_orderkey = l_orderkey group by c_name, c_custkey, o_orderkey, o_orderdate, o_totalprice order by o_totalprice desc, o_orderdate limit 100
select sum(l_extendedprice * (1 - l_discount)) as revenue from lineitem, part where (p_partkey = l_partkey and p_brand = 'Brand#12' and p_container in ('SM CASE', 'SM BOX', 'SM PACK', 'SM PKG') and l_quantity >= 1 and l_quantity <= 1 + 10 and p_size between 1 and 5 and l_shipmode in ('AIR', 'AIR REG') and l_shipinstruct = 'DELIVER IN PERSON') or (p_partkey = l_partkey and p_brand = 'Brand#23' and p_container in ('MED BAG', 'MED BOX', 'MED PKG', 'MED PACK') and l_quantity >= 10 and l_quantity <= 10 + 10 and p_size between 1 and 10 and l_shipmode in ('AIR', 'AIR REG') and l_shipinstruct = 'DELIVER IN PERSON') or (p_partkey = l_partkey and p_brand = 'Brand#34' and p_container in ('LG CASE', 'LG BOX', 'LG PACK', 'LG PKG') and l_quantity >= 20 and l_quantity <= 20 + 10 and p_size between 1 and 15 and l_shipmode in ('AIR', 'AIR REG') and l_shipinstruct = 'DELIVER IN PERSON')
select s_name, s_address from supplier, nation where s_suppkey in (select ps_suppkey from partsupp where ps_partkey in (select p_partkey from part where p_name like 'forest%') and ps_availqty > (select 0.5 * sum(l_quantity) from lineitem where l_partkey = ps_partkey and l_suppkey = ps_suppkey and l_shipdate >= date '1994-01-01' and l_shipdate < date '1994-01-01' + interval '1' year)) and s_nationkey = n_nationkey and n_name = 'CANADA' order by s_name
select s_name, count(*) as numwait from supplier, lineitem l1, orders, nation where s_suppkey = l1.l_suppkey and o_orderkey = l1.l_orderkey and o_orderstatus = 'F' and l1.l_receiptdate > l1.l_commitdate and exists (select * from lineitem l2 where l2.l_orderkey = l1.l_orderkey and l2.l_suppkey <> l1.l_suppkey) and not exists (select * from lineitem l3 where l3.l_orderkey = l1.l_orderkey and l3.l_suppkey <> l1.l_suppkey and l3.l_receiptdate > l3.l_commitdate) and s_nationkey = n_nationkey and n_name = 'SAUDI ARABIA' group by s_name order by numwait desc, s_name limit 100
select cntrycode, count(*) as numcust, sum(c_acctbal) as totacctbal from (select substring(c_phone from 1 for 2) as cntrycode, c_acctbal from customer where substring(c_phone from 1 for 2) in ('13', '31', '23', '29', '30', '18', '17') and c_acctbal > (select avg(c_acctbal) from customer where c_acctbal > 0.00 and substring(c_phone from 1 for 2) in ('13', '31', '23', '29', '30', '18', '17')) and not exists (select * from orders where o_custkey = c_custkey)) as custsale group by cntrycode order by cntrycode
-- Recursion, records, results with names
WITH RECURSIVE a(x) AS (SELECT * FROM b UNION ALL SELECT x + 1 FROM a WHERE x < 5), b(y) AS (VALUES (1)) SELECT * FROM a
WITH RECURSIVE a AS (SELECT * FROM b), b AS (SELECT * FROM a) SELECT * FROM a
WITH RECURSIVE a(x) AS (SELECT 1 INTERSECT SELECT x FROM a) SELECT * FROM a
WITH RECURSIVE a(x) AS (SELECT x FROM a UNION ALL SELECT 1) SELECT * FROM a
WITH RECURSIVE a(x) AS (SELECT 1 UNION ALL SELECT count(*) FROM a) SELECT * FROM a
WITH RECURSIVE a(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM a LIMIT 1) SELECT * FROM a
WITH RECURSIVE a(x) AS (DELETE FROM t WHERE a IN (SELECT x FROM a) RETURNING a) SELECT * FROM a
SELECT (pg_timezone_names()).name
SELECT (x).* FROM (SELECT row(1, 'a') AS x) y
SELECT (x).f1, (x).f3 FROM (SELECT row(1, 'a') AS x) y
WITH c(r) AS (SELECT row(1, 2)) SELECT (r).f2 FROM c
SELECT * FROM jsonb_array_elements('[]') q
SELECT q.value FROM jsonb_array_elements('[]') q
SELECT * FROM jsonb_each('{}') WITH ORDINALITY AS e(k, v, n)
SELECT * FROM generate_series(1, generate_series(1, 2))
SELECT concat_ws(',', VARIADIC 10), concat_ws(',', VARIADIC array['a'])
SELECT concat_ws(',', VARIADIC array['a']), -2147483648, -0x80000000, 0b101, 1_000
SELECT ('{}'::jsonb)['a':'b']
SELECT ('{}'::int[])[1][2][3][4][5][6][7]
SELECT rank(3) within group (order by x) FROM (VALUES (1.5)) v(x)
SELECT rank('a'::text) within group (order by x) FROM (VALUES (1.5)) v(x)
