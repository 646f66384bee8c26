-- FOR UPDATE of what nobody updates.
create materialized view mv as select 1 as a;
create sequence sq;
create table t (a int);
select * from mv for update;
select * from mv for key share;
select * from sq for update;
select last_value from sq for share;
select * from t, mv for update of t;
select * from t, mv for update of mv;
select * from (select * from mv) s for update;
create view v as select * from mv;
select * from v for no key update;
select * from t left join mv on true for update;
explain (costs off) select * from mv for update;
