-- WITHIN GROUP: percentile, mode, hypothetical sets.
create table t (g int, x int, f float8);
insert into t select i % 2, i, i * 1.5 from generate_series(1, 9) i;
select percentile_cont(0.5) within group (order by x) from t;
select percentile_disc(0.5) within group (order by x) from t;
select percentile_cont(array[0.25, 0.5, 0.75]) within group (order by f) from t;
select percentile_disc(array[0, 0.5, 1]) within group (order by x desc) from t;
select g, percentile_cont(0.5) within group (order by f) from t group by g order by g;
select mode() within group (order by x % 3) from t;
select rank(5) within group (order by x), dense_rank(5) within group (order by x), percent_rank(5) within group (order by x), cume_dist(5) within group (order by x) from t;
select percentile_cont(1.5) within group (order by x) from t;
select percentile_cont(0.5) within group (order by x) from t where false;
select percentile_cont(0.5) within group (order by interval '1 day' * x) from t;
select rank() within group (order by x) from t;
select percentile_cont(0.5) from t;
