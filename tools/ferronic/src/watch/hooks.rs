// SPDX-License-Identifier: GPL-2.0

//! Watching chains and rules change.

use super::{print, Watched};
use crate::generated::{CHAIN_GET, GROUP_HOOKS, RULE_GET};
use crate::link::{Error, Link};
use crate::spec::{number, Object};
use crate::{rule, table};
use serde_json::Value;
use std::io;

/// How often what changes meanwhile is dumped again.
const TRIES: u32 = 10;

/// Chains and their rules.
pub struct Hooks {
    json: bool,
}

/// The generation that chains are of; 0 if there are none.
fn generation(chains: &[Object]) -> u64 {
    let numbers = chains.iter().map(|chain| number(chain, "generation"));
    numbers.max().unwrap_or(0)
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
    const LOST: &'static str = "changes were lost; the chains and rules as they are now:";

    fn begin(&mut self, link: &mut Link) -> Result<u64, Error> {
        // Chains and rules are dumped one after the other: of one generation if the chains' is the same behind the
        // rules. Where they never rest, rules may be newer than the chains, and be told of once more.
        let mut left = TRIES;
        loop {
            let chains = link.dump(&CHAIN_GET, &[])?;
            let rules = link.dump(&RULE_GET, &[])?;
            let generation = generation(&chains);
            let later = self::generation(&link.dump(&CHAIN_GET, &[])?);
            if later != generation && left > 0 {
                left -= 1;
                continue;
            }
            for chain in &chains {
                self.print("chain", chain)?;
            }
            for rule in &rules {
                self.print("rule", rule)?;
            }
            return Ok(generation);
        }
    }

    fn tell(&mut self, event: &str, object: Object) -> Result<(), Error> {
        Ok(self.print(event, &object)?)
    }
}
