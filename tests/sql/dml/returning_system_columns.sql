-- RETURNING tells the system columns of new rows, and xmax tells an inserted row from an updated one.
create table t (id int primary key, v text);
insert into t values (1, 'a'), (2, 'b') returning tableoid::regclass, xmax, cmax, xmin = pg_current_xact_id()::xid as own, ctid is not null as has_ctid;
select t.ctid = r.ctid as same from (select ctid, id from t) r join t using (id);
insert into t values (2, 'x'), (3, 'y') on conflict (id) do update set v = excluded.v returning id, v, xmax = 0 as inserted, tableoid::regclass;
insert into t values (2, 'x'), (4, 'y') on conflict do nothing returning id, xmax = 0 as inserted;
update t set v = v || '!' where id < 3 returning id, xmin = pg_current_xact_id()::xid as own, xmax, tableoid::regclass, ctid is not null as has_ctid;
delete from t where id = 1 returning id, tableoid::regclass;
with n as (insert into t values (7, 'z') returning ctid as place) select t.id from t where ctid in (select place from n);
