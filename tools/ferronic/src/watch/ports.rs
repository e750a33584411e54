// SPDX-License-Identifier: GPL-2.0

//! Watching ports change.

use super::{print, Watched};
use crate::generated::{GROUP_MGMT, PORT_GET};
use crate::link::{Error, Link};
use crate::spec::{number, Object};
use crate::table::{pairs, text};
use serde_json::Value;
use std::collections::BTreeMap;
use std::io;

/// Ports by number, as they are known, to say what has changed.
pub struct Ports {
    json: bool,
    known: BTreeMap<u64, Object>,
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
    pairs(port, |name, _| {
        !["ifindex", "name", "generation"].contains(&name)
    })
}

impl Ports {
    pub fn new(json: bool) -> Ports {
        Ports {
            json,
            known: BTreeMap::new(),
        }
    }

    fn print(&self, event: &str, port: &Object, words: impl FnOnce() -> String) -> io::Result<()> {
        print(self.json, event, port, || {
            let generation = number(port, "generation");
            format!("{generation:6} {event:16} {}: {}", label(port), words())
        })
    }
}

impl Watched for Ports {
    const GROUP: &'static str = GROUP_MGMT;
    const LOST: &'static str = "notifications were lost; the ports as they are now:";

    fn begin(&mut self, link: &mut Link) -> Result<u64, Error> {
        let ports = link.dump(&PORT_GET, &[])?;
        self.known.clear();
        let mut generation = 0;
        for port in ports {
            generation = generation.max(number(&port, "generation"));
            self.print("port", &port, || describe(&port))?;
            self.known.insert(number(&port, "ifindex"), port);
        }
        Ok(generation)
    }

    fn tell(&mut self, event: &str, port: Object) -> Result<(), Error> {
        let before = self.known.remove(&number(&port, "ifindex"));
        self.print(event, &port, || match before {
            Some(before) if event == "port-change" => difference(&before, &port),
            _ => describe(&port),
        })?;
        if event != "port-del" {
            self.known.insert(number(&port, "ifindex"), port);
        }
        Ok(())
    }
}
