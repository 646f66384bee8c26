-- EXCLUDE leaves the current row, its peers, or both out of the frame.
create table ex (i int, g int);
insert into ex values (1, 1), (2, 1), (3, 2), (4, 2), (5, 3);
select i, array_agg(i) over (order by g, i rows between unbounded preceding and unbounded following exclude current row) from ex order by i;
select i, array_agg(i) over (order by g range between unbounded preceding and unbounded following exclude current row) from ex order by i;
select i, array_agg(i) over (order by g range between unbounded preceding and unbounded following exclude group) from ex order by i;
select i, array_agg(i) over (order by g range between unbounded preceding and unbounded following exclude ties) from ex order by i;
select i, array_agg(i) over (order by g range between unbounded preceding and unbounded following exclude no others) from ex order by i;
select i, array_agg(i) over (order by g rows between 1 preceding and 1 following exclude ties) from ex order by i;
select i, count(*) over (order by g groups between 1 preceding and 1 following exclude group) from ex order by i;
select i, count(*) over (order by g rows between current row and current row exclude current row) from ex order by i;
select i, sum(i) over (rows between unbounded preceding and unbounded following exclude group) from ex order by i;
select i, first_value(i) over w, last_value(i) over w, nth_value(i, 2) over w from ex window w as (order by g range between unbounded preceding and unbounded following exclude current row) order by i;
select i, avg(i) over (order by i rows between 2 preceding and 2 following exclude current row) from ex order by i;
select i, max(i) over (order by g groups current row exclude current row) from ex order by i;
select i, sum(i) over (order by i exclude nosuch) from ex;
select i, sum(i) over (exclude current row) from ex;
