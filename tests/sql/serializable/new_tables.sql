-- Who fills a table of his own making is a writer to those who read it afterwards.
-- session s
create table first (v int);
insert into first values (0);
-- session b
begin isolation level serializable;
create table second as select v from first;
-- session c
begin isolation level serializable;
update first set v = 1;
commit;
-- session a
\set VERBOSITY terse
begin isolation level serializable read only;
select v from first;
-- session b
commit;
-- session a
select v from second;
commit;
-- The same with a table that is filled after it was created.
-- session b
begin isolation level serializable;
create table third (v int);
insert into third select v from first;
-- session c
begin isolation level serializable;
update first set v = 2;
commit;
-- session a
begin isolation level serializable read only;
select v from first;
-- session b
commit;
-- session a
select v from third;
commit;
-- Whoever only defines has written nothing.
-- session b
begin isolation level serializable;
select v from first;
create table fifth (v int);
-- session c
begin isolation level serializable;
update first set v = 4;
commit;
-- session a
begin isolation level serializable read only;
select v from first;
-- session b
commit;
-- session a
select v from fifth;
commit;
