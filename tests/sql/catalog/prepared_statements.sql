-- pg_prepared_statements shows the session's prepared statements.
PREPARE one AS SELECT 1;
PREPARE two (int, text) AS SELECT $1 + 1 AS a, $2 || 'x' AS b;
CREATE TABLE t (a int);
PREPARE ins (int) AS INSERT INTO t VALUES ($1);
SELECT name, statement, parameter_types, result_types, from_sql, prepare_time <= now() FROM pg_prepared_statements ORDER BY name;
DEALLOCATE one;
SELECT name FROM pg_prepared_statements ORDER BY name;
DEALLOCATE ALL;
SELECT count(*) FROM pg_prepared_statements;
