-- Arrays with more elements than are kept one by one while they are read.
select cardinality(a), a[1], a[300], a[1000], md5(a::text) from (select ('{' || string_agg(n::text, ',') || '}')::int[] as a from generate_series(1, 1000) n) s;
select cardinality(a), a[255:259], array_position(a, null), md5(a::text) from (select ('{' || string_agg(case when n % 7 = 0 then 'null' else '"t ' || n || '"' end, ', ') || '}')::text[] as a from generate_series(1, 1000) n) s;
select cardinality(a), a[256], a[257], a[258] from (select ('{' || repeat('null,', 256) || '1.50,"NaN"}')::numeric[] as a) s;
select cardinality(a), a[300] is null, array_ndims(a) from (select ('{' || repeat('null,', 300) || 'null}')::numeric[] as a) s;
select array_dims(a), a[2][150], a[2][299:300] from (select ('[0:1][2:301]={' || '{' || (select string_agg(n::text, ',') from generate_series(1, 300) n) || '},{' || (select string_agg((n * 2)::text, ',') from generate_series(1, 300) n) || '}}')::int[] as a) s;
select array_dims(a), a[1][299:300] from (select ('[0:1][2:301]={' || '{' || (select string_agg(n::text, ',') from generate_series(1, 300) n) || '},{' || (select string_agg((n * 2)::text, ',') from generate_series(1, 300) n) || '}}')::int[] as a) s;
select cardinality(('{' || repeat('"(1,x)",', 400) || '"(2,)"}')::text[]), md5(('{' || repeat('2020-01-02,', 400) || 'infinity}')::date[]::text);
select ('{' || repeat('1,', 300) || 'x}')::int[];
select cardinality(('{' || repeat('{1,2},', 300) || '{3,4}}')::int[]);
select ('{' || repeat('{1,2},', 300) || '{3}}')::int[];
select array_lower(v, 1), array_upper(v, 1), v[0], v[399] from (select repeat('7 ', 400)::oidvector as v) s;

-- Slices.
select a[2:3][1:2], a[:2][2:], a[2:][3], a[1:2], a[3:1], a[0:9][0:9], a[2][2], a[2:2][2:2] from (select array[[1, 2, 3], [4, 5, 6], [7, null, 9]] as a) s;
select a[0:0], a[-1:0][5:5], a[:][6:], array_dims(a[-1:0][5:5]) from (select '[-1:1][5:6]={{1,2},{3,4},{5,6}}'::int[] as a) s;
select a[:][2:2][:], array_dims(a[:][2:2][:]) from (select array[[[1, 2], [3, 4]], [[5, 6], [7, 8]]] as a) s;
select a[2:], a[:2], a[2:2], a[9:] from (select array['a', null, 'ccc'] as a) s;
select md5(a[100:900]::text), cardinality(a[100:900]) from (select array_agg(n) as a from generate_series(1, 1000) n) s;

-- Assignment.
create table t (id int, a int[], b text[]);
insert into t values (1, '{1,2,3}', '{a,b,c}'), (2, '[3:4]={3,4}', null), (3, '{{1,2},{3,4}}', '{{a,b},{c,d}}');
update t set a[2] = 20, b[2] = 'twenty' where id = 1;
update t set a[6] = 6, b[-1] = 'minus' where id = 1;
update t set a[1] = 1, a[6:7] = '{6,7}', b[2:3] = '{x,y}' where id = 2;
update t set a[2][1] = 30, b[1:2][2:2] = '{p,q}' where id = 3;
select * from t order by id;
update t set a[-2:0] = '{-2,-1,0,99}' where id = 1;
update t set a[2:3] = null, a[5] = null where id = 2;
update t set a[1:1] = '{8,9}', b[:][1] = '{u,v}' where id = 3;
select * from t order by id;
update t set a[1:9] = '{1,2}' where id = 1;
update t set a[3][1] = 1 where id = 3;
update t set a[1:3][1:1] = '{1,2,3}' where id = 3;
update t set a[1] = 1 where id = 3;
update t set a[2:1] = '{1}' where id = 1;
drop table t;
select array[array[1, 2], array[3, 4]], array[array[[1]], array[[2]]], array['{}'::int[], '{}'::int[]], array[null::int[], array[1]];
select array[array[1, 2], array[3]];
