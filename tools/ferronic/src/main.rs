// SPDX-License-Identifier: GPL-2.0

//! ferronic: shows and sets what `ip` and `ethtool` cannot say of ferronic NICs.
//!
//! What there is to be shown and set stands in the netlink specification, which [`generated`] is made from.

mod apply;
mod devices;
mod generated;
mod hooks;
mod latency;
mod link;
mod man;
mod rule;
mod spec;
mod table;
mod watch;

use clap::builder::{PossibleValue, StringValueParser, TypedValueParser};
use clap::error::ErrorKind;
use clap::{Arg, ArgAction, ArgGroup, ArgMatches, Command as Cli};
use clap_complete::Shell;
use generated::{CHANNEL_GET, PORT_GET, PORT_SET, STAGE_GET, STATS_RESET, WIRE_GET, WIRE_SET};
use link::{Error, Link};
use serde_json::Value;
use spec::{attribute, Attribute, Command, Kind, Object};
use std::ffi::OsStr;
use std::io::{self, Write};
use std::process::ExitCode;

/// What `show` can show.
const SHOWN: [&Command; 3] = [&PORT_GET, &WIRE_GET, &CHANNEL_GET];

/// What `set` can set, and the attribute that says of what.
const SETTERS: [(&Command, &str); 2] = [(&PORT_SET, "ifindex"), (&WIRE_SET, "id")];

/// The attributes that `set` can set.
fn settable() -> impl Iterator<Item = &'static Attribute> {
    SETTERS.iter().flat_map(|(command, key)| {
        let names = command.request.iter().filter(move |n| *n != key);
        names.filter_map(|name| command.space.named(name))
    })
}

fn noun(command: &Command) -> &'static str {
    command.name.trim_end_matches("-get")
}

/// What stands behind `show`: something that it can show, or a port.
#[derive(Clone)]
struct Noun;

impl TypedValueParser for Noun {
    type Value = String;

    fn parse_ref(&self, cli: &Cli, arg: Option<&Arg>, word: &OsStr) -> Result<String, clap::Error> {
        StringValueParser::new().parse_ref(cli, arg, word)
    }

    /// For completions and the help.
    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        Some(Box::new(SHOWN.iter().map(|c| PossibleValue::new(noun(c)))))
    }
}

/// Ends with the usage of the command.
pub(crate) fn misused(kind: ErrorKind, words: String) -> ! {
    cli().error(kind, words).exit()
}

pub(crate) fn cli() -> Cli {
    let port = || {
        Arg::new("port")
            .value_name("PORT")
            .help("Name or number of a port")
    };
    let mut set = Cli::new("set")
        .about("Change a port, or the wire it is at. What is not given stays as it is")
        .arg(port().required(true))
        .group(
            ArgGroup::new("change")
                .args(settable().map(|a| a.name))
                .required(true)
                .multiple(true),
        )
        .arg_required_else_help(true);
    for found in settable() {
        let mut arg = Arg::new(found.name)
            .long(found.name)
            .help(found.help)
            .value_name("VALUE");
        if let Kind::Enum(values) = found.kind {
            let names: Vec<_> = values.iter().map(|v| v.name).collect();
            arg = arg.value_parser(names);
        }
        set = set.arg(arg);
    }
    Cli::new("ferronic")
        .version(clap::crate_version!())
        .about("Shows and sets what ip and ethtool cannot say of ferronic NICs")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .arg(
            Arg::new("json")
                .long("json")
                .short('j')
                .global(true)
                .action(ArgAction::SetTrue)
                .help("Print JSON, for programs, where something is shown"),
        )
        .subcommand(
            Cli::new("show")
                .about("Show ports, wires or channels")
                .arg(
                    Arg::new("object")
                        .value_name("OBJECT")
                        .value_parser(Noun)
                        .default_value(noun(SHOWN[0]))
                        .help("What to show; or a port, which is then shown itself"),
                )
                .arg(port()),
        )
        .subcommand(
            Cli::new("stats")
                .about("Show what each stage of a frame's way has counted")
                .arg(port())
                .arg(
                    Arg::new("reset")
                        .long("reset")
                        .requires("port")
                        .action(ArgAction::SetTrue)
                        .help(STATS_RESET.help),
                ),
        )
        .subcommand(latency::cli())
        .subcommand(set)
        .subcommand(apply::cli())
        .subcommand(hooks::chain_cli())
        .subcommand(hooks::rule_cli())
        .subcommand(watch::cli())
        .subcommand(
            Cli::new("completion")
                .about("Print a completion script for a shell")
                .arg(
                    Arg::new("shell")
                        .required(true)
                        .value_parser(clap::value_parser!(Shell)),
                ),
        )
        .subcommand(Cli::new("man").about("Print the manual page"))
}

