// SPDX-License-Identifier: GPL-2.0

//! The manual page: one for all commands, of what they say of themselves.

use clap::{Arg, Command as Cli};
use clap_mangen::roff::{bold, italic, roman, Inline, Roff};
use clap_mangen::Man;
use std::io::{self, Write};

/// What no command says of itself: headings, and what stands below them.
const MORE: [(&str, &str); 3] = [
    (
        "JSON",
        "With --json, names and values are those of the netlink specification: a list of objects. Where it watches it is \
         one object a line: name is that of what happened, without -ntf, or port, chain or rule of what there was; msg is \
         what it is about. latency prints one object: sampling and stages, which have median, p90 and p99 in nanoseconds \
         beside what the specification has. What something does not have is left out, and so is a flag that is not set. \
         Versions to come may add names; they change and remove none.",
    ),
    (
        "EXIT STATUS",
        "0 if all was done, 1 if something was refused, be it by the kernel or because a value, a rule or JSON can't be \
         read, 2 if the command line does not fit the synopsis. What was refused has changed nothing. Standard error says \
         why: the request, the attribute that is wrong or missing, the kernel's sentence, and the error's name.",
    ),
    ("SEE ALSO", "ip(8), ip-link(8), ip-netns(8), ethtool(8)"),
];

/// An argument in words: bold what is to be written so, italic what stands for something.
fn words(arg: &Arg) -> Vec<Inline> {
    let mut found = vec![];
    let names = [
        arg.get_short().map(|c| format!("-{c}")),
        arg.get_long().map(|l| format!("--{l}")),
    ];
    for name in names.into_iter().flatten() {
        if !found.is_empty() {
            found.push(roman(", "));
        }
        found.push(bold(name));
    }
    if arg.get_action().takes_values() {
        let values = arg.get_value_names().unwrap_or(&[]);
        for value in values.iter().map(|v| v.as_str()) {
            if !found.is_empty() {
                found.push(roman(" "));
            }
            found.push(italic(value));
        }
    }
    found
}

/// What an argument is for, and what it may be.
fn help(arg: &Arg) -> String {
    let mut text = arg.get_help().map_or(String::new(), |h| h.to_string());
    let possible: Vec<_> = arg
        .get_possible_values()
        .iter()
        .map(|v| v.get_name().to_owned())
        .collect();
    if arg.get_action().takes_values() && !possible.is_empty() {
        text.push_str(&format!(" [{}]", possible.join(", ")));
    }
    let default: Vec<_> = arg
        .get_default_values()
        .iter()
        .map(|v| v.to_string_lossy())
        .collect();
    if arg.get_action().takes_values() && !default.is_empty() {
        text.push_str(&format!(" [default: {}]", default.join(" ")));
    }
    text
}

/// Describes those commands below `cli` that do something.
fn commands(page: &mut Roff, cli: &mut Cli) {
    for command in cli.get_subcommands_mut() {
        if command.get_name() == "help" {
            continue;
        }
        if command.has_subcommands() {
            commands(page, command);
            continue;
        }
        let usage = command.render_usage().to_string();
        page.control("SS", [usage.trim_start_matches("Usage: ").trim()]);
        let about = command.get_long_about().or(command.get_about());
        page.text([roman(about.map_or(String::new(), |a| a.to_string()))]);
        for arg in command.get_arguments() {
            if !arg.is_global_set() && arg.get_id() != "help" {
                page.control("TP", []);
                page.text(words(arg));
                page.text([roman(help(arg))]);
            }
        }
        if let Some(text) = command.get_after_help() {
            page.control("PP", []);
            page.control("nf", []);
            for line in text.to_string().lines() {
                page.text([roman(line)]);
            }
            page.control("fi", []);
        }
    }
}

/// Writes the page.
pub fn write(mut cli: Cli, out: &mut impl Write) -> io::Result<()> {
    let man = Man::new(cli.clone())
        .section("8")
        .manual("System Administration");
    man.render_title(out)?;
    man.render_name_section(out)?;
    man.render_synopsis_section(out)?;
    man.render_description_section(out)?;
    man.render_options_section(out)?;
    cli.build();
    let mut page = Roff::new();
    page.control("SH", ["COMMANDS"]);
    commands(&mut page, &mut cli);
    for (heading, text) in MORE {
        page.control("SH", [heading]);
        page.text([roman(text)]);
    }
    page.to_writer(out)
}
