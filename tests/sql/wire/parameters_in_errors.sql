-- log_parameter_max_length_on_error shows the parameters of what failed
SELECT $1::int \bind 'abc' \g
SELECT 1 / $1::int \bind '0' \g
SET log_parameter_max_length_on_error = 2;
SELECT $1::int \bind 'abc' \g
SELECT $1::int \bind 'ab' \g
SELECT 1 / $1::int \bind '0' \g
SELECT 1 / $1::int, $2 \bind '0' 'it''s' \g
SELECT 1 / $1::int, $2 \bind '0' 'äö' \g
SELECT 1 / $1::int, $2 \bind '0' '' \g
SET log_parameter_max_length_on_error = -1;
SELECT 1 / $1::int, $2::text \bind '0' 'it''s whole' \g
SELECT 1 / x, $1::text FROM generate_series(0, 1) x \bind 'executed' \g
SELECT 1 / 0 \bind \g
CREATE TABLE once (a int PRIMARY KEY, b text);
INSERT INTO once VALUES ($1, $2) \bind 1 one \g
INSERT INTO once VALUES ($1, $2) \bind 1 two \g
SELECT 1 / $1::int AS again \parse named
\bind_named named 0 \g
\bind_named named x \g
RESET log_parameter_max_length_on_error;
\bind_named named 0 \g
\bind_named named x \g
