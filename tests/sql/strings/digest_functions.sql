-- md5, sha2 and crc32 give the known digests of bytes.
select md5(''), md5('abc'), md5('\x616263'::bytea), md5(null::text);
select sha224(''), sha256('abc'::bytea);
select sha384('abc'::bytea);
select sha512('abc'::bytea);
select crc32('The quick brown fox jumps over the lazy dog.'), crc32(''), crc32c('The quick brown fox jumps over the lazy dog.'), crc32c('');
select md5('é'), md5(repeat('a', 1000));
select sha256('abc'::text);
select md5(1);
select length(sha224('x')), length(sha256('x')), length(sha384('x')), length(sha512('x'));
select encode(sha256('\x00'), 'hex'), encode(sha256(null), 'hex');
select sha256('\xzz');
select sha1('abc'::bytea);
