// SPDX-License-Identifier: GPL-2.0

//! Messages for eyes.

use crate::spec::{Object, Space};
use serde_json::Value;
use std::io::{self, Write};

/// What is there for programs only.
const HIDDEN: &[&str] = &["generation"];

/// A value in a line of text.
pub fn text(value: &Value) -> String {
    match value {
        Value::String(s) => s.clone(),
        Value::Bool(true) => "yes".into(),
        Value::Array(list) => {
            let separator = if list.iter().any(Value::is_object) {
                "; "
            } else {
                " "
            };
            let words: Vec<_> = list.iter().map(text).collect();
            words.join(separator)
        }
        Value::Object(object) => pairs(object, |_, _| true),
        other => other.to_string(),
    }
}

/// Names and values in a line, those that `shown` wants.
pub fn pairs(object: &Object, shown: impl Fn(&str, &Value) -> bool) -> String {
    let words: Vec<_> = object
        .iter()
        .filter(|(name, value)| shown(name, value))
        .map(|(name, value)| format!("{name} {}", text(value)))
        .collect();
    words.join(" ")
}

/// Prints a table with a column for each attribute that any of the messages has; nothing if there are none.
pub fn print(out: &mut impl Write, space: &Space, rows: &[Object]) -> io::Result<()> {
    if rows.is_empty() {
        return Ok(());
    }
    let columns: Vec<_> = space
        .attributes
        .iter()
        .map(|a| a.name)
        .filter(|name| !HIDDEN.contains(name) && rows.iter().any(|row| row.contains_key(*name)))
        .collect();
    let mut lines = vec![columns.iter().map(|c| c.to_uppercase()).collect::<Vec<_>>()];
    for row in rows {
        let cell = |column: &&str| row.get(*column).map_or("-".into(), text);
        lines.push(columns.iter().map(cell).collect());
    }
    let width = |at: usize| {
        lines
            .iter()
            .map(|l| l[at].chars().count())
            .max()
            .unwrap_or(0)
    };
    let widths: Vec<_> = (0..columns.len()).map(width).collect();
    for line in &lines {
        let mut text = String::new();
        for (cell, width) in line.iter().zip(&widths) {
            text.push_str(&format!("{cell:width$}  "));
        }
        writeln!(out, "{}", text.trim_end())?;
    }
    Ok(())
}

/// Whether a counter is worth a line.
fn counts(value: &Value) -> bool {
    match value {
        Value::Number(n) => n.as_u64() != Some(0),
        _ => true,
    }
}

/// Prints counters: a line for each message, with what is not zero.
pub fn print_counters(
    out: &mut impl Write,
    rows: &[Object],
    keys: &[&str],
    names: impl Fn(&Object) -> String,
) -> io::Result<()> {
    let mut last = String::new();
    for row in rows {
        let name = names(row);
        if name != last {
            writeln!(out, "{name}")?;
            last = name;
        }
        let key: Vec<_> = keys.iter().filter_map(|k| row.get(*k)).map(text).collect();
        let mut words = vec![];
        for (name, value) in row {
            if keys.contains(&name.as_str()) || HIDDEN.contains(&name.as_str()) || name == "ifindex"
            {
                continue;
            }
            match value {
                Value::Array(list) => {
                    for entry in list.iter().filter_map(Value::as_object) {
                        if entry.values().all(counts) {
                            let entry: Vec<_> = entry.values().map(text).collect();
                            words.push(format!("{name} {}", entry.join(" ")));
                        }
                    }
                }
                value if counts(value) => words.push(format!("{name} {}", text(value))),
                _ => (),
            }
        }
        let words = if words.is_empty() {
            "-".into()
        } else {
            words.join(", ")
        };
        writeln!(out, "    {:14} {words}", key.join(" "))?;
    }
    Ok(())
}
