-- A timeout ends a statement wherever it comes, within subqueries of expressions, too.
create table b as select i id from generate_series(1, 3000) i;
set statement_timeout = '200ms';
select max((select max(g + id) from generate_series(1, 20000) g)) from b;
select count(*) from b where (select max(g + id) from generate_series(1, 20000) g) > 1;
select id, (select max(g + id) from generate_series(1, 20000) g) from b order by 2 desc limit 1;
select count(*) from b x join b y on (select max(g + x.id + y.id) from generate_series(1, 20000) g) > 0;
select * from (values ((select max(g) from generate_series(1, 100000000) g)), (1)) v;
update b set id = (select max(g + id) from generate_series(1, 20000) g);
reset statement_timeout;
select sum(id) from b;
drop table b;
