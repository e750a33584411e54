// SPDX-License-Identifier: GPL-2.0

//! Chains of rules at netfilter hooks.

use crate::generated::{
    CHAIN_ADD, CHAIN_DEL, CHAIN_GET, CHAIN_SET, RULE_ADD, RULE_DEL, RULE_GET, RULE_REPLACE,
    RULE_RESET, VALUES_CHAIN_FAMILY, VALUES_CHAIN_POLICY, VALUES_HOOK,
};
use crate::link::{Error, Link};
use crate::spec::{self, Command, Object, Value as Named};
use crate::{devices, print_json, rule, table};
use clap::{Arg, ArgAction, ArgMatches, Command as Cli};
use serde_json::json;
use std::io::{self, Write};

/// Standard priorities, as nftables calls them.
const PRIORITIES: [(&str, i32); 6] = [
    ("raw", -300),
    ("mangle", -150),
    ("dstnat", -100),
    ("filter", 0),
    ("security", 50),
    ("srcnat", 100),
];

fn names(values: &'static [Named]) -> Vec<&'static str> {
    values.iter().map(|v| v.name).collect()
}

fn name() -> Arg {
    Arg::new("chain")
        .value_name("CHAIN")
        .required(true)
        .help("Name of the chain")
}

fn some_name() -> Arg {
    name().required(false)
}

fn handle() -> Arg {
    Arg::new("handle")
        .value_name("HANDLE")
        .value_parser(clap::value_parser!(u32))
        .help("The rule, by the number that 'rule show' prints first")
}

fn words() -> Arg {
    Arg::new("words")
        .value_name("RULE")
        .num_args(1..)
        .required(true)
        .trailing_var_arg(true)
        .allow_hyphen_values(true)
        .help("The rule: matches, which of those that match, an action; see below")
}

fn option(name: &'static str, value: &'static str, help: &'static str) -> Arg {
    Arg::new(name).long(name).value_name(value).help(help)
}

/// The command `chain`.
pub fn chain_cli() -> Cli {
    Cli::new("chain")
        .about("Show and change chains of rules at netfilter hooks")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand(Cli::new("show").about("Show chains").arg(some_name()))
        .subcommand(
            Cli::new("add")
                .about(CHAIN_ADD.help)
                .arg(name())
                .arg(
                    Arg::new("hook")
                        .value_name("HOOK")
                        .required(true)
                        .value_parser(names(VALUES_HOOK))
                        .help("Where"),
                )
                .arg(option(
                    "dev",
                    "DEVICE",
                    "The device, for ingress and egress",
                ))
                .arg(
                    Arg::new("any-device")
                        .long("any-device")
                        .action(ArgAction::SetTrue)
                        .conflicts_with("dev")
                        .help("Ingress or egress of all devices, and of those that come"),
                )
                .arg(
                    option("family", "FAMILY", "Which packets")
                        .value_parser(names(VALUES_CHAIN_FAMILY)),
                )
                .arg(
                    option(
                        "priority",
                        "PRIORITY",
                        "A number, or raw, mangle, dstnat, filter, security, srcnat",
                    )
                    .allow_hyphen_values(true)
                    .default_value("filter"),
                )
                .arg(
                    option("policy", "POLICY", "What no rule decides on")
                        .value_parser(names(VALUES_CHAIN_POLICY)),
                ),
        )
        .subcommand(
            Cli::new("set").about(CHAIN_SET.help).arg(name()).arg(
                option("policy", "POLICY", "What no rule decides on")
                    .required(true)
                    .value_parser(names(VALUES_CHAIN_POLICY)),
            ),
        )
        .subcommand(Cli::new("del").about(CHAIN_DEL.help).arg(name()))
}

/// The command `rule`.
pub fn rule_cli() -> Cli {
    Cli::new("rule")
        .about("Show and change rules")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand(
            Cli::new("show")
                .about("Show rules, and what they have counted")
                .arg(some_name()),
        )
        .subcommand(
            Cli::new("add")
                .about(RULE_ADD.help)
                .after_help(rule::HELP)
                .arg(option(
                    "position",
                    "N",
                    "So many rules come before it; without this and --before it comes last",
                ))
                .arg(option(
                    "before",
                    "HANDLE",
                    "The rule it comes before, by its handle",
                ))
                .arg(name())
                .arg(words()),
        )
        .subcommand(
            Cli::new("replace")
                .about(RULE_REPLACE.help)
                .after_help(rule::HELP)
                .arg(name())
                .arg(handle().required(true))
                .arg(words()),
        )
        .subcommand(
            Cli::new("del")
                .about(RULE_DEL.help)
                .arg(name())
                .arg(handle()),
        )
        .subcommand(
            Cli::new("reset")
                .about(RULE_RESET.help)
                .arg(name())
                .arg(handle()),
        )
}

/// Sends a request whose attributes stand in an object.
fn send(link: &mut Link, command: &Command, request: &Object) -> Result<Vec<Object>, Error> {
    let mut attributes = vec![];
    for (name, value) in request {
        let found = command.space.named(name);
        let found = found.ok_or_else(|| Error::Refused(format!("{}: no {name}", command.name)))?;
        attributes.extend(spec::from_json(found, value).map_err(Error::Refused)?);
    }
    link.request(command, attributes)
}

fn text<'a>(matches: &'a ArgMatches, name: &str) -> Option<&'a String> {
    matches.try_get_one::<String>(name).ok().flatten()
}

