-- lag, lead, first_value, last_value, nth_value.
create table t (i int, v text);
insert into t values (1,'a'),(2,'b'),(3,null),(4,'d');
select i, lag(v) over (order by i), lead(v) over (order by i) from t order by i;
select i, lag(v, 2) over (order by i), lead(v, 2, 'none') over (order by i) from t order by i;
select i, lag(i, 0) over (order by i), lag(i, -1) over (order by i), lag(i, null) over (order by i) from t order by i;
select i, lag(v, 1, 'dflt') over (partition by i % 2 order by i) from t order by i;
select i, nth_value(v, 2) over (order by i), nth_value(v, 2) over (order by i rows between unbounded preceding and unbounded following) from t order by i;
select nth_value(v, 0) over (order by i) from t;
select i, i - lag(i) over (order by i) as gap from t order by i;
select lead(v, 1, 5) over (order by i) from t;
select i, sum(i) over (order by i) - i as before from t order by i;
select i, first_value(v) over (order by i desc) from t order by i;
