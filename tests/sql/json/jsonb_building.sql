-- Values whose parts come in any order, are large, deep, or taken from others.
select '{"bb": 1, "a": {"y": 1, "x": [{}, [], {"z": 1, "z": [2, {"q": 1, "p": 2}]}]}, "bb": {"c": 2, "b": 1}, "": 3}'::jsonb;
select '[[], {}, [[]], [{}], {"a": []}, "", null, true, 0, -1.50, 1e5]'::jsonb;
select length(j::text), md5(j::text) from (select ('{' || string_agg('"' || md5(n::text) || '": [' || n || ', {"v": "' || repeat('x', n) || '", "a": null}]', ', ') || '}')::jsonb as j from generate_series(1, 200) n) s;
select length(j::text), j #> '{a,a,a}' is not null from (select (repeat('{"b": 1, "a": ', 300) || '[1, "two"]' || repeat('}', 300))::jsonb as j) s;
select jsonb_array_length(('[' || repeat('[1, {"b": 2, "a": 1}],', 1000) || 'null]')::jsonb);
-- Numbers with many digits.
select ('[' || repeat('9', 60) || ', 1.' || repeat('0', 40) || ', -' || repeat('7', 30) || '.5, 1e-20]')::jsonb;

-- Parts of other values, short and long.
with v as (select jsonb_build_object('long', repeat('x', 100), 'short', 's', 'list', jsonb_build_array(repeat('y', 70), 1)) as j)
select j || '{"long": 1}', j || '{"aa": {"long": 2}}', j - 'long', j #- '{list,0}', jsonb_set(j, '{list,1}', j), j || j = j from v;
with v as (select jsonb_build_array(repeat('x', 70), jsonb_build_object('k', repeat('z', 70)), 3) as j)
select j || j, j || '1', '{"a": 1}' || j, '1'::jsonb || '2', j - 1, j - -1, j - 7, jsonb_insert(j, '{1,new}', j -> 1), jsonb_insert(j, '{0}', '0', true) from v;
select jsonb_set('{"a": [1, 2, 3]}', '{a,-1}', '"last"'), jsonb_set('{"a": [1, 2, 3]}', '{a,-7}', '"first"'), jsonb_set('{"a": [1, 2, 3]}', '{a,7}', '"end"'), jsonb_set('{"a": [1, 2, 3]}', '{a,7}', '0', false), jsonb_set('{"a": 1}', '{a,b}', '2'), jsonb_set('{"a": 1}', '{b,c}', '2');
select '{"a": [1, {"b": 2}]}'::jsonb #- '{a,1,b}', '{"a": [1, 2]}'::jsonb #- '{a,-2}', '{"a": [1, 2]}'::jsonb #- '{a,5}', '{"a": 1}'::jsonb #- '{b}';
select jsonb_insert('{"a": 1}', '{b}', '2'), jsonb_insert('[1, 2]', '{-9}', '0'), jsonb_insert('[1, 2]', '{9}', '3');
select jsonb_insert('{"a": {"b": 1}}', '{a,b}', '2');
select jsonb_set('[1, [2]]', '{1,x}', '3');
select jsonb_strip_nulls('{"a": null, "b": [null, {"c": null, "d": 1}], "e": {"f": null}}'), jsonb_strip_nulls('[null, [null, 1], {"a": null}]', true);
select json_strip_nulls('{"a": null, "b": [null, {"c": null, "d": "\n"}]}'), jsonb_pretty('{"b": [1, {}, []], "a": {"c": "x"}}');

-- Assignment to subscripts.
create table j (id int, v jsonb);
insert into j values (1, null), (2, '{"a": {"b": 1}, "c": [1, 2]}'), (3, '[1, [2, 3]]');
update j set v['a']['x'] = '"new"' where id < 3;
update j set v['c'][4] = '5' where id = 2;
update j set v['z']['list'][2]['k'] = '{"deep": true}' where id < 3;
update j set v[1][-1] = '"minus"' where id = 3;
update j set v[3] = 'null' where id = 3;
select * from j order by id;
update j set v['a']['x']['y'] = '1' where id = 2;
update j set v[-9] = '1' where id = 3;
update j set v['x'] = '1' where id = 3;
drop table j;

-- Aggregates.
select jsonb_agg(x), jsonb_agg_strict(x), json_agg(x), json_agg_strict(x) from (values (1), (null), (3)) t (x);
select jsonb_agg(x), json_agg(x), jsonb_object_agg('k', x), json_object_agg('k', x) from (values (1)) t (x) where x > 1;
select jsonb_agg_strict(x), json_agg_strict(x), jsonb_object_agg_strict('k', x), json_object_agg_strict('k', x) from (values (null::int)) t (x);
select json_agg(x), jsonb_agg(x) from (values (array[1, 2]), (array[3, null])) t (x);
select json_agg(t), jsonb_agg(t) from (values (1, 'x"y'), (2, null)) t (a, b);
select jsonb_object_agg(k, v), json_object_agg(k, v) from (values ('b', 1), ('a', 2), ('b', 3)) t (k, v);
select x, jsonb_agg(x) over (order by x), json_object_agg('k' || x, x) over (order by x) from generate_series(1, 3) x;
select json_objectagg(k : v with unique keys) from (values ('b', 1), ('a', 2), ('b', 3)) t (k, v);
select json_objectagg(k : v absent on null with unique keys returning jsonb) from (values ('b', 1), ('a', null), ('c', 3)) t (k, v);
select '{"a": 1, "b": {"a": 2}, "c": [{"a": 1}, {"a": 2}]}' is json with unique keys, '{"b": {"a": 2, "\u0061": 3}}' is json with unique keys, '{"a": 1' is json with unique keys;

-- Rows of paths.
select count(*), sum(length(v::text)) from jsonb_path_query((select jsonb_agg(jsonb_build_object('n', n, 't', repeat('x', n))) from generate_series(1, 300) n), '$[*] ? (@.n > 10)') v;
select jsonb_path_query('{"a": [1, "x", null, true, {"b": []}, [2]]}', '$.a[*]'), jsonb_path_query_array('{"a": [1, [2, 3]]}', '$.a[*][*]');
select jsonb_path_query('{"a": 1, "b": {"c": 2}}', '$.keyvalue()');
select t.* from json_table('[{"a": 1, "n": [{"b": "x"}, {"b": "y"}]}, {"a": 2, "n": []}, {"a": null}]', '$[*]' columns (o for ordinality, a int path '$.a', nested path '$.n[*]' columns (p for ordinality, b text path '$.b'), nested path '$.m[*]' columns (c jsonb path '$'))) t;

-- Arrays and objects from arrays.
select jsonb_build_array(variadic array[1, null, 3]), json_build_array(variadic array['a', 'b']), jsonb_build_object(variadic array['a', '1', 'b', null]);
select json_object('{a,1,b,null}'), json_object('{{a,1},{b,2}}'), jsonb_object('{a,b}', '{1,null}'), json_object('{}'), json_object('{}', '{}');
select json_object('{a,1,b}');
select json_object('{{a,1,b}}');
select json_object('{{{a},{b}}}');
select json_object('{a,b}', '{1}');
select json_object('{{a}}', '{1}');
select json_object('{a,null}', '{1,2}');
select json_typeof(' [1]'), json_typeof(E'\n{}'), json_typeof(' "x"'), json_typeof('-1'), json_typeof(' true'), json_typeof('false'), json_typeof('null');
