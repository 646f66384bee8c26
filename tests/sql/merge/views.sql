-- MERGE into views.
create table base (a int primary key, b text default 'dflt', c int);
insert into base values (1, 'one', 1), (2, 'two', 2), (-3, 'hidden', 3);
create view v as select a, b, c * 2 as twice from base where a > 0 with check option;
merge into v using (values (1, 'x'), (5, 'y')) s(a, b) on v.a = s.a when matched then update set b = s.b when not matched then insert (a, b) values (s.a, s.b) returning merge_action(), v.*;
merge into v using (values (2)) s(a) on v.a = s.a when matched then delete returning merge_action(), v.a, v.twice;
select * from base order by a;
merge into v using (values (-3, 'z')) s(a, b) on v.a = s.a when matched then update set b = s.b;
merge into v using (values (-9, 'z')) s(a, b) on v.a = s.a when not matched then insert (a, b) values (s.a, s.b);
merge into v using (values (1)) s(a) on v.a = s.a when matched then update set a = -1;
merge into v using (values (1)) s(a) on v.a = s.a when matched then update set twice = 5;
merge into v using (values (8)) s(a) on v.a = s.a when not matched then insert (a, twice) values (8, 1);
create table src (a int);
insert into src values (1);
merge into v using src s on v.a = s.a when not matched by source then delete returning v.a;
select * from base order by a;
create view g as select count(*) as n from base;
merge into g using src s on g.n = s.a when matched then delete;
merge into g using src s on g.n = s.a when not matched then insert values (1);
