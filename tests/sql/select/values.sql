-- VALUES as a statement, in FROM, with defaults of type.
values (1, 'a'), (2, 'b');
values (1), (2.5), (null);
select * from (values (1, 'one'), (2, 'two')) as t (n, s) where n > 1;
select column1, column2 from (values (1, 2), (3, 4)) v;
values (1, 2), (3);
values (1), ('x');
values ('1'), (2);
values (default);
select * from (values (1) ) v order by 1 limit 1;
values (1), (2) order by 1 desc;
values (1), (2), (3) offset 1 limit 1;
select sum(column1) from (values (1), (2)) v;
select v from (values (1, 'a')) v;
select (v).column1 from (values (5, 'a')) v;
