-- -> and ->> take fields and elements, #> and #>> paths; what is missing is NULL.
select '{"a": {"b": [1, 2, {"c": null}]}}'::json -> 'a' -> 'b' -> 2, '{"a": 1}'::json -> 'x', '[1, 2, 3]'::json -> 0, '[1, 2, 3]'::json -> -1, '[1]'::json -> 5;
select '{"a": "x\"y"}'::json ->> 'a', '{"a": null}'::json ->> 'a', '{"a": [1,  2]}'::json ->> 'a', '[1, "b"]'::json ->> 1, '{"a": 1.50}'::json ->> 'a', '{"a": true}'::json ->> 'a';
select '{"a": {"b": [1, 2, {"c": null}]}}'::jsonb -> 'a' -> 'b' -> 2, '{"a": 1}'::jsonb -> 'x', '[1, 2, 3]'::jsonb -> -2, '[1, 2, 3]'::jsonb ->> -1, '{"a": [1,  2]}'::jsonb ->> 'a';
select '{"a": {"b": [1, 2]}}'::json #> '{a,b,1}', '{"a": {"b": [1, 2]}}'::json #>> '{a,b,-1}', '{"a": 1}'::json #> '{}', '{"a": 1}'::json #> '{a,b}', '[1]'::json #> '{x}';
select '{"a": {"b": [1, 2]}}'::jsonb #> '{a,b,1}', '{"a": {"b": ["x"]}}'::jsonb #>> '{a,b,0}', '{"a": 1}'::jsonb #> '{}', '{"a": 1}'::jsonb #> '{a,b}', '{"a": null}'::jsonb #>> '{a}';
select '1'::json -> 'a', '1'::jsonb -> 0, '"x"'::jsonb ->> 'x', '{"1": "one"}'::jsonb -> 1, '{"1": "one"}'::jsonb -> '1', '[1]'::jsonb -> 'a';
select '{"a": 1, "a": 2}'::json -> 'a', '{"a": 1, "a": 2}'::jsonb -> 'a', '{"": 1}'::jsonb -> '';
select ('{"a": [{"b": 5}]}'::jsonb)['a'][0]['b'], ('[1, 2]'::jsonb)[1], ('{"a": 1}'::jsonb)['x'], ('[1, 2]'::jsonb)[-1];
select ('{"a": 1}'::json)['a'];
select '{"a": 1}'::jsonb -> null::text, null::jsonb -> 'a', '{"a": 1}'::jsonb #> null;
select '{"a": 1}'::jsonb -> 1.5;
select '{"a": 1}' -> 'a';
select json_extract_path('{"a": {"b": 1}}', 'a', 'b'), json_extract_path_text('{"a": "x"}', 'a'), jsonb_extract_path('[1, [2]]', '1', '0'), jsonb_extract_path_text('{"a": {"b": null}}', 'a', 'b'), json_extract_path('{"a": 1}');
select pg_typeof('{"a": 1}'::jsonb -> 'a'), pg_typeof('{"a": 1}'::json ->> 'a'), ('{"a": 1}'::jsonb -> 'a')::int + 1;
select ('{"a": "x"}'::jsonb -> 'a')::int;
select ('{"a": "1"}'::jsonb -> 'a')::int;
select ('{"a": 1.6}'::jsonb -> 'a')::int, ('{"a": true}'::jsonb -> 'a')::bool, ('[null]'::jsonb -> 0)::int;
