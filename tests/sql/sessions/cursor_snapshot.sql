-- A cursor goes on showing the rows of its snapshot while others change them.
-- session a
create table t (k int primary key, v int);
insert into t select g, g * 10 from generate_series(1, 5) g;
begin;
declare c scroll cursor for select * from t order by k;
fetch 2 from c;
-- session b
update t set v = 0;
delete from t where k = 4;
insert into t values (6, 60);
-- session a
fetch all from c;
fetch first from c;
select count(*), sum(v) from t;
update t set v = 99 where current of c;
select v from t where k = 1;
commit;
begin;
declare d cursor for select * from t order by k for update;
fetch 1 from d;
-- session b
select k from t order by k for update skip locked;
-- session b waits
update t set v = 1 where k = 1 returning *;
-- session a
update t set v = 77 where current of d;
commit;
select * from t order by k;
declare h cursor with hold for select k from t order by k;
-- session b
delete from t;
-- session a
fetch 2 from h;
close h;