pub(crate) fn is_number(word: &str) -> bool {
    word.bytes().all(|b| b.is_ascii_digit())
}

/// The number of the port that is called so.
pub(crate) fn port_named(ports: &[Object], name: &str) -> Result<u64, Error> {
    let found = ports
        .iter()
        .find(|p| p.get("name").and_then(Value::as_str) == Some(name));
    found
        .map(|p| spec::number(p, "ifindex"))
        .ok_or_else(|| Error::Refused(format!("there is no port '{name}' in this namespace")))
}

/// The number of the port that a user names.
pub(crate) fn resolve(link: &mut Link, port: &str) -> Result<String, Error> {
    if is_number(port) {
        return Ok(port.into());
    }
    let ports = link.dump(&PORT_GET, &[])?;
    Ok(port_named(&ports, port)?.to_string())
}

/// Asks for all objects, or for those of one port.
fn get(link: &mut Link, command: &Command, port: Option<&String>) -> Result<Vec<Object>, Error> {
    let Some(port) = port else {
        return link.dump(command, &[]);
    };
    let index = resolve(link, port)?;
    if command.name == WIRE_GET.name {
        let id = wire_of(link, &index)?;
        return one(link, command, "id", &id);
    }
    match command.dump {
        Some(names) if names.contains(&"ifindex") => {
            let ifindex = argument(command, "ifindex", &index)?;
            link.dump(command, &[ifindex])
        }
        _ => one(link, command, "ifindex", &index),
    }
}

pub(crate) fn argument(
    command: &Command,
    name: &str,
    value: &str,
) -> Result<netlink_packet_core::DefaultNla, Error> {
    let found = command.space.named(name);
    let found = found.ok_or_else(|| Error::Refused(format!("{}: no {name}", command.name)))?;
    attribute(found, value).map_err(Error::Refused)
}

fn one(link: &mut Link, command: &Command, name: &str, value: &str) -> Result<Vec<Object>, Error> {
    let key = argument(command, name, value)?;
    link.request(command, vec![key])
}

pub(crate) fn print_json(rows: Vec<Object>) -> io::Result<()> {
    let rows = Value::Array(rows.into_iter().map(Value::Object).collect());
    writeln!(io::stdout().lock(), "{rows:#}")
}

/// What `show` is to show, and of which port.
fn wanted(matches: &ArgMatches) -> (&'static Command, Option<&String>) {
    let (word, port) = (matches.get_one::<String>("object"), matches.get_one("port"));
    let named = SHOWN.iter().find(|c| word.is_some_and(|w| noun(c) == w));
    match (named, word, port) {
        (Some(command), ..) => (command, port),
        (None, _, None) => (SHOWN[0], word),
        (None, _, Some(_)) => {
            let nouns: Vec<_> = SHOWN.iter().map(|c| noun(c)).collect();
            let nouns = nouns.join(", ");
            misused(
                ErrorKind::InvalidValue,
                format!("before a port: one of {nouns}"),
            )
        }
    }
}

fn show(
    link: &mut Link,
    json: bool,
    (command, port): (&Command, Option<&String>),
) -> Result<(), Error> {
    let rows = get(link, command, port)?;
    match json {
        true => print_json(rows)?,
        false => table::print(&mut io::stdout().lock(), command.space, &rows)?,
    }
    Ok(())
}

