-- information_schema names constraints, their columns and what they reference.
create table p (a int, b int, c text not null unique, constraint p_pk primary key (a, b), constraint p_ck check (a < b));
create table f (x int, y int, z text references p (c) on delete cascade on update set null, constraint f_fk foreign key (x, y) references p deferrable initially deferred);
select constraint_name, table_name, constraint_type, is_deferrable, initially_deferred, enforced, nulls_distinct from information_schema.table_constraints where table_schema = 'public' order by 2, 1;
select constraint_name, column_name, ordinal_position, position_in_unique_constraint from information_schema.key_column_usage where table_schema = 'public' order by 1, 3;
select constraint_name, unique_constraint_name, match_option, update_rule, delete_rule from information_schema.referential_constraints order by 1;
select table_name, column_name, constraint_name from information_schema.constraint_column_usage where table_schema = 'public' order by 3, 2;
select constraint_name, check_clause from information_schema.check_constraints where constraint_schema = 'public' order by 1;
select table_name, constraint_name from information_schema.constraint_table_usage where table_schema = 'public' order by 1, 2;
select kcu.column_name, ccu.table_name as ftable, ccu.column_name as fcolumn from information_schema.table_constraints tc join information_schema.key_column_usage kcu on tc.constraint_name = kcu.constraint_name join information_schema.constraint_column_usage ccu on ccu.constraint_name = tc.constraint_name where tc.constraint_type = 'FOREIGN KEY' and tc.constraint_name = 'f_z_fkey';
select sequence_name from information_schema.sequences where sequence_schema = 'public';
create sequence sq as smallint increment 2 maxvalue 100 cycle;
select sequence_name, data_type, start_value, minimum_value, maximum_value, increment, cycle_option from information_schema.sequences where sequence_schema = 'public';
create view pv as select a, c from p;
select view_name, table_name from information_schema.view_table_usage where view_schema = 'public';
select view_name, table_name, column_name from information_schema.view_column_usage where view_schema = 'public' order by 3;
select grantee, privilege_type from information_schema.table_privileges where table_name = 'p' and grantee = 'postgres' order by 2;
select specific_name from information_schema.routines where specific_schema = 'public';
