-- psql's \bind sends statements with parameters by the extended protocol.
select $1::int + $2::int as s \bind 1 2 \g
select $1 || 'x' as s \bind abc \g
select $1 \bind text \g
select $1::date + 1 as d \bind 2024-02-28 \g
select $1::int \bind x \g
select $1::int \bind \g
select 1 \bind 5 \g
select $1 + $1 \bind 1 \g
select $1 = any ('{1,2}'::int[]) \bind 2 \g
select * from generate_series(1, $1::int) g \bind 3 \g
select pg_typeof($1), pg_typeof($2::int) \bind a 1 \g
select 1; select 2 \bind \g
create table t (a int, b text) \bind \g
insert into t values ($1, $2), ($3, $4) returning * \bind 1 one 2 two \g
update t set b = $2 where a = $1 returning b \bind 1 uno \g
delete from t where b like $1 || '%' returning a \bind t \g
select a from t order by a limit $1 \bind 1 \g
select $2::text \bind a b \g
select $0 \bind a \g
select a from t where a in ($1, $2) \bind 1 2 \g
select coalesce($1, 5) \bind 7 \g
select case when $1 then 'yes' else 'no' end \bind true \g
select $1::int[] \bind '{1,2,3}' \g
select 1 \parse stmt1
\bind_named stmt1 \g
select $1::int * 2 \parse stmt2
\bind_named stmt2 21 \g
\bind_named nosuch \g
\close_prepared stmt1
\bind_named stmt1 \g
select 1 / $1::int \bind 0 \g