fn stats(link: &mut Link, json: bool, matches: &ArgMatches) -> Result<(), Error> {
    let port = matches.get_one::<String>("port");
    if let (true, Some(port)) = (matches.get_flag("reset"), port) {
        let index = resolve(link, port)?;
        one(link, &STATS_RESET, "ifindex", &index)?;
        return Ok(());
    }
    let rows = get(link, &STAGE_GET, port)?;
    if json {
        return Ok(print_json(rows)?);
    }
    let ports = link.dump(&PORT_GET, &[])?;
    let name = |row: &Object| {
        let port = ports
            .iter()
            .find(|p| p.get("ifindex") == row.get("ifindex"));
        port.and_then(|p| p.get("name"))
            .map_or("?".into(), table::text)
    };
    let out = &mut io::stdout().lock();
    Ok(table::print_counters(
        out,
        &rows,
        &["direction", "stage"],
        name,
    )?)
}

/// The number of the wire that a port is at.
fn wire_of(link: &mut Link, index: &str) -> Result<String, Error> {
    let port = one(link, &PORT_GET, "ifindex", index)?;
    let id = port.first().and_then(|p| p.get("wire")).map(table::text);
    id.ok_or_else(|| Error::Refused(format!("port {index} is at no wire")))
}

fn set(link: &mut Link, matches: &ArgMatches) -> Result<(), Error> {
    let port = matches.get_one::<String>("port").map_or("", String::as_str);
    let index = resolve(link, port)?;
    let mut requests = vec![];
    for (command, key) in SETTERS {
        let mut attributes = vec![];
        for name in command.request.iter().filter(|n| **n != key) {
            if let Some(value) = matches.get_one::<String>(name) {
                attributes.push(argument(command, name, value)?);
            }
        }
        if attributes.is_empty() {
            continue;
        }
        let value = match command.name == WIRE_SET.name {
            true => wire_of(link, &index)?,
            false => index.clone(),
        };
        attributes.insert(0, argument(command, key, &value)?);
        requests.push((command, attributes));
    }
    if requests.len() > 1 {
        return apply::together(link, requests);
    }
    for (command, attributes) in requests {
        link.request(command, attributes)?;
    }
    Ok(())
}

fn run(matches: &ArgMatches) -> Result<(), Error> {
    match matches.subcommand() {
        Some(("completion", matches)) => {
            if let Some(shell) = matches.get_one::<Shell>("shell") {
                let mut script = vec![];
                clap_complete::generate(*shell, &mut cli(), "ferronic", &mut script);
                io::stdout().write_all(&script)?;
            }
            return Ok(());
        }
        Some(("man", _)) => return Ok(man::write(cli(), &mut io::stdout().lock())?),
        _ => (),
    }
    let json = matches.get_flag("json");
    // What the command line says is looked at first.
    let to_show = matches.subcommand_matches("show").map(wanted);
    if let Some(matches) = matches.subcommand_matches("monitor") {
        watch::check(matches);
    }
    let mut link = Link::open()?;
    if let Some(to_show) = to_show {
        return show(&mut link, json, to_show);
    }
    match matches.subcommand() {
        Some(("stats", matches)) => stats(&mut link, json, matches),
        Some(("latency", matches)) => latency::run(&mut link, json, matches),
        Some(("set", matches)) => set(&mut link, matches),
        Some(("apply", matches)) => apply::run(&mut link, matches),
        Some(("chain", matches)) => hooks::chain(&mut link, json, matches),
        Some(("rule", matches)) => hooks::rule(&mut link, json, matches),
        Some(("monitor", matches)) => watch::run(&mut link, json, matches),
        _ => Ok(()),
    }
}

fn main() -> ExitCode {
    match run(&cli().get_matches()) {
        Ok(()) => ExitCode::SUCCESS,
        // Whoever reads has seen enough.
        Err(Error::Io(error)) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("ferronic: {error}");
            ExitCode::FAILURE
        }
    }
}
