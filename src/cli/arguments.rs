//! The command line: commands, flags, help.
//!
//! The flags of settings are made from the table of settings. It must not know what a value means.

use crate::cli::client::arguments::Output;
use crate::cli::client::export::{self, ExportArguments};
use crate::cli::client::import::{self, FileArguments, ImportArguments};
use crate::cli::client::singer::{Protocol, TargetArguments};
use crate::cli::client::tail::{self, TailArguments};
use crate::config::setting::{Offer, SETTINGS, Setting};
use clap::{Arg, ArgMatches, Args, Command as ClapCommand, FromArgMatches, Parser, Subcommand};
use std::path::PathBuf;

const EXAMPLES: &str = "\
Examples:
  upsertd                                    serve with the data in ./snapshots
  upsertd --listen 127.0.0.1:0               on any free port
  UPSERTD_DATA_DIR=/var/lib/upsertd upsertd  settings may be variables
  upsertd --config upsertd.toml              or stand in a file
  upsertd restore backup.snap --data-dir new a new data directory of one snapshot
  upsertd tail accounts --follow             what changes, as NDJSON
  upsertd import accounts accounts.csv       write a file
  tap-x | upsertd target singer              write what a Singer tap reads

A setting has one name in three spellings, weakest first: data-dir in the file,
UPSERTD_DATA_DIR in the environment, --data-dir.";

/// An in-memory, durable HTTP server for records with a race-free upsert.
#[derive(Debug, Parser)]
#[command(name = "upsertd", version, after_help = EXAMPLES, args_conflicts_with_subcommands = true)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
    #[command(flatten)]
    pub(crate) serve: ServeArguments,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Serve; also what `upsertd` alone does
    #[command(after_help = EXAMPLES)]
    Serve(ServeArguments),
    /// Make a new data directory of one snapshot file alone
    Restore(RestoreArguments),
    /// What has changed, and what changes, as NDJSON
    #[command(after_long_help = tail::EXAMPLES)]
    Tail(Box<TailArguments>),
    /// Every record of an object as of one instant, as NDJSON or CSV
    #[command(after_long_help = export::EXAMPLES)]
    Export(Box<ExportArguments>),
    /// Write the rows of a file, each an upsert
    #[command(after_long_help = import::IMPORT_EXAMPLES)]
    Import(Box<ImportArguments>),
    /// What importing a file would change; nothing is written
    #[command(after_long_help = import::DIFF_EXAMPLES)]
    Diff(Box<FileArguments>),
    /// Be the end of a pipe that another tool writes to
    Target(TargetArguments),
}

impl Arguments {
    /// How a failure is said.
    pub(crate) fn output(&self) -> Output {
        match &self.command {
            Some(Command::Tail(tail)) => tail.server.output,
            Some(Command::Export(export)) => export.server.output,
            Some(Command::Import(import)) => import.file.server.output,
            Some(Command::Diff(diff)) => diff.server.output,
            Some(Command::Target(TargetArguments { protocol: Protocol::Singer(singer) })) => {
                singer.server.output
            }
            None | Some(Command::Serve(_) | Command::Restore(_)) => Output::Text,
        }
    }
}

/// The settings that were given as flags.
#[derive(Debug, Default)]
pub(crate) struct ServeArguments {
    pub(crate) config: Option<PathBuf>,
    pub(crate) settings: Vec<(&'static str, String)>,
}

#[derive(Args, Debug)]
pub(crate) struct RestoreArguments {
    /// The snapshot file
    pub(crate) snapshot: PathBuf,
    /// The directory to make; it must not exist or be empty
    #[arg(long, alias = "data_dir", value_name = "NEW")]
    pub(crate) data_dir: PathBuf,
}

impl Args for ServeArguments {
    fn augment_args(command: ClapCommand) -> ClapCommand {
        let config = Arg::new("config")
            .long("config")
            .value_name("FILE")
            .value_parser(clap::value_parser!(PathBuf))
            .help("Settings file, TOML [env: UPSERTD_CONFIG]");
        command.arg(config).args(SETTINGS.iter().map(flag))
    }

