-- Column definition lists: where they may stand beside ROWS FROM, WITH ORDINALITY and unnest.
select * from json_to_record('{"a":1}') with ordinality as x(a int);
select * from rows from (json_to_record('{"a":1}') as (a int)) with ordinality;
select * from rows from (json_to_record('{"a":1}')) as x(a int);
select * from rows from (json_to_record('{"a":1}'), generate_series(1, 2)) as x(a int, b int);
select * from rows from (json_to_record('{"a":1}'), json_to_record('{"a":1}')) as x(a int);
select * from unnest(array[1], array[2]) as x(a int, b int);
select * from unnest(array[row(1, 'a'::text)], array[row(2)]) as x(a int, b text);
select * from rows from (unnest(array[row(1, 'a'::text)]) as (a int, b text), unnest(array[row(2)]) as (c int));
select * from rows from (json_to_record('{"a":1}')) with ordinality as x(a int);
select * from json_to_record('{"a":1}') as x;
select * from generate_series(1, 2) as x(a int);
select * from json_to_record('{"a":1,"A":2}') as x("A" int, a text collate "C");
