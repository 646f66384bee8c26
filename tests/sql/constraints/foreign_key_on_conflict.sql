-- INSERT ... ON CONFLICT DO UPDATE minds the rows that refer to a key that it changes.
create table parent (id int primary key, k int unique);
create table child (k int references parent (k));
create table follower (k int references parent (k) on update cascade);
insert into parent values (1, 10), (2, 20), (3, 30);
insert into child values (10);
insert into follower values (20);
insert into parent values (1, 11) on conflict (id) do update set k = excluded.k;
insert into parent values (2, 21) on conflict (id) do update set k = excluded.k;
insert into parent values (3, 31) on conflict (id) do update set k = excluded.k;
insert into child values (31), (99) on conflict do nothing;
select * from parent order by id;
select * from child union all select * from follower;
