-- information_schema.sequences shows what a role may use, whatever else there is.
create role lists_sequences;
create table t (id serial, a int generated always as identity);
create sequence hers;
create sequence nobodys;
alter sequence hers owner to lists_sequences;
grant usage on sequence t_id_seq to lists_sequences;
select sequence_name, data_type, start_value, minimum_value, maximum_value, increment, cycle_option from information_schema.sequences order by 1;
set role lists_sequences;
select sequence_name, data_type from information_schema.sequences order by 1;
select sequencename, last_value from pg_sequences order by 1;
select count(*) from information_schema.sequences;
reset role;
drop owned by lists_sequences;
drop role lists_sequences;