/// A request about a chain, which is called so in the request.
fn about(matches: &ArgMatches, key: &str) -> Object {
    let mut request = Object::new();
    if let Some(chain) = text(matches, "chain") {
        request.insert(key.into(), json!(chain));
    }
    if let Some(handle) = matches.try_get_one::<u32>("handle").ok().flatten() {
        request.insert("handle".into(), json!(handle));
    }
    request
}

/// Does what `chain` says.
pub fn chain(link: &mut Link, json: bool, matches: &ArgMatches) -> Result<(), Error> {
    match matches.subcommand() {
        Some(("add", matches)) => {
            let mut request = about(matches, "name");
            for name in ["hook", "family", "policy"] {
                if let Some(value) = text(matches, name) {
                    request.insert(name.into(), json!(value));
                }
            }
            if let Some(dev) = text(matches, "dev") {
                request.insert("ifindex".into(), json!(devices::number(dev)?));
            }
            if matches.get_flag("any-device") {
                request.insert("any-device".into(), json!(true));
            }
            if let Some(word) = text(matches, "priority") {
                let known = PRIORITIES.iter().find(|(name, _)| name == word);
                let number = known.map(|(_, n)| *n).or_else(|| word.parse().ok());
                let number =
                    number.ok_or_else(|| Error::Refused(format!("'{word}' is no priority")))?;
                request.insert("priority".into(), json!(number));
            }
            send(link, &CHAIN_ADD, &request)?;
        }
        Some(("set", matches)) => {
            let mut request = about(matches, "name");
            request.insert("policy".into(), json!(text(matches, "policy")));
            send(link, &CHAIN_SET, &request)?;
        }
        Some(("del", matches)) => {
            send(link, &CHAIN_DEL, &about(matches, "name"))?;
        }
        Some((_, matches)) => {
            let rows = match text(matches, "chain") {
                Some(_) => send(link, &CHAIN_GET, &about(matches, "name"))?,
                None => link.dump(&CHAIN_GET, &[])?,
            };
            match json {
                true => print_json(rows)?,
                false => table::print(&mut io::stdout().lock(), CHAIN_GET.space, &rows)?,
            }
        }
        None => (),
    }
    Ok(())
}

/// Prints rules, those of a chain below each other.
fn print_rules(rows: &[Object]) -> io::Result<()> {
    let mut out = io::stdout().lock();
    let mut last = String::new();
    for row in rows {
        let chain = row.get("chain").map_or("?".into(), table::text);
        if chain != last {
            writeln!(out, "{chain}")?;
            last = chain;
        }
        let number = |name| spec::number(row, name);
        writeln!(
            out,
            "{:6}  {}  # packets {} bytes {} acted {}",
            number("handle"),
            rule::write(row),
            number("packets"),
            number("bytes"),
            number("acted")
        )?;
    }
    Ok(())
}

/// Does what `rule` says.
pub fn rule(link: &mut Link, json: bool, matches: &ArgMatches) -> Result<(), Error> {
    let written = |matches: &ArgMatches| {
        let words: Vec<String> = matches
            .get_many("words")
            .into_iter()
            .flatten()
            .cloned()
            .collect();
        let mut request = about(matches, "chain");
        request.extend(rule::read(&words)?);
        Ok::<_, Error>(request)
    };
    match matches.subcommand() {
        Some(("add", matches)) => {
            let mut request = written(matches)?;
            for name in ["position", "before"] {
                if let Some(value) = text(matches, name) {
                    request.insert(name.into(), json!(value));
                }
            }
            let rows = send(link, &RULE_ADD, &request)?;
            match (json, rows.first()) {
                (true, _) => print_json(rows)?,
                (false, Some(row)) => {
                    writeln!(io::stdout().lock(), "{}", spec::number(row, "handle"))?;
                }
                (false, None) => (),
            }
        }
        Some(("replace", matches)) => {
            send(link, &RULE_REPLACE, &written(matches)?)?;
        }
        Some(("del", matches)) => {
            send(link, &RULE_DEL, &about(matches, "chain"))?;
        }
        Some(("reset", matches)) => {
            send(link, &RULE_RESET, &about(matches, "chain"))?;
        }
        Some((_, matches)) => {
            let mut filter = vec![];
            if let (Some(chain), Some(found)) =
                (text(matches, "chain"), RULE_GET.space.named("chain"))
            {
                filter.push(spec::attribute(found, chain).map_err(Error::Refused)?);
            }
            let rows = link.dump(&RULE_GET, &filter)?;
            match json {
                true => print_json(rows)?,
                false => print_rules(&rows)?,
            }
        }
        None => (),
    }
    Ok(())
}
