// SPDX-License-Identifier: GPL-2.0

//! Watching chains and rules change.

use super::{print, Watched};
use crate::generated::{CHAIN_GET, GROUP_HOOKS};
use crate::link::{Error, Link};
use crate::spec::{number, Object};
use crate::{rule, table};
use serde_json::Value;
use std::io;

/// Chains, whose rules are told of as they change.
pub struct Hooks {
    json: bool,
}

/// What is said of a chain or a rule.
fn describe(event: &str, object: &Object) -> String {
    let word = |name: &str| object.get(name).map_or("?".into(), table::text);
    if event.starts_with("rule") {
        let place = match event {
            "rule-del" => String::new(),
            _ => format!(" at position {}", word("position")),
        };
        let words = rule::write(object);
        return format!("{} rule {}{place}: {words}", word("chain"), word("handle"));
    }
    let shown = |name: &str, value: &Value| {
        !["name", "generation"].contains(&name) && value.as_u64() != Some(0)
    };
    format!("{}: {}", word("name"), table::pairs(object, shown))
}

impl Hooks {
    pub fn new(json: bool) -> Hooks {
        Hooks { json }
    }

    fn print(&self, event: &str, object: &Object) -> io::Result<()> {
        print(self.json, event, object, || {
            let generation = number(object, "generation");
            format!("{generation:6} {event:13} {}", describe(event, object))
        })
    }
}

impl Watched for Hooks {
    const GROUP: &'static str = GROUP_HOOKS;
    const LOST: &'static str = "changes were lost; the chains as they are now:";

    fn begin(&mut self, link: &mut Link) -> Result<u64, Error> {
        let mut generation = 0;
        for chain in link.dump(&CHAIN_GET, &[])? {
            generation = generation.max(number(&chain, "generation"));
            self.print("chain", &chain)?;
        }
        Ok(generation)
    }

    fn tell(&mut self, event: &str, object: Object) -> Result<(), Error> {
        Ok(self.print(event, &object)?)
    }
}
