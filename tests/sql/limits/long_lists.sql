-- Long IN lists, VALUES lists, chains of AND and OR, deep parentheses.
create table n (a int primary key);
insert into n select generate_series(1, 2000);
select 'select count(*) from n where a in (' || string_agg((i * 3)::text, ',' order by i) || ')' from generate_series(1, 400) i \gexec
select 'select count(*) from n where a not in (' || string_agg((i * 3)::text, ',' order by i) || ')' from generate_series(1, 400) i \gexec
select 'select count(*), sum(x) from (values ' || string_agg('(' || i || ')', ',' order by i) || ') v(x)' from generate_series(1, 500) i \gexec
select 'select count(*) from n where ' || string_agg('a = ' || i, ' or ' order by i) from generate_series(1, 500) i \gexec
select 'select count(*) from n where ' || string_agg('a <> ' || i, ' and ' order by i) from generate_series(1, 500) i \gexec
select 'select ' || repeat('(', 500) || '1' || repeat(')', 500) || ' as deep' \gexec
select 'select ' || string_agg(i::text, ' + ' order by i) || ' as total' from generate_series(1, 1000) i \gexec
select 'select ' || repeat('coalesce(null, ', 200) || '7' || repeat(')', 200) || ' as c' \gexec
select 'select ' || repeat('case when false then 0 else ', 100) || '8' || repeat(' end', 100) || ' as c' \gexec
select 'select 1 as u ' || repeat('union select 1 ', 100) \gexec
select 'select count(*) from ' || string_agg('n n' || i, ' join ' order by i) || ' on n7.a = n8.a' from generate_series(7, 8) i \gexec
select 'select ' || repeat('(select ', 50) || '9' || repeat(')', 50) || ' as nested' \gexec
select array_length(array_agg(a), 1) from n where a = any (array(select generate_series(1, 1500)));
select count(*) from (select a from n order by a limit 1000 offset 500) s where a % 2 = 0;
select 'prepare many as select ' || string_agg('$' || i || '::int', '+' order by i) || ' as s' from generate_series(1, 200) i \gexec
select 'execute many (' || string_agg(i::text, ',' order by i) || ')' from generate_series(1, 200) i \gexec
select 'execute many (' || string_agg(i::text, ',' order by i) || ')' from generate_series(1, 199) i \gexec