    fn augment_args_for_update(command: ClapCommand) -> ClapCommand {
        Self::augment_args(command)
    }
}

fn flag(setting: &'static Setting) -> Arg {
    let default = setting.default.map(|default| format!(" [default: {default}]"));
    let help = format!("{}{}", setting.help, default.unwrap_or_default());
    Arg::new(setting.name)
        .long(setting.name)
        .alias(setting.name.replace('-', "_"))
        .value_name(setting.value)
        .hide(setting.offer == Offer::Later)
        .help(help)
}

impl FromArgMatches for ServeArguments {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let mut arguments = Self::default();
        arguments.update_from_arg_matches(matches)?;
        Ok(arguments)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        self.config = matches.get_one::<PathBuf>("config").cloned();
        let given = |setting: &Setting| matches.get_one::<String>(setting.name).cloned();
        self.settings = SETTINGS
            .iter()
            .filter_map(|setting| given(setting).map(|text| (setting.name, text)))
            .collect();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;
    use clap::error::ErrorKind;

    fn parse(arguments: &[&str]) -> Result<Arguments, clap::Error> {
        Arguments::try_parse_from(std::iter::once(&"upsertd").chain(arguments))
    }

    fn check(arguments: &[&str], settings: &[(&'static str, &str)]) {
        let parsed = parse(arguments).unwrap();
        let serve = match parsed.command {
            Some(Command::Serve(serve)) => serve,
            Some(_) => panic!("serve was meant"),
            None => parsed.serve,
        };
        let given: Vec<_> = serve.settings.iter().map(|(name, text)| (*name, &**text)).collect();
        assert_eq!(given, settings, "{arguments:?}");
    }

    fn refused(arguments: &[&str], kind: ErrorKind) {
        let error = parse(arguments).unwrap_err();
        assert_eq!((error.kind(), error.exit_code()), (kind, 2), "{arguments:?}");
    }

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn no_command_means_serve_and_both_spellings_of_a_flag_are_one() {
        check(&[], &[]);
        check(&["serve"], &[]);
        for arguments in [["--data-dir", "d"], ["--data_dir", "d"]] {
            check(&arguments, &[("data-dir", "d")]);
            check(&["serve", arguments[0], arguments[1]], &[("data-dir", "d")]);
        }
        check(&["--data-dir=d", "--listen", "x"], &[("data-dir", "d"), ("listen", "x")]);
        // It is known, so that it is refused as a setting and not as a slip.
        check(&["--tls-cert", "x"], &[("tls-cert", "x")]);
    }

    #[test]
    fn wrong_usage_is_refused_with_two() {
        refused(&["--data-dirs", "d"], ErrorKind::UnknownArgument);
        refused(&["serv"], ErrorKind::InvalidSubcommand);
        refused(&["--listen", "a", "--listen", "b"], ErrorKind::ArgumentConflict);
        refused(&["restore", "file"], ErrorKind::MissingRequiredArgument);
        refused(&["restore", "--data-dir", "new"], ErrorKind::MissingRequiredArgument);
    }

    #[test]
    fn help_shows_what_is_offered_its_defaults_and_examples() {
        let help = parse(&["--help"]).unwrap_err().to_string();
        for part in ["--data-dir <DIR>", "[default: snapshots]", "Examples:", "restore"] {
            assert!(help.contains(part), "{part} is missing in\n{help}");
        }
        assert!(!help.contains("--tls-cert"), "{help}");
    }

    #[test]
    fn restore_takes_a_file_and_a_directory() {
        let parsed = parse(&["restore", "file", "--data_dir", "new"]).unwrap();
        let Some(Command::Restore(restore)) = parsed.command else { panic!("restore was meant") };
        assert_eq!((restore.snapshot, restore.data_dir), ("file".into(), "new".into()));
    }
}
