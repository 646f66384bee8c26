-- unnest gives rows, several arrays side by side in FROM, with ordinality.
select unnest(array[3, 1, 2]);
select * from unnest(array['a', 'b']) with ordinality;
select * from unnest(array['a', 'b']) with ordinality as u(v, i) order by i desc;
select * from unnest(array[1, 2, 3], array['x', 'y']) as u(n, t);
select * from unnest(array[1, 2], array['x', 'y', 'z'], array[true]) with ordinality;
select * from unnest(array[[1, 2], [3, 4]]) as v;
select * from unnest('{}'::int[]), generate_series(1, 2);
select * from unnest(null::int[]);
select t.id, u.v from (values (1, array[10, 20]), (2, '{}'), (3, null), (4, array[30])) t(id, a), unnest(t.a) as u(v) order by 1, 2;
select t.id, u.v from (values (1, array[10, 20]), (2, '{}'), (3, null)) t(id, a) left join lateral unnest(t.a) as u(v) on true order by 1, 2;
select unnest(array[1, 2], array[3, 4]);
select unnest(1);
select unnest('{1,2}');
select * from unnest(array[1, 2]) as u(a, b);
select unnest(array[1, 2]), unnest(array['a', 'b', 'c']);
select sum(v) from unnest(array[1.5, 2.5]) v;
select array_agg(v order by v desc) from unnest(array[1, 3, 2]) v;
