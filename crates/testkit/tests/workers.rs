//! Sessions go to another worker when theirs has too much to do, and nothing of theirs is lost.

use std::path::PathBuf;
use std::time::{Duration, Instant};
use testkit::client::{Client, Failure, Message};
use testkit::kill9::{Running, ServerOptions};
use testkit::{metrics, perdura};

const SESSIONS: usize = 4;

fn server(metrics_port: u16) -> Result<(Running, PathBuf), String> {
    let dir = testkit::workspace().join(format!("build/workers-{}", std::process::id()));
    std::fs::create_dir_all(&dir).map_err(|error| error.to_string())?;
    let settings =
        ["fsync=off".to_string(), format!("metrics_listen_address=127.0.0.1:{metrics_port}")];
    let options = ServerOptions {
        program: perdura::program()?,
        data: dir.join("data"),
        settings: settings.to_vec(),
        log: dir.join("log"),
    };
    Ok((Running::start(&options)?, dir))
}

/// A session with everything that a session can keep between two statements.
fn furnished(port: u16, number: usize) -> Result<Client, Failure> {
    let mut client = Client::connect(port, "postgres")?;
    for sql in [
        format!("set application_name = 'session {number}'"),
        "create temp table mine (n int); create index on mine (n)".into(),
        "prepare next as insert into mine values ($1) returning n".into(),
        "prepare total as select count(*), sum(n) from mine where n >= $1".into(),
        "create temp sequence counted".into(),
        format!("select pg_advisory_lock({number})"),
        format!("listen news_{number}"),
    ] {
        client.query(&sql)?;
    }
    Ok(client)
}

/// Works until `enough`, and looks at everything again and again.
fn work(client: &mut Client, number: usize, enough: impl Fn() -> bool) -> Result<(), Failure> {
    let mut round = 0;
    while round < 20 || !enough() {
        round += 1;
        let answer = client.query(&format!("execute next({round})"))?;
        assert_eq!(answer, [[Some(round.to_string())]]);
        let answer = client.query("execute total(1)")?;
        let sum = round * (round + 1) / 2;
        assert_eq!(answer, [[Some(round.to_string()), Some(sum.to_string())]]);
        assert_eq!(client.value("select nextval('counted')")?, round.to_string());
        let name = client.value("select current_setting('application_name')")?;
        assert_eq!(name, format!("session {number}"));
        let heavy = "select sum(i) from generate_series(1, $1::int) i";
        assert_eq!(client.execute(heavy, &["20000"])?, [[Some("200010000".into())]]);
        // A transaction with a cursor stays where it is while it lasts.
        client.query("begin; declare c cursor for select n from mine order by n")?;
        assert_eq!(client.query("fetch 2 from c")?.first(), Some(&vec![Some("1".into())]));
        client.query("commit")?;
    }
    Ok(())
}

#[test]
fn sessions_keep_everything_when_they_go_to_another_worker() {
    let metrics_port = testkit::free_port().unwrap();
    let (server, dir) = server(metrics_port).unwrap();
    let port = server.port();
    // Every other session is idle: so those with work are on one worker, if there are two.
    let mut working = Vec::new();
    let mut idle = Vec::new();
    for number in 0..SESSIONS {
        working.push(furnished(port, number).unwrap());
        idle.push(Client::connect(port, "postgres").unwrap());
    }
    let alone = std::thread::available_parallelism().map_or(1, usize::from) == 1;
    let deadline = Instant::now() + Duration::from_secs(60);
    let enough = || {
        assert!(Instant::now() < deadline, "nobody moved");
        alone || metrics::metric(metrics_port, "perdura_session_moves_total").unwrap() > 1.5
    };
    std::thread::scope(|scope| {
        for (number, client) in working.iter_mut().enumerate() {
            scope.spawn(move || work(client, number, enough).unwrap());
        }
    });
    let other = &mut idle[0];
    for (number, client) in working.iter_mut().enumerate() {
        // Who waits for its client is told, and who works is interrupted.
        other.query(&format!("notify news_{number}, 'hello'")).unwrap();
        while !matches!(client.receive().unwrap(), Message::Notification { payload, .. } if payload == "hello")
        {
        }
        let free = format!("select pg_try_advisory_lock({number})");
        assert_eq!(other.value(&free).unwrap(), "f");
        let pid = client.value("select pg_backend_pid()").unwrap();
        std::thread::scope(|scope| {
            let sleeper = scope.spawn(|| client.query("select pg_sleep(60)"));
            let sleeps = format!("select wait_event from pg_stat_activity where pid = {pid}");
            while other.value(&sleeps).unwrap() != "PgSleep" {
                std::thread::sleep(Duration::from_millis(5));
            }
            other.query(&format!("select pg_cancel_backend({pid})")).unwrap();
            let cancelled = sleeper.join().unwrap();
            assert_eq!(cancelled.as_ref().err().and_then(Failure::sqlstate), Some("57014"));
        });
        other.query(&format!("select pg_terminate_backend({pid}, 20000)")).unwrap();
        let farewell = client.until_ready().unwrap_err().to_string();
        assert!(farewell.contains("57P01: terminating connection"), "{farewell}");
        assert_eq!(other.value(&free).unwrap(), "t");
    }
    drop(server);
    let _ = std::fs::remove_dir_all(dir);
}
