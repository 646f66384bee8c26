-- Increments in one statement are never lost; a value read before may overwrite.
-- session a
create table c (n int);
insert into c values (0);
begin;
update c set n = n + 1;
-- session b
begin;
-- session b waits
update c set n = n + 1;
-- session a
commit;
-- session b
commit;
-- session a
select n from c;
begin;
-- session b
begin;
-- session a
select n from c;
-- session b
select n from c;
-- session a
update c set n = 10;
-- session b waits
update c set n = 20;
-- session a
commit;
-- session b
commit;
-- session a
select n from c;
begin;
select n from c for update;
-- session b
begin;
-- session b waits
select n from c for update;
-- session a
update c set n = n + 1;
commit;
-- session b
update c set n = n + 1 returning n;
commit;
-- session a
select n from c;
