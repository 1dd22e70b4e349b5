//! The peer: `PostgreSQL` with the indexes that a careful owner would make, started on a directory of
//! its own and asked through pgbench on a socket, without HTTP and JSON.

use crate::error::LoadError;
use crate::people::{Person, city};
use crate::settings::Settings;
use std::fs;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;
use tempfile::TempDir;

/// Where Debian puts the programs, the newest version last.
const DEBIAN: &str = "/usr/lib/postgresql";
/// Whom the server runs as where this program is root, which `PostgreSQL` refuses to be.
const ACCOUNT: &str = "postgres";

/// As careful owners set it on such a machine; every commit is synced.
const SETTINGS: &str = "
shared_buffers = 4GB
work_mem = 64MB
maintenance_work_mem = 1GB
max_wal_size = 8GB
synchronous_commit = on
fsync = on
jit = off
listen_addresses = ''
";

const TABLE: &str = "
create extension pg_trgm;
create table people (
    number int not null, id uuid primary key default gen_random_uuid(), version int not null,
    created timestamptz not null, updated timestamptz not null, email text not null,
    first_name text, last_name text, company text, city text, score int,
    subscribed boolean, tags int[]);
";

const INDEXES: &str = "
create unique index on people (number);
create index on people (created, id);
create index on people (city);
create index on people (score);
create index on people using gin (tags);
create index on people using gin (email gin_trgm_ops);
create index on people using gin (first_name gin_trgm_ops);
create index on people using gin (last_name gin_trgm_ops);
";

/// A running server; it ends with this.
pub(crate) struct Postgres {
    programs: PathBuf,
    directory: TempDir,
}

/// Latencies in milliseconds, rising.
pub(crate) struct Latencies(Vec<f64>);

impl Latencies {
    pub(crate) fn quantile(&self, quantile: f64) -> f64 {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a share of a length is an index"
        )]
        let at = (crate::report::figure(self.count()) * quantile) as usize;
        self.0.get(at.min(self.0.len().saturating_sub(1))).copied().unwrap_or(f64::NAN)
    }

    pub(crate) fn count(&self) -> u64 {
        u64::try_from(self.0.len()).expect("a length fits 64 bits")
    }
}

/// Where the programs are; none where `PostgreSQL` is not installed.
pub(crate) fn programs(settings: &Settings) -> Option<PathBuf> {
    let has_all = |path: &Path| {
        ["initdb", "pg_ctl", "psql", "pgbench"].iter().all(|name| path.join(name).exists())
    };
    if let Some(path) = &settings.postgres {
        return has_all(path).then(|| path.clone());
    }
    let mut found: Vec<PathBuf> = fs::read_dir(DEBIAN)
        .ok()?
        .filter_map(|entry| Some(entry.ok()?.path().join("bin")))
        .filter(|path| has_all(path))
        .collect();
    found.sort();
    found.pop()
}

impl Postgres {
    pub(crate) fn start(programs: PathBuf, parent: &Path) -> Result<Self, LoadError> {
        let directory = tempfile::Builder::new().prefix("load-postgres-").tempdir_in(parent);
        let directory = directory.map_err(LoadError::io(parent.display().to_string()))?;
        let server = Self { programs, directory };
        let path = server.directory.path();
        if is_root() {
            let mut chown = Command::new("chown");
            run(chown.arg(ACCOUNT).arg(path))?;
            // The account must reach it through the directories above.
            run(Command::new("chmod").arg("755").arg(path))?;
        }
        let data = path.join("data");
        run(server
            .command("initdb")
            .args(["--auth=trust", "--encoding=UTF8", "--locale=C", "-U", ACCOUNT, "-D"])
            .arg(&data))?;
        let configuration = data.join("postgresql.conf");
        let failed = || LoadError::io(configuration.display().to_string());
        let mut text = fs::read_to_string(&configuration).map_err(failed())?;
        text.push_str(SETTINGS);
        fs::write(&configuration, text).map_err(failed())?;
        let socket = format!("-k {}", path.display());
        let log = path.join("log");
        run(server
            .command("pg_ctl")
            .args(["-w", "-o", &socket, "-D"])
            .arg(&data)
            .arg("-l")
            .arg(&log)
            .arg("start")
            .stdout(Stdio::null()))?;
        Ok(server)
    }

    pub(crate) fn version(&self) -> Result<String, LoadError> {
        self.ask("show server_version")
    }

    /// Loads the people as of their first turn, then makes the indexes.
    pub(crate) fn load(&self, records: u32) -> Result<(), LoadError> {
        self.ask(TABLE)?;
        let columns = "number, version, created, updated, email, first_name, last_name, company, \
                       city, score, subscribed, tags";
        let mut psql = self.client("psql");
        psql.arg("-q").arg("-c").arg(format!("copy people ({columns}) from stdin"));
        let mut child = psql.stdin(Stdio::piped()).spawn().map_err(LoadError::io("psql"))?;
        let mut out = BufWriter::new(child.stdin.take().expect("standard input is a pipe"));
        for number in 0..records {
            let Person {
                email,
                first_name,
                last_name,
                company,
                city: place,
                score,
                subscribed,
                tags,
            } = Person::new(number, 0);
            let tags: Vec<String> = tags.iter().map(u64::to_string).collect();
            let (tags, place) = (tags.join(","), city(place));
            writeln!(
                out,
                "{number}\t1\t2026-01-01 00:00:00+00\t2026-01-01 00:00:00+00\t{email}\t{first_name}\t{last_name}\t{company}\t{place}\t\
                 {score}\t{subscribed}\t{{{tags}}}"
            )
            .map_err(LoadError::io("psql"))?;
        }
        drop(out);
        check(&psql, &child.wait_with_output().map_err(LoadError::io("psql"))?)?;
        // Of the order in which they came.
        self.ask("update people set created = created + number * interval '1 millisecond'")?;
        self.ask(INDEXES)?;
        self.ask("vacuum (full, analyze) people")?;
        self.ask("checkpoint").map(drop)
    }

