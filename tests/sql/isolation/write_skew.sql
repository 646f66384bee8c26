-- REPEATABLE READ allows write skew, two transactions that each read what the other writes.
-- session a
create table duty (who text primary key, on_call bool);
insert into duty values ('ann', true), ('bob', true);
begin isolation level repeatable read;
-- session b
begin isolation level repeatable read;
-- session a
select count(*) from duty where on_call;
-- session b
select count(*) from duty where on_call;
-- session a
update duty set on_call = false where who = 'ann';
-- session b
update duty set on_call = false where who = 'bob';
-- session a
commit;
-- session b
commit;
-- session a
select * from duty order by who;
update duty set on_call = true;
begin isolation level repeatable read;
-- session b
begin isolation level repeatable read;
-- session a
select who from duty where on_call order by who for update;
-- session b waits
select who from duty where on_call order by who for update;
-- session a
update duty set on_call = false where who = 'ann';
commit;
-- session b
rollback;
-- session a
select * from duty order by who;
