-- Literals of every everyday type, and how psql shows them.
SELECT 1, 'text', NULL, true, 1.50, 1e10;
SELECT 2147483648, 9223372036854775808, -1;
SELECT '2026-02-28'::date, '12:34:56.5'::time, '1 day 02:03'::interval;
SELECT E'a\nb', $$dollar$$, U&'\0041';
SELECT ARRAY[1, 2, NULL], '{a,"b c"}'::text[];

SELECT 1 AS "One", 2 AS two
\gset
SELECT :two + :"One";
SELECT :'two' AS two;
