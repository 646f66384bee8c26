-- Statements that do not parse, with the position of what is wrong.
SELEC 1;
SELECT 1 +;
SELECT 'open;
';
SELECT (1;
);
SELECT 1 FROM;
INSERT INTO;
SELECT "no column";
SELECT nosuch(1);
SELECT 1 FROM nosuch;
SELECT 1 + true;
SELECT 'x'::nosuch;
SELECT 1 / 0;
SELECT 'x'::int;
