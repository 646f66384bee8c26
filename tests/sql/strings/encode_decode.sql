-- encode and decode translate bytes to hex, base64 and escape text and back.
select encode('\x0001feff'::bytea, 'hex'), encode('\x0001feff'::bytea, 'base64'), encode('\x00610a5c7fff'::bytea, 'escape');
select decode('0001FEff', 'hex'), decode('AAH+/w==', 'base64'), decode(E'\\000a\\\\b\\377', 'escape');
select decode('00 01', 'hex'), decode(E'AAH+\n/w==', 'base64');
select decode('0g', 'hex');
select decode('012', 'hex');
select decode('AA', 'base64');
select decode('A?==', 'base64');
select decode(E'\\9', 'escape');
select encode('a'::bytea, 'nosuch');
select encode(repeat('x', 60)::bytea, 'base64');
select convert_to('é', 'UTF8'), convert_to('é', 'LATIN1'), convert_from('\xe9', 'LATIN1'), convert_from('\xc3a9', 'UTF8');
select convert_from('\xe9', 'UTF8');
select convert_to('日', 'LATIN1');
select convert('\xe9', 'LATIN1', 'UTF8'), convert_to('a', null);
select convert_to('a', 'nosuch');
