-- MERGE: matched, not matched, by source, RETURNING.
create table target (id int primary key, v int);
create table source (id int, v int);
insert into target values (1, 10), (2, 20), (3, 30);
insert into source values (2, 200), (3, null), (4, 400);
merge into target t using source s on t.id = s.id when matched and s.v is null then delete when matched then update set v = s.v when not matched then insert values (s.id, s.v);
select * from target order by id;
merge into target t using source s on t.id = s.id when matched then do nothing when not matched then insert (id, v) values (s.id, -1);
select * from target order by id;
merge into target t using source s on t.id = s.id when not matched by source then delete;
select * from target order by id;
merge into target t using (values (2, 1), (7, 7)) s (id, v) on t.id = s.id when matched then update set v = t.v + s.v when not matched then insert values (s.id, s.v) returning merge_action(), t.*;
merge into target t using (values (2), (2)) s (id) on t.id = s.id when matched then update set v = 0;