    /// Runs statements over and over on so many connections.
    pub(crate) fn measure(
        &self,
        script: &str,
        clients: usize,
        lasting: Duration,
    ) -> Result<Latencies, LoadError> {
        let bench = self.bench("search", script, &["-c", &clients.to_string()], lasting)?;
        bench.finish()
    }

    /// Begins to upsert at a rate, beside what else is asked.
    pub(crate) fn begin_upserts(
        &self,
        records: u32,
        rate: u32,
        lasting: Duration,
    ) -> Result<Bench, LoadError> {
        let script = format!(
            "\\set n random(0, {})\n\\set s random(0, 999)\n\\set c random(0, 199)\n\\set t random(1, 490)\n\
             insert into people (number, version, created, updated, email, first_name, last_name, company, city, score, subscribed, tags)\n\
             values (:n, 1, now(), now(), 'new', 'Ada', 'Berg', 'Company', 'City ' || lpad(:c::text, 3, '0'), :s, true, array[:t, :t + 1, :t + 2, :t + 3, :t + 4])\n\
             on conflict (number) do update set version = people.version + 1, updated = now(), first_name = excluded.first_name,\n\
             last_name = excluded.last_name, city = excluded.city, score = excluded.score, tags = excluded.tags;\n",
            records - 1,
        );
        self.bench("upsert", &script, &["-c", "16", "-R", &rate.to_string()], lasting)
    }

    fn bench(
        &self,
        name: &str,
        script: &str,
        options: &[&str],
        lasting: Duration,
    ) -> Result<Bench, LoadError> {
        let directory = tempfile::Builder::new().prefix(name).tempdir_in(self.directory.path());
        let directory = directory.map_err(LoadError::io("a directory"))?;
        let path = directory.path().join("script.sql");
        fs::write(&path, script).map_err(LoadError::io("a script"))?;
        let mut pgbench = Command::new(self.programs.join("pgbench"));
        pgbench.args(["-n", "-U", ACCOUNT, "-h"]).arg(self.directory.path()).args(options);
        pgbench.arg("-T").arg(lasting.as_secs().max(1).to_string()).arg("-l");
        pgbench.arg("--log-prefix").arg(directory.path().join("log")).arg("-f").arg(&path);
        pgbench.arg(ACCOUNT).stdout(Stdio::null()).stderr(Stdio::piped());
        let child = pgbench.spawn().map_err(LoadError::io("pgbench"))?;
        Ok(Bench { command: pgbench, child, directory })
    }

    fn ask(&self, statements: &str) -> Result<String, LoadError> {
        let mut psql = self.client("psql");
        let output =
            psql.args(["-q", "-t", "-A", "-v", "ON_ERROR_STOP=1", "-c", statements]).output();
        let output = output.map_err(LoadError::io("psql"))?;
        check(&psql, &output)?;
        Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    }

    fn client(&self, program: &str) -> Command {
        let mut command = Command::new(self.programs.join(program));
        command.args(["-U", ACCOUNT, "-h"]).arg(self.directory.path());
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// A program that must run as the account.
    fn command(&self, program: &str) -> Command {
        let path = self.programs.join(program);
        if !is_root() {
            return Command::new(path);
        }
        let mut command = Command::new("runuser");
        command.args(["-u", ACCOUNT, "--"]).arg(path);
        command
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        let data = self.directory.path().join("data");
        let mut stop = self.command("pg_ctl");
        let stop =
            stop.args(["-w", "-m", "immediate", "-D"]).arg(data).arg("stop").stdout(Stdio::null());
        if let Err(error) = run(stop) {
            eprintln!("load: {error}");
        }
    }
}

/// A run of pgbench.
pub(crate) struct Bench {
    command: Command,
    child: Child,
    directory: TempDir,
}

impl Bench {
    /// Waits for its end and reads what it has written: one transaction a line, in microseconds,
    /// from when it was due.
    pub(crate) fn finish(self) -> Result<Latencies, LoadError> {
        let output = self.child.wait_with_output().map_err(LoadError::io("pgbench"))?;
        check(&self.command, &output)?;
        let mut latencies = Vec::new();
        for entry in fs::read_dir(self.directory.path()).map_err(LoadError::io("a directory"))? {
            let path = entry.map_err(LoadError::io("a directory"))?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            if name.starts_with("log") {
                let text = fs::read_to_string(&path).map_err(LoadError::io("a log"))?;
                let third = |line: &str| line.split(' ').nth(2)?.parse::<f64>().ok();
                latencies.extend(text.lines().filter_map(third).map(|micros| micros / 1e3));
            }
        }
        latencies.sort_by(f64::total_cmp);
        Ok(Latencies(latencies))
    }
}

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

fn run(command: &mut Command) -> Result<(), LoadError> {
    let name = command.get_program().display().to_string();
    let output = command.stderr(Stdio::piped()).output().map_err(LoadError::io(name))?;
    check(command, &output)
}

fn check(command: &Command, output: &Output) -> Result<(), LoadError> {
    if output.status.success() {
        return Ok(());
    }
    Err(LoadError::Program {
        program: command.get_program().display().to_string(),
        status: output.status.to_string(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    })
}
