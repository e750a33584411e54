// SPDX-License-Identifier: GPL-2.0

//! Changes that are made together: a transaction.

use crate::generated::{
    PORT_GET, TRANSACTION_ABORT, TRANSACTION_ADD, TRANSACTION_BEGIN, TRANSACTION_COMMIT,
};
use crate::link::{reason, Error, Link};
use crate::spec::{self, Command, Object};
use clap::{Arg, ArgMatches, Command as Cli};
use netlink_packet_core::{DefaultNla, Emitable, NLA_F_NESTED};
use serde_json::Value;
use std::fs;
use std::io::{self, Read};

/// Bytes of attributes in one message; more go into the next.
const CHUNK: usize = 16384;

/// The command.
pub fn cli() -> Cli {
    let kinds = TRANSACTION_ADD.request.join(", ");
    Cli::new("apply")
        .about("Make changes together: all of them, or none")
        .long_about(format!(
            "Make changes together: all of them, or none. They are read as JSON: an object with a list of changes \
             for each of {kinds}, by the names of the specification. Where it wants the number of a port, its name \
             will do. Example: {{\"port\": [{{\"ifindex\": \"fe0\", \"pause-limit\": 20}}]}}"
        ))
        .arg(
            Arg::new("file")
                .value_name("FILE")
                .default_value("-")
                .help("Where the changes are; - is standard input"),
        )
        .arg(
            Arg::new("generation")
                .long("generation")
                .value_name("N")
                .help("Only if the namespace is still of that generation"),
        )
}

fn refused(text: impl Into<String>) -> Error {
    Error::Refused(text.into())
}

/// Sends changes as a transaction, in as many messages as it takes.
fn send(link: &mut Link, changes: Vec<DefaultNla>, generation: Option<&str>) -> Result<(), Error> {
    link.request(&TRANSACTION_BEGIN, vec![])?;
    let mut chunk = vec![];
    let mut size = 0;
    let add = |link: &mut Link, chunk: Vec<DefaultNla>| {
        let added = link.request(&TRANSACTION_ADD, chunk);
        if added.is_err() {
            let _ = link.request(&TRANSACTION_ABORT, vec![]);
        }
        added
    };
    for change in changes {
        size += change.buffer_len();
        if size > CHUNK && !chunk.is_empty() {
            size = change.buffer_len();
            add(link, std::mem::take(&mut chunk))?;
        }
        chunk.push(change);
    }
    add(link, chunk)?;
    let mut last = vec![];
    if let (Some(text), Some(named)) = (generation, TRANSACTION_COMMIT.space.named("generation")) {
        last.push(spec::attribute(named, text).map_err(Error::Refused)?);
    }
    link.request(&TRANSACTION_COMMIT, last)?;
    Ok(())
}

/// The attribute of a transaction that holds what `command` takes.
fn place(command: &Command) -> Result<u16, Error> {
    let name = command.name.trim_end_matches("-set");
    let found = TRANSACTION_ADD.space.named(name);
    found
        .map(|a| a.number)
        .ok_or_else(|| refused(format!("{}: not in a transaction", command.name)))
}

/// Makes several requests at once.
pub fn together(
    link: &mut Link,
    requests: Vec<(&'static Command, Vec<DefaultNla>)>,
) -> Result<(), Error> {
    let mut changes = vec![];
    for (command, attributes) in requests {
        let number = place(command)? | NLA_F_NESTED;
        changes.push(spec::nest(number, &attributes));
    }
    send(link, changes, None)
}

/// Reads changes and makes them.
pub fn run(link: &mut Link, matches: &ArgMatches) -> Result<(), Error> {
    let file = matches
        .get_one::<String>("file")
        .map_or("-", String::as_str);
    let mut text = String::new();
    if file == "-" {
        io::stdin().read_to_string(&mut text)?;
    } else {
        text = fs::read_to_string(file).map_err(|e| refused(format!("{file}: {}", reason(&e))))?;
    }
    let mut changes: Value =
        serde_json::from_str(&text).map_err(|e| refused(format!("{file}: {e}")))?;
    resolve(link, &mut None, &mut changes)?;
    let Value::Object(kinds) = changes else {
        return Err(refused(format!("{file}: not an object of lists")));
    };
    let mut all = vec![];
    for (name, list) in &kinds {
        let found = TRANSACTION_ADD.space.named(name);
        let found = found.filter(|a| TRANSACTION_ADD.request.contains(&a.name));
        let found = found.ok_or_else(|| {
            let known = TRANSACTION_ADD.request.join(", ");
            refused(format!("{file}: '{name}' is none of {known}"))
        })?;
        all.extend(spec::from_json(found, list).map_err(|e| refused(format!("{file}: {e}")))?);
    }
    let generation = matches.get_one::<String>("generation");
    send(link, all, generation.map(String::as_str))
}

/// Puts numbers where ports are given by name; `ports` is what there is, asked for once.
fn resolve(
    link: &mut Link,
    ports: &mut Option<Vec<Object>>,
    value: &mut Value,
) -> Result<(), Error> {
    match value {
        Value::Object(object) => {
            for (name, value) in object {
                match value {
                    Value::String(port) if name == "ifindex" && !crate::is_number(port) => {
                        if ports.is_none() {
                            *ports = Some(link.dump(&PORT_GET, &[])?);
                        }
                        let known = ports.as_deref().unwrap_or(&[]);
                        *value = crate::port_named(known, port)?.into();
                    }
                    _ => resolve(link, ports, value)?,
                }
            }
            Ok(())
        }
        Value::Array(list) => list.iter_mut().try_for_each(|v| resolve(link, ports, v)),
        _ => Ok(()),
    }
}
