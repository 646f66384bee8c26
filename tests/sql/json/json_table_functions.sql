-- JSON_VALUE, JSON_QUERY, JSON_EXISTS and JSON_TABLE with their behaviours.
select json_exists('{"a": 1}', '$.a'), json_exists('{"a": 1}', '$.b'), json_exists(jsonb '{"a": [1, 2]}', '$.a[*] ? (@ > $x)' passing 1 as x);
select json_exists(jsonb '1', 'strict $.a' error on error);
select json_exists(jsonb '1', 'strict $.a'), json_exists(jsonb '1', 'strict $.a' true on error), json_exists(jsonb '1', 'strict $.a' unknown on error);
select json_value(jsonb '{"a": "x"}', '$.a'), json_value(jsonb '{"a": 1}', '$.a' returning int) + 1, json_value(jsonb '{"a": 1}', '$.b'), json_value(jsonb '{"a": 1}', '$.b' default 'none' on empty), json_value(jsonb '{"a": [1]}', '$.a');
select json_value(jsonb '{"a": [1]}', '$.a' error on error);
select json_value(jsonb '{"a": 1}', '$.b' error on empty);
select json_value(jsonb '{"a": "x"}', '$.a' returning int);
select json_value(jsonb '{"a": "x"}', '$.a' returning int error on error);
select json_query(jsonb '{"a": [1, 2]}', '$.a'), json_query(jsonb '{"a": [1, 2]}', '$.a[*]' with wrapper), json_query(jsonb '{"a": 1}', '$.a' with conditional wrapper), json_query(jsonb '{"a": "x"}', '$.a' omit quotes), json_query(jsonb '{"a": 1}', '$.b' empty array on empty), json_query(jsonb '{"a": [1, 2]}', '$.a[*]');
select json_query(jsonb '{"a": [1, 2]}', '$.a[*]' error on error);
select * from json_table(jsonb '[{"a": 1, "b": "x"}, {"a": 2}]', '$[*]' columns (id for ordinality, a int path '$.a', b text path '$.b' default 'none' on empty));
select * from json_table(jsonb '[{"a": 1, "k": [10, 20]}, {"a": 2, "k": []}]', '$[*]' columns (a int, nested path '$.k[*]' columns (v int path '$')));
select * from json_table(jsonb '[{"a": "x"}]', '$[*]' columns (a int path '$.a' error on error));
select * from json_table(jsonb '[{"a": 1}]', '$[*]' columns (e int exists path '$.a', f bool exists path '$.z', j jsonb path '$'));
select * from json_table(jsonb '{"a": 1}', '$.b' columns (a int));
select json_value('x', '$');
select json_value(jsonb '1', '$.');
