-- READ COMMITTED: joins of every kind are tried again with the newest version of the changed row and the other rows as they were.
-- session a
create table item (id int primary key, kind int, qty int);
create table kind (id int primary key, name text, fee int);
insert into item values (1, 1, 10), (2, 1, 20), (3, 2, 30), (4, null, 40);
insert into kind values (1, 'one', 5), (2, 'two', 7), (3, 'three', 9);
begin;
update item set qty = qty + 1 where id = 1;
-- session b waits
select i.*, k.name, i.qty * k.fee as total from item i join kind k on k.id = i.kind where i.id <= 2 order by i.id for update of i;
-- session a
commit;
begin;
update item set kind = 2 where id = 1;
-- session b waits
select i.*, k.name from item i join kind k on k.id = i.kind order by i.id for update of i;
-- session a
commit;
begin;
update item set kind = 3 where id = 2;
-- session b waits
select i.*, k.name from item i left join kind k on k.id = i.kind order by i.id for update of i;
-- session a
commit;
begin;
update kind set id = 8, fee = 80 where id = 2;
update item set qty = 0 where id = 3;
-- session b waits
select i.*, k.* from kind k join item i on k.id = i.kind order by i.id for update;
-- session a
commit;
begin;
update kind set name = 'THREE', fee = 90 where id = 3;
update item set qty = 21 where id = 2;
-- session b waits
select i.*, k.* from kind k join item i on k.id = i.kind order by i.id for update;
-- session a
commit;
begin;
update item set qty = 99 where id = 2;
update kind set fee = 91 where id = 3;
-- session b waits
with u as (update item set qty = qty + k.fee from kind k where k.id = item.kind and item.qty < 90 returning item.*, k.name, k.fee) select * from u order by 1;
-- session a
commit;
begin;
update item set kind = 1 where id = 2;
-- session b waits
with u as (update item set qty = 1000 from kind k where k.id = item.kind and k.name = 'THREE' returning item.*) select * from u order by 1;
-- session a
commit;
begin;
update item set qty = qty + 1;
-- session b waits
with u as (delete from item using kind k, (select avg(fee) as mean from kind) m where k.id = item.kind and k.fee < m.mean and item.qty > 50 returning item.*, m.mean > 0 as m) select * from u order by 1;
-- session a
commit;
insert into item values (2, 1, 5), (5, 3, 50) on conflict (id) do update set kind = excluded.kind, qty = excluded.qty;
begin;
update item set kind = 3 where id = 2;
-- session b waits
with u as (update item set qty = -qty where exists (select from kind k where k.id = item.kind and k.fee > 50) returning *) select * from u order by 1;
-- session a
commit;
begin;
update item set kind = 1 where id = 5;
-- session b waits
with u as (update item set qty = qty * 2 where not exists (select from kind k where k.id = item.kind and k.fee > 50) returning *) select * from u order by 1;
-- session a
commit;
begin;
update item set kind = 7 where id = 5;
-- session b waits
select * from item where kind in (select id from kind) order by id for update;
-- session a
commit;
begin;
update item set qty = qty + 100 where id = 2;
-- session b waits
select a.id, b.id as other, a.qty, b.qty as other_qty from item a join item b on b.id = a.id + 1 order by a.id for update of a;
-- session a
commit;
begin;
update item set qty = 1 where id = 2;
-- session b waits
select a.id, b.id as other, a.qty, b.qty as other_qty from item a join item b on b.id = a.id + 1 order by a.id for update;
-- session a
commit;
begin;
update item set qty = 7 where id = 2;
-- session b waits
select i.id, i.qty, l.x, m.y, g from item i, lateral (select i.qty * 2 as x offset 0) l, lateral (select i.qty * 3 as y) m, generate_series(1, 2) g where i.id = 2 order by g for update of i;
-- session a
commit;
begin;
update kind set fee = 1 where id = 1;
-- session b waits
select i.id, k.id as k, k.fee from item i left join kind k on k.id = i.kind and k.fee < 100 where i.id <> 3 order by i.id for no key update of i;
-- session a
commit;
begin;
delete from item where id = 2;
-- session b waits
select i.id, k.id as k from item i join kind k on k.id = i.kind or i.id = 2 order by i.id, k.id for share;
-- session a
commit;
select * from item order by id;
-- session b
select * from kind order by id;
