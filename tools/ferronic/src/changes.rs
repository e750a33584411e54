// SPDX-License-Identifier: GPL-2.0

//! Watching chains and rules change.

use crate::generated::{CHAIN_GET, GROUP_HOOKS, NOTIFICATIONS};
use crate::link::{Error, Link};
use crate::spec::Object;
use crate::{rule, table};
use serde_json::{json, Value};
use std::io::{self, Write};

fn number(object: &Object, name: &str) -> u64 {
    object.get(name).and_then(Value::as_u64).unwrap_or(0)
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

fn tell(json: bool, event: &str, object: &Object) -> io::Result<()> {
    let mut out = io::stdout().lock();
    if json {
        writeln!(out, "{}", json!({ "name": event, "msg": object }))?;
    } else {
        let generation = number(object, "generation");
        writeln!(out, "{generation:6} {event:13} {}", describe(event, object))?;
    }
    out.flush()
}

/// Shows the chains as they are, and returns the generation they are of.
fn dump(link: &mut Link, json: bool) -> Result<u64, Error> {
    let mut generation = 0;
    for chain in link.dump(&CHAIN_GET, &[])? {
        generation = generation.max(number(&chain, "generation"));
        tell(json, "chain", &chain)?;
    }
    Ok(generation)
}

/// Watches until `count` notifications have come, or for ever.
pub fn run(link: &mut Link, json: bool, count: Option<u64>) -> Result<(), Error> {
    link.subscribe(GROUP_HOOKS)?;
    let mut generation = dump(link, json)?;
    eprintln!("ferronic: listening");
    let mut seen = 0;
    while count.is_none_or(|count| seen < count) {
        let event = match link.event() {
            Ok(event) => event,
            Err(Error::Lost) => {
                eprintln!("ferronic: changes were lost; the chains as they are now:");
                link.forget();
                generation = dump(link, json)?;
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
        let object = event.object(like);
        if number(&object, "generation") <= generation {
            continue;
        }
        seen += 1;
        tell(json, name.trim_end_matches("-ntf"), &object)?;
    }
    Ok(())
}
