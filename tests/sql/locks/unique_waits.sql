-- An insert of a key that an open transaction inserted waits for its end.
-- session a
create table u (k int primary key, v text);
begin;
insert into u values (1, 'a');
-- session b waits
insert into u values (1, 'b');
-- session a
commit;
begin;
insert into u values (2, 'a');
-- session b waits
insert into u values (2, 'b') returning *;
-- session a
rollback;
begin;
delete from u where k = 2;
-- session b waits
insert into u values (2, 'again') returning *;
-- session a
commit;
begin;
delete from u where k = 2;
-- session b waits
insert into u values (2, 'dup');
-- session a
rollback;
begin;
update u set k = 9 where k = 2;
-- session b waits
insert into u values (2, 'free') returning *;
-- session a
commit;
begin;
insert into u values (30, 'a');
-- session b
begin;
insert into u values (31, 'b');
insert into u values (32, 'b');
-- session b waits
insert into u values (30, 'b');
-- session a
rollback;
-- session b
commit;
-- session a
select * from u order by k;
