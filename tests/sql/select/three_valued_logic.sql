-- AND, OR, NOT and IS tests with NULL.
select a, b, a and b as "and", a or b as "or" from (values (true),(false),(null)) x(a), (values (true),(false),(null)) y(b) order by a, b;
select a, not a as "not", a is true as t, a is not true as nt, a is false as f, a is not false as nf, a is unknown as u, a is not unknown as nu from (values (true),(false),(null::bool)) x(a) order by a;
select null = null as a, null <> null as b, null is null as c, null is not null as d;
select row(1, null) is null as a, row(null, null) is null as b, row(1, null) is not null as c, row(1, 2) is not null as d;
select row(1, 2) = row(1, 2) as a, row(1, null) = row(1, 2) as b, row(1, 2) < row(1, 3) as c, row(2, null) > row(1, 2) as d;
select row(1, 2) = row(1, 2, 3);
select row(1, 2) is distinct from row(1, 2) as a, row(1, null) is distinct from row(1, null) as b;
select 1 is true;
select 'true' and true;
select not 1;
select bool_and(x), bool_or(x), every(x) from (values (true), (null), (false)) v(x);
select false and (1/0 = 1);
select true or (1/0 = 1);
