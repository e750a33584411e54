// SPDX-License-Identifier: GPL-2.0

//! `ferronic monitor`: joins a multicast group, tells what there is, then what happens.

mod hooks;
mod packets;
mod ports;

use crate::generated::NOTIFICATIONS;
use crate::link::{Error, Link};
use crate::spec::{self, Object};
use clap::error::ErrorKind;
use clap::{Arg, ArgMatches, Command as Cli};
use serde_json::json;
use std::io::{self, Write};

/// What there is to be watched: the words for it.
const WHAT: [&str; 3] = ["ports", "hooks", "packets"];

/// The command.
pub fn cli() -> Cli {
    Cli::new("monitor")
        .about("Show the ports, or the chains and their rules, then every change; or packets that rules act on")
        .arg(
            Arg::new("what")
                .value_name("WHAT")
                .value_parser(WHAT)
                .default_value(WHAT[0])
                .help(
                    "What to watch; hooks are chains and their rules, packets those of rules with 'tell' or \
                     'sample'",
                ),
        )
        .arg(
            Arg::new("pcapng")
                .long("pcapng")
                .value_name("FILE")
                .help("Write the packets to this file too, for Wireshark"),
        )
        .arg(
            Arg::new("count")
                .long("count")
                .value_name("N")
                .value_parser(clap::value_parser!(u64))
                .help("End after so many changes, or packets; what there is at the beginning is not counted"),
        )
}

/// Something to be watched.
trait Watched {
    /// The multicast group that tells of it.
    const GROUP: &'static str;

    /// What is said where messages were lost.
    const LOST: &'static str;

    /// Tells what there is, and returns the generation it is of.
    fn begin(&mut self, link: &mut Link) -> Result<u64, Error>;

    /// Tells of a notification.
    fn tell(&mut self, event: &str, object: Object) -> Result<(), Error>;
}

/// Tells what there is; once more if notifications were lost meanwhile.
fn begin<W: Watched>(link: &mut Link, watched: &mut W) -> Result<u64, Error> {
    loop {
        match watched.begin(link) {
            Err(Error::Lost) => link.drain()?,
            done => return done,
        }
    }
}

/// Watches until `count` notifications have come, or for ever.
fn watch<W: Watched>(link: &mut Link, mut left: Option<u64>, mut watched: W) -> Result<(), Error> {
    link.subscribe(W::GROUP)?;
    let mut generation = begin(link, &mut watched)?;
    eprintln!("ferronic: listening");
    while left != Some(0) {
        let event = match link.event() {
            Ok(event) => event,
            Err(Error::Lost) => {
                eprintln!("ferronic: {}", W::LOST);
                link.drain()?;
                generation = begin(link, &mut watched)?;
                continue;
            }
            Err(error) => return Err(error),
        };
        let kind = NOTIFICATIONS
            .iter()
            .find(|(command, ..)| *command == event.command);
        let Some((_, name, space)) = kind else {
            continue;
        };
        let object = event.object(space);
        // What there was had it already. Packets have no generation.
        if object.contains_key("generation") && spec::number(&object, "generation") <= generation {
            continue;
        }
        watched.tell(name.trim_end_matches("-ntf"), object)?;
        left = left.map(|n| n - 1);
    }
    Ok(())
}

/// Prints what has happened: the line, or JSON, as the kernel's own client does.
fn print(
    json: bool,
    event: &str,
    object: &Object,
    line: impl FnOnce() -> String,
) -> io::Result<()> {
    let mut out = io::stdout().lock();
    match json {
        true => writeln!(out, "{}", json!({ "name": event, "msg": object }))?,
        false => writeln!(out, "{}", line())?,
    }
    out.flush()
}

fn what(matches: &ArgMatches) -> Option<&str> {
    matches.get_one::<String>("what").map(String::as_str)
}

/// Ends with the usage if the words don't go together.
pub fn check(matches: &ArgMatches) {
    if matches.contains_id("pcapng") && what(matches) != Some("packets") {
        let wrong = "--pcapng takes packets: ferronic monitor packets --pcapng FILE";
        crate::misused(ErrorKind::ArgumentConflict, wrong.into());
    }
}

/// Watches what the words say.
pub fn run(link: &mut Link, json: bool, matches: &ArgMatches) -> Result<(), Error> {
    let count = matches.get_one("count").copied();
    let path = matches.get_one::<String>("pcapng");
    match what(matches) {
        Some("hooks") => watch(link, count, hooks::Hooks::new(json)),
        Some("packets") => watch(link, count, packets::Packets::new(json, path)?),
        _ => watch(link, count, ports::Ports::new(json)),
    }
}
