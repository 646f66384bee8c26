-- GROUPING SETS, ROLLUP, CUBE and GROUPING.
create table s (region text, product text, amount int);
insert into s values ('n','a',1),('n','b',2),('s','a',3),('s','b',4),('s','b',5);
select region, product, sum(amount) from s group by rollup (region, product) order by region nulls last, product nulls last;
select region, product, sum(amount) from s group by cube (region, product) order by region nulls last, product nulls last;
select region, product, sum(amount) from s group by grouping sets ((region), (product), ()) order by region nulls last, product nulls last;
select region, grouping(region) as g, count(*) from s group by rollup (region) order by g, region;
select region, product, grouping(region, product) as g, sum(amount) from s group by cube (region, product) order by g, region, product;
select region, sum(amount) from s group by grouping sets ((region), ()) having sum(amount) > 5 order by 2;
select grouping(amount) from s group by region;
select region, product, count(*) from s group by region, rollup (product) order by region, product nulls last;
