//! The program `perdura`.

mod allocator;
#[cfg(target_os = "linux")]
mod shelves;

use clap::{Args, Parser, Subcommand};
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

/// The version and the options of the build ([`base::build::OPTIONS`]).
const VERSION: &str = concat!(
    env!("CARGO_PKG_VERSION"),
    "\n64-bit shared memory: on (--enable-64bit-shared-memory)",
    "\n64-bit transaction ids: on (--enable-64bit-transaction-id)",
);

/// A PostgreSQL-compatible database server whose transactions never age, whose memory has a limit,
/// and whose sessions cost kilobytes.
#[derive(Parser)]
#[command(name = "perdura", version, long_version = VERSION)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run a server in the foreground; make the data directory if it is missing or empty
    Serve(Serve),
    /// Make a new data directory
    Init(Init),
    /// Check all data of a directory that no server runs on, after recovery if it needs one
    Check(Check),
    /// Show the write-ahead log, a line a record
    Waldump(Waldump),
    /// Run SQL on a data directory without a server; reads standard input without -c and -f
    Shell(Shell),
}

#[derive(Args)]
struct Serve {
    /// The data directory
    #[arg(short = 'D', long = "data", env = "PGDATA", value_name = "DIR")]
    data_dir: PathBuf,
    /// The port of TCP and Unix sockets [default: 5432]
    #[arg(short, long)]
    port: Option<u16>,
    /// Set a setting, before those of postgresql.conf
    #[arg(short = 'c', value_name = "NAME=VALUE", value_parser = parse_setting)]
    settings: Vec<(String, String)>,
}

#[derive(Args)]
struct Init {
    /// The data directory, missing or empty
    #[arg(short = 'D', long = "data", env = "PGDATA", value_name = "DIR")]
    data_dir: PathBuf,
    /// The first transaction id
    #[arg(long, value_name = "N")]
    next_xid: Option<u64>,
}

#[derive(Args)]
struct Check {
    /// The data directory
    #[arg(short = 'D', long = "data", env = "PGDATA", value_name = "DIR")]
    data_dir: PathBuf,
}

#[derive(Args)]
struct Waldump {
    /// The data directory
    #[arg(short = 'D', long = "data", env = "PGDATA", value_name = "DIR")]
    data_dir: PathBuf,
    /// Begin at this position [default: the redo point of the newest checkpoint]
    #[arg(short, long, value_name = "LSN", value_parser = parse_lsn)]
    start: Option<u64>,
    /// End at this position
    #[arg(short, long, value_name = "LSN", value_parser = parse_lsn)]
    end: Option<u64>,
    /// Show so many records
    #[arg(short = 'n', long, value_name = "N")]
    limit: Option<u64>,
    /// Show the records of one resource manager
    #[arg(short, long, value_name = "NAME")]
    rmgr: Option<String>,
    /// Show the records of one transaction
    #[arg(short, long, value_name = "XID")]
    xid: Option<u64>,
}

#[derive(Args)]
struct Shell {
    /// The data directory; made if it is missing or empty
    #[arg(value_name = "DIR")]
    data_dir: PathBuf,
    /// Run SQL, all of it in one message
    #[arg(short = 'c', long = "command", value_name = "SQL")]
    commands: Vec<String>,
    /// Run the statements of a file, after those of -c
    #[arg(short = 'f', long = "file", value_name = "FILE")]
    files: Vec<PathBuf>,
    /// The database
    #[arg(short = 'd', long = "dbname", value_name = "NAME", default_value = "postgres")]
    database: String,
    /// The role
    #[arg(short = 'U', long = "username", value_name = "NAME", default_value = "postgres")]
    user: String,
}

fn parse_setting(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("-c requires a value of the form NAME=VALUE".to_owned()),
    }
}

fn parse_lsn(text: &str) -> Result<u64, String> {
    let wrong = || format!("invalid WAL location: \"{text}\"");
    let (high, low) = text.split_once('/').ok_or_else(wrong)?;
    let half = |text| u32::from_str_radix(text, 16).map(u64::from).map_err(|_| wrong());
    Ok(half(high)? << 32 | half(low)?)
}

/// A line on standard output; that nobody reads it is no error.
fn say(line: &str) {
    let _ = writeln!(std::io::stdout(), "{line}");
}

fn main() -> ExitCode {
    if server::is_server_process() {
        allocator::reserve_arenas();
        return ExitCode::from(server::server_process(allocator::trim, allocator::begin_worker));
    }
    let result = match Cli::parse().command {
        Command::Serve(serve) => {
            let mut settings = serve.settings;
            settings.extend(serve.port.map(|port| ("port".to_owned(), port.to_string())));
            server::serve(server::ServeOptions { data_dir: serve.data_dir, settings })
        }
        Command::Check(check) => match server::check(&check.data_dir, &mut say) {
            Ok(true) => Ok(()),
            Ok(false) => return ExitCode::from(2),
            Err(error) => Err(error),
        },
        Command::Waldump(dump) => {
            let options = server::DumpOptions {
                start: dump.start.map(base::Lsn),
                end: dump.end.map(base::Lsn),
                limit: dump.limit,
                manager: dump.rmgr,
                xid: dump.xid.map(base::Xid),
            };
            server::waldump(&dump.data_dir, &options, &mut say)
        }
        Command::Shell(shell) => {
            let commands = shell.commands.into_iter().map(server::ShellInput::Command);
            let files = shell.files.into_iter().map(server::ShellInput::File);
            let options = server::ShellOptions {
                data_dir: shell.data_dir,
                inputs: commands.chain(files).collect(),
                user: shell.user,
                database: shell.database,
            };
            return ExitCode::from(server::shell(&options));
        }
        Command::Init(init) => server::initialize(&init.data_dir, init.next_xid),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            server::log::error(None, &error);
            ExitCode::FAILURE
        }
    }
}
