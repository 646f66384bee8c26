-- Records of JSON: column definition lists and row types.
select * from json_to_record('{"a":1,"b":"foo","c":[1,2],"d":true}') as x(a int, b text, c int[], d bool, e int);
select * from jsonb_to_record('{"a":1,"b":[1,2,3],"c":"bar"}') as x(a int, b text, d text);
select * from json_to_recordset('[{"a":1,"b":"foo"},{"a":"2","c":"bar"}]') as x(a int, b text);
select * from jsonb_to_recordset('[{"a":1,"b":{"z":1}},{"a":null}]') as x(a int, b jsonb) order by a;
create type jt as (a int, b text[], c numeric);
select * from json_populate_record(null::jt, '{"a":1,"b":["x","y"],"c":2.5}');
select * from jsonb_populate_record(row(7, null, 9)::jt, '{"b":["q"]}');
select json_populate_record(null::jt, '{"a":"x"}');
select * from json_populate_recordset(null::jt, '[{"a":1},{"c":3}]');
select * from json_to_record('{"a":1}');
select * from generate_series(1, 2) as x(a int);
select * from json_to_record('{"x":{"a":5,"b":["k"]}}') as r(x jt);
select * from json_to_recordset('{"a":1}') as x(a int);
select * from rows from (json_to_recordset('[{"a":40,"b":"foo"},{"a":"100","b":"bar"}]') as (a int, b text), generate_series(1, 3)) as x(p, q, s) order by p;
create table jtab (id int, v json);
insert into jtab values (1, '{"a":1}'), (2, '{"a":2}');
select id, a from jtab, json_to_record(v) as r(a int) order by id;
