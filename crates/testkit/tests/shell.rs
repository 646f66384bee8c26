//! `perdura shell` prints what psql prints.

use std::io::Write;
use std::process::{Command, Stdio};
use testkit::perdura::{self, Perdura};
use testkit::{Server, oracle};

const SCRIPT: &str = "
create table t (a int primary key, b text, \"long name\" numeric);
insert into t values (1, 'x', 1.50), (2, E'two\\nlines', null), (30, 'z', 2);
select * from t order by a;
select 1 as one, 'x' as \"Text\", null, true, array[1, 2];
select nosuch from t;
selec 1;
insert into t values (1);
copy t from stdin;
4	five	6
5	\\N	7
\\.
copy t to stdout;
select count(*) from t; select 'a;b' /* ; */, $$;$$;
drop table if exists nosuch;
begin; insert into t values (9); rollback;
update t set b = 'q' where a = 1 returning a, b;
select where false;
select count(*) from t
";

#[test]
fn the_shell_prints_what_psql_prints() {
    let installation = match oracle::install() {
        Ok(installation) => installation,
        Err(error) => {
            assert!(std::env::var_os("CI").is_none(), "{error}");
            let _ = writeln!(std::io::stderr(), "\n*** the shell NOT COMPARED: {error}\n");
            return;
        }
    };
    let program = perdura::program().unwrap();
    let server = Perdura::start(program.clone(), &installation).unwrap();
    let dir = server.data_dir().with_file_name("shell");
    let file = dir.with_extension("sql");
    std::fs::write(&file, SCRIPT).unwrap();
    let run = |mut command: Command| {
        let output = command.stdin(Stdio::null()).output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (text(&output.stdout), text(&output.stderr), output.status.code())
    };
    let shell = |arguments: &[&str]| {
        let mut command = Command::new(&program);
        command.arg("shell").arg(&dir).args(arguments);
        run(command)
    };
    let psql = |arguments: &[&str]| {
        let mut command = Command::new(installation.program("psql"));
        command.env("LC_ALL", "C").env("PGCLIENTENCODING", "UTF8");
        command.args(["-X", "-h", "127.0.0.1", "-U", "postgres", "-d", "postgres", "-p"]);
        command.arg(server.port().to_string()).args(arguments);
        run(command)
    };
    // The first start says that it makes a cluster.
    assert_eq!(shell(&["-c", "select 1"]).2, Some(0));
    let path = file.to_str().unwrap();
    assert_eq!(shell(&["-f", path]), psql(&["-f", path]));
    for sql in
        ["select 1; select 2", "select 1/0", "table t", "create table u ()", "vacuum; select 1"]
    {
        assert_eq!(shell(&["-c", sql]), psql(&["-c", sql]), "{sql}");
    }
}
