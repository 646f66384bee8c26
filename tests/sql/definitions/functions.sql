-- functions read as PostgreSQL prints them
select oid, proname, pg_get_function_arguments(oid) from pg_proc where oid between 2000 and 2600 order by oid;
select proname, pg_get_function_identity_arguments(oid), pg_get_function_result(oid) from pg_proc where oid < 10000 and (proretset or provariadic <> 0) order by oid;
select proname, n, pg_get_function_arg_default(oid, n) from pg_proc, generate_series(1, 12) n where pronargdefaults > 0 and oid < 10000 and pg_get_function_arg_default(oid, n) is not null order by oid, n;
select pg_get_function_arguments(oid) from pg_proc where proname in ('percentile_cont', 'rank', 'jsonb_set', 'make_interval', 'parse_ident', 'format') order by oid;
select pg_get_functiondef(oid) from pg_proc where proname in ('lower', 'generate_series', 'row_number', 'jsonb_each', 'now', 'random', 'format') order by oid;
select pg_get_functiondef(0), pg_get_function_arguments(0), pg_get_function_result(0), pg_get_function_sqlbody(0);
select pg_get_functiondef('sum(integer)'::regprocedure);
select pg_get_function_arg_default('lower(text)'::regprocedure, 1), pg_get_function_sqlbody('lower(text)'::regprocedure);
