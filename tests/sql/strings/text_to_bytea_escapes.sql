-- String constants: quotes, E escapes, dollar quotes, continuation, bytea_output.
select 'a''b', 'a\b', E'a\\b', E'\x41\102\u0043', E'tab\there', E'a\'b', E'\b\f' = chr(8) || chr(12);
select $$it's$$, $a$x $$ y$a$, $$$$ = '';
select 'abc'
'def';
select 'abc' 'def';
select E'\ud83d\ude00', E'\U0001F600';
select E'\ud83d';
select E'\xff';
select E'\u00';
select E'\0';
select 'a' as "x""y", 'a' as "X";
set bytea_output = 'escape';
select '\x00015c61ff'::bytea, 'a\\b\001'::bytea;
set bytea_output = 'hex';
select '\x00015c61ff'::bytea, 'a\\b\001'::bytea;
set bytea_output = 'nosuch';
select '\x0'::bytea;
select 'a\9'::bytea;
select b'101', x'1F', pg_typeof(b'1');
select n'abc', pg_typeof(n'abc');
