#!/bin/sh
# Records crates/types/tests/data/input.tsv: what PostgreSQL 18 makes of the inputs in input_cases.tsv.
# Usage: tools/record_types.sh psql -h HOST -p PORT -U USER -d DATABASE
# A line of the result: settings, type, modifier, input, then the output or ERROR SQLSTATE message|detail.
set -eu
data=$(dirname "$0")/../crates/types/tests/data
"$@" -qAt -v ON_ERROR_STOP=1 <<SQL > "$data/input.tsv"
create function pg_temp.try_input(typ text, typmod text, inp text) returns text language plpgsql as \$\$
declare r text; d text; m text; s text;
begin
  if typ like 'interval%' and typmod <> '-' then typ := 'interval ' || typmod;
  elsif typmod <> '-' then typ := typ || typmod; end if;
  -- The modifier must be applied by the input function, so the literal comes through a column.
  execute format('create temp table one(v %s)', typ);
  execute format('insert into one values (%L)', inp);
  execute 'select textin(format(''%s'', v)::cstring) from one' into r;
  drop table one;
  return r;
exception when others then
  get stacked diagnostics d = pg_exception_detail, m = message_text, s = returned_sqlstate;
  return 'ERROR ' || s || ' ' || m || case when d <> '' then '|' || d else '' end;
end \$\$;
create temp table cases(typ text, typmod text, inputs text);
\copy cases from $data/input_cases.tsv with (format csv, delimiter E'\t', quote E'\x01')
create temp table settings(datestyle text, intervalstyle text, zone text);
insert into settings values ('ISO, MDY','postgres','UTC'), ('SQL, DMY','sql_standard','America/New_York'),
  ('Postgres, MDY','postgres_verbose','Europe/Berlin'), ('German, DMY','iso_8601','Asia/Kolkata');
create function pg_temp.all_cases() returns setof text language plpgsql as \$\$
declare s record; c record; i text;
begin
  for s in select * from settings loop
    perform set_config('datestyle', s.datestyle, false), set_config('intervalstyle', s.intervalstyle, false), set_config('timezone', s.zone, false);
    for c in select * from cases loop
      continue when s.zone <> 'UTC' and c.typ !~ '^(date|time|interval)';
      foreach i in array string_to_array(c.inputs, '|') loop
        return next concat_ws(E'\t', s.datestyle || ';' || s.intervalstyle || ';' || s.zone, c.typ, c.typmod, i,
          replace(coalesce(pg_temp.try_input(c.typ, c.typmod, i), 'NULL'), E'\n', ' '));
      end loop;
    end loop;
  end loop;
end \$\$;
select * from pg_temp.all_cases();
SQL
wc -l "$data/input.tsv"
