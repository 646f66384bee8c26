-- jsonb @>, <@, ?, ?| and ?& look at structure, not at text.
select '{"a": 1, "b": 2}'::jsonb @> '{"a": 1}', '{"a": 1}'::jsonb @> '{"a": 2}', '{"a": {"b": 1, "c": 2}}'::jsonb @> '{"a": {"b": 1}}', '{"a": 1}'::jsonb @> '{}';
select '[1, 2, 3]'::jsonb @> '[3, 1]', '[1, 2]'::jsonb @> '[1, 1]', '[1, 2]'::jsonb @> '2', '2'::jsonb @> '[2]', '[1, [2]]'::jsonb @> '[[2]]', '[1, [2]]'::jsonb @> '[2]', '[]'::jsonb @> '[]', '{}'::jsonb @> '[]';
select '{"a": [1, 2]}'::jsonb @> '{"a": [2]}', '{"a": [1, 2]}'::jsonb @> '{"a": 1}', '{"a": 1.0}'::jsonb @> '{"a": 1}', 'null'::jsonb @> 'null', '"a"'::jsonb @> '"a"';
select '{"a": 1}'::jsonb <@ '{"a": 1, "b": 2}', '[]'::jsonb <@ '[1]', '1'::jsonb <@ '[1]';
select '{"a": 1}'::jsonb ? 'a', '{"a": 1}'::jsonb ? 'b', '["a", "b"]'::jsonb ? 'b', '[1]'::jsonb ? '1', '"a"'::jsonb ? 'a', '{"a": {"b": 1}}'::jsonb ? 'b';
select '{"a": 1, "b": 2}'::jsonb ?| array['x', 'b'], '{"a": 1}'::jsonb ?& array['a', 'b'], '{"a": 1, "b": 2}'::jsonb ?& array['a', 'b'], '["a"]'::jsonb ?| '{}', '["a"]'::jsonb ?& '{}', '["a"]'::jsonb ?| array[null, 'a'];
select '{"a": 1}'::json @> '{"a": 1}'::json;
select '{"a": 1}'::jsonb @> 1;
select '{"a": 1}'::jsonb @> 'x';
select '{"a": 1}'::jsonb ? 1;
create table jc (id int, j jsonb);
insert into jc values (1, '{"tags": ["x", "y"], "n": 1}'), (2, '{"tags": ["y"], "n": 2}'), (3, '[]'), (4, null);
select id from jc where j @> '{"tags": ["y"]}' order by id;
select id from jc where j ? 'n' and j ->> 'n' > '1' order by id;
select id, j -> 'tags' ? 'x' from jc order by id;
select id from jc where not j @> '{"n": 1}' order by id;
