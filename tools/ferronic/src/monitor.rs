// SPDX-License-Identifier: GPL-2.0

//! Watching ports: subscribe, dump, apply what is newer; if messages were lost, dump again.

use crate::generated::{GROUP_MGMT, NOTIFICATIONS, PORT_GET};
use crate::link::{Error, Link};
use crate::spec::Object;
use crate::table::text;
use serde_json::{json, Value};
use std::collections::BTreeMap;
use std::io::{self, Write};

/// Ports by number, as they are known.
type Known = BTreeMap<u64, Object>;

fn number(object: &Object, name: &str) -> u64 {
    object.get(name).and_then(Value::as_u64).unwrap_or(0)
}

fn label(port: &Object) -> String {
    let name = port.get("name").map_or("?".into(), text);
    format!("{name} ({})", number(port, "ifindex"))
}

/// What differs between two pictures of a port.
fn difference(before: &Object, after: &Object) -> String {
    let mut words = vec![];
    let names = before
        .keys()
        .chain(after.keys().filter(|k| !before.contains_key(*k)));
    for name in names.filter(|n| *n != "generation") {
        if before.get(name) != after.get(name) {
            let show = |v: Option<&Value>| v.map_or("-".into(), text);
            words.push(format!(
                "{name} {} -> {}",
                show(before.get(name)),
                show(after.get(name))
            ));
        }
    }
    words.join(", ")
}

fn describe(port: &Object) -> String {
    crate::table::pairs(port, |name, _| {
        !["ifindex", "name", "generation"].contains(&name)
    })
}

fn tell(json: bool, event: &str, port: &Object, words: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    if json {
        writeln!(out, "{}", json!({ "name": event, "msg": port }))?;
    } else {
        let generation = number(port, "generation");
        writeln!(out, "{generation:6} {event:16} {}: {words}", label(port))?;
    }
    out.flush()
}

/// Dumps, and tells how that differs from what was known.
fn dump(link: &mut Link, known: &mut Known, json: bool) -> Result<u64, Error> {
    let ports = link.dump(&PORT_GET, &[])?;
    let mut now = Known::new();
    let mut generation = 0;
    for port in ports {
        generation = generation.max(number(&port, "generation"));
        tell(json, "port", &port, &describe(&port))?;
        now.insert(number(&port, "ifindex"), port);
    }
    *known = now;
    Ok(generation)
}

/// Watches until `count` notifications have come, or for ever.
pub fn run(link: &mut Link, json: bool, count: Option<u64>) -> Result<(), Error> {
    let mut known = Known::new();
    link.subscribe(GROUP_MGMT)?;
    let mut generation = dump(link, &mut known, json)?;
    let mut seen = 0;
    while count.is_none_or(|count| seen < count) {
        let event = match link.event() {
            Ok(event) => event,
            Err(Error::Lost) => {
                eprintln!("ferronic: notifications were lost; the ports as they are now:");
                link.forget();
                generation = dump(link, &mut known, json)?;
                continue;
            }
            Err(error) => return Err(error),
        };
        let kind = NOTIFICATIONS
            .iter()
            .find(|(command, ..)| *command == event.command);
        let Some((_, name, like)) = kind else {
            continue;
        };
        let port = event.object(like);
        if number(&port, "generation") <= generation {
            continue;
        }
        seen += 1;
        let ifindex = number(&port, "ifindex");
        let words = match known.get(&ifindex) {
            Some(before) if name.contains("change") => difference(before, &port),
            _ => describe(&port),
        };
        tell(json, name.trim_end_matches("-ntf"), &port, &words)?;
        if name.contains("del") {
            known.remove(&ifindex);
        } else {
            known.insert(ifindex, port);
        }
    }
    Ok(())
}
