// SPDX-License-Identifier: GPL-2.0

//! Rules as a network engineer writes them: words that become attributes, and attributes that become words.

use crate::devices;
use crate::generated::VALUES_ACTION;
use crate::link::Error;
use crate::spec::Object;
use serde_json::{json, Value};
use std::net::{Ipv4Addr, Ipv6Addr};

/// What can be written, for the help.
pub const HELP: &str = "\
MATCH, all of which must hold; 'not' before a value negates it (protocol not tcp); A-B instead of a NUMBER is a range:
  in DEVICE | out DEVICE | mac-from MAC | mac-to MAC | ethertype NUMBER|ip|ip6|arp | vlan NUMBER | inner-vlan NUMBER
  from ADDRESS[/LENGTH] | to ADDRESS[/LENGTH] | protocol NUMBER|tcp|udp|sctp|icmp|icmp6 | tcp | udp | sctp | icmp | icmp6
  sport NUMBER | dport NUMBER | flags FLAG,...[/FLAG,...]  (fin syn rst psh ack urg ece cwr ae; the first of the second)
  type NUMBER | code NUMBER  (of ICMP; of ICMPv6 beside icmp6) | type6 NUMBER | code6 NUMBER  (of ICMPv6)
  dscp NUMBER | ecn NUMBER | ttl NUMBER | length NUMBER | mark VALUE[/MASK] | fragment whole|first|later
  pkttype host|broadcast|multicast|other|outgoing
  ct new,established,related,invalid,untracked  (any of them) | ct reply,snat,dnat  (all of them)
WHICH of those that match:
  nth N | every N | probability P% | limit N/second [bytes] [burst N] | once | at-most N | per-segment
TELL:
  tell [BYTES]
ACTION, one:
  accept | drop [reason NAME] | continue | set-mark VALUE[/MASK] | set-dscp N | set-ecn N | queue N [bypass] | sample [BYTES]
  corrupt [BITS] [at BYTE] | truncate BYTES | duplicate [COPIES] | delay TIME [jitter TIME] | reorder [GAP] [timeout TIME]
  (TIME: 10ms, 2s, 500us; NAME: a drop reason of the kernel's, such as TCP_CSUM)
SEED of probability, corrupt and jitter:
  seed N";

/// Bytes that an event shows if nothing is said.
const SNAP: u32 = 128;

const FLAGS: [&str; 9] = ["fin", "syn", "rst", "psh", "ack", "urg", "ece", "cwr", "ae"];
/// States of a connection, of which a packet has one, and what else is known of it.
const STATES: [(&str, u32); 8] = [
    ("new", 1 << 3),
    ("established", 1 << 1),
    ("related", 1 << 2),
    ("invalid", 1),
    ("untracked", 1 << 6),
    ("reply", 1 << 8),
    ("snat", 1 << 9),
    ("dnat", 1 << 10),
];
/// The bits of those of which a packet has one.
const EXCLUSIVE: u32 = 0x4f;
const FRAGMENTS: [&str; 3] = ["whole", "first", "later"];
const TYPES: [&str; 5] = ["host", "broadcast", "multicast", "other", "outgoing"];
const ETHERTYPES: [(&str, u32); 3] = [("ip", 0x800), ("ip6", 0x86dd), ("arp", 0x806)];
const PROTOCOLS: [(&str, u32); 5] = [
    ("tcp", 6),
    ("udp", 17),
    ("sctp", 132),
    ("icmp", 1),
    ("icmp6", 58),
];

fn refused(text: impl Into<String>) -> Error {
    Error::Refused(text.into())
}

/// The words of a rule, one after the other.
struct Words<'a> {
    rest: &'a [String],
    last: &'a str,
}

impl<'a> Words<'a> {
    fn next(&mut self) -> Option<&'a str> {
        let (first, rest) = self.rest.split_first()?;
        self.rest = rest;
        self.last = first;
        Some(first)
    }

    /// The next word, if it is that one.
    fn take(&mut self, word: &str) -> bool {
        let found = self.rest.first().is_some_and(|w| w == word);
        if found {
            self.next();
        }
        found
    }

    fn needed(&mut self) -> Result<&'a str, Error> {
        let last = self.last;
        self.next()
            .ok_or_else(|| refused(format!("'{last}' needs a value")))
    }

    fn number(&mut self) -> Result<u64, Error> {
        let word = self.needed()?;
        number(word)
    }

    /// The next word if it is a number.
    fn maybe(&mut self) -> Option<u64> {
        let found = self.rest.first().and_then(|w| number(w).ok())?;
        self.next();
        Some(found)
    }

    fn time(&mut self) -> Result<u64, Error> {
        let word = self.needed()?;
        let units = [
            ("ns", 1),
            ("us", 1_000),
            ("ms", 1_000_000),
            ("s", 1_000_000_000),
        ];
        let found = units.iter().find_map(|(unit, factor)| {
            let value: f64 = word.strip_suffix(unit)?.parse().ok()?;
            (value >= 0.0).then_some((value * f64::from(*factor)) as u64)
        });
        found.ok_or_else(|| refused(format!("'{word}' is no time such as 10ms")))
    }
}

fn number(word: &str) -> Result<u64, Error> {
    let parsed = match word.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16),
        None => word.parse(),
    };
    parsed.map_err(|_| refused(format!("'{word}' is no number")))
}

/// A value, or a value and a mask.
fn masked(word: &str) -> Result<(u64, Option<u64>), Error> {
    match word.split_once('/') {
        Some((value, mask)) => Ok((number(value)?, Some(number(mask)?))),
        None => Ok((number(word)?, None)),
    }
}

fn named(word: &str, names: &[(&str, u32)]) -> Option<u32> {
    names
        .iter()
        .find(|(name, _)| *name == word)
        .map(|(_, n)| *n)
}

fn place(word: &str, names: &[&str]) -> Result<u64, Error> {
    let found = names.iter().position(|name| *name == word);
    found
        .map(|n| n as u64)
        .ok_or_else(|| refused(format!("'{word}' is none of {}", names.join(", "))))
}

fn mac(word: &str) -> Result<u64, Error> {
    let digits = |part: &str| match part.bytes().all(|b| b.is_ascii_hexdigit()) {
        true => u8::from_str_radix(part, 16).ok(),
        false => None,
    };
    let bytes: Option<Vec<_>> = word.split(':').map(digits).collect();
    match bytes {
        Some(bytes) if bytes.len() == 6 => Ok(bytes.iter().fold(0, |n, b| n << 8 | u64::from(*b))),
        _ => Err(refused(format!("'{word}' is no Ethernet address"))),
    }
}

/// What a term tests.
enum Test {
    Value(u128),
    Prefix(u128, u32),
    Mask(u128, u128),
    Range(u128, u128),
}

fn halves(object: &mut Object, name: &str, value: u128) {
    object.insert(name.into(), json!(value as u64));
    if value >> 64 != 0 {
        object.insert(format!("{name}-high"), json!((value >> 64) as u64));
    }
}

fn term(field: &str, negated: bool, test: Test) -> Value {
    let mut object = Object::new();
    object.insert("field".into(), json!(field));
    let (name, value, operand) = match test {
        Test::Value(value) => ("value", value, None),
        Test::Prefix(value, length) => ("prefix", value, Some(length.into())),
        Test::Mask(value, mask) => ("mask", value, Some(mask)),
        Test::Range(low, high) => ("range", low, Some(high)),
    };
    object.insert("test".into(), json!(name));
    if negated {
        object.insert("negated".into(), json!(true));
    }
    halves(&mut object, "value", value);
    if let Some(operand) = operand {
        halves(&mut object, "operand", operand);
    }
    Value::Object(object)
}

/// A number or a range of them.
fn range(word: &str) -> Result<Test, Error> {
    Ok(match word.split_once('-') {
        Some((low, high)) => Test::Range(number(low)?.into(), number(high)?.into()),
        None => Test::Value(number(word)?.into()),
    })
}

/// An address or a prefix, and whether it is IPv6.
fn prefix(word: &str) -> Result<(bool, Test), Error> {
    let wrong = || refused(format!("'{word}' is no address or prefix"));
    let (address, length) = match word.split_once('/') {
        Some((address, length)) => (address, Some(length.parse().map_err(|_| wrong())?)),
        None => (word, None),
    };
    let (six, value) = match (address.parse::<Ipv4Addr>(), address.parse::<Ipv6Addr>()) {
        (Ok(four), _) => (false, u32::from(four).into()),
        (_, Ok(six)) => (true, u128::from(six)),
        _ => return Err(wrong()),
    };
    Ok((
        six,
        match length {
            Some(length) => Test::Prefix(value, length),
            None => Test::Value(value),
        },
    ))
}

fn flags(word: &str) -> Result<u128, Error> {
    word.split(',')
        .try_fold(0, |bits, name| Ok(bits | 1 << place(name, &FLAGS)?))
}

/// What a packet's connection must be, and whether that is said by what it must not be: any of some states, or all of
/// what else is known of it, with one state or none.
fn connection(word: &str) -> Result<(bool, Test), Error> {
    let bits = word.split(',').try_fold(0, |bits, name| {
        let bit = named(name, &STATES);
        bit.map(|bit| bits | bit)
            .ok_or_else(|| refused(format!("'{name}' is no state of a connection")))
    })?;
    let states = bits & EXCLUSIVE;
    if states.count_ones() < 2 {
        return Ok((false, Test::Mask(bits.into(), bits.into())));
    }
    if states != bits {
        return Err(refused(format!(
            "'{word}': any of several states, and what else must hold, are two matches: ct {} ct {}",
            list(&STATES, states.into()),
            list(&STATES, (bits ^ states).into())
        )));
    }
    // None of them is not set.
    Ok((true, Test::Mask(0, bits.into())))
}

/// The names of bits.
fn list(names: &[(&str, u32)], bits: u128) -> String {
    let found = names.iter().filter(|(_, bit)| bits & u128::from(*bit) != 0);
    found.map(|(name, _)| *name).collect::<Vec<_>>().join(",")
}

/// Whether a term says that the packet is ICMPv6.
fn is_icmp6(term: &Value) -> bool {
    let has = |name: &str, wanted: Value| term.get(name) == Some(&wanted);
    has("field", json!("protocol"))
        && has("test", json!("value"))
        && has("value", json!(58))
        && term.get("negated").is_none()
}

/// A match that begins with `word`; `None` if none does.
fn matched<'a>(word: &'a str, words: &mut Words<'a>) -> Result<Option<Value>, Error> {
    if let Some(protocol) = named(word, &PROTOCOLS) {
        return Ok(Some(term("protocol", false, Test::Value(protocol.into()))));
    }
    let field = match word {
        "in" => "in-device",
        "out" => "out-device",
        "mac-from" => "source-mac",
        "mac-to" => "destination-mac",
        "sport" => "source-port",
        "dport" => "destination-port",
        "flags" => "tcp-flags",
        "type" => "icmp-type",
        "code" => "icmp-code",
        "type6" => "icmpv6-type",
        "code6" => "icmpv6-code",
        "pkttype" => "packet-type",
        "ct" => "conntrack",
        "from" | "to" | "ethertype" | "vlan" | "inner-vlan" | "protocol" | "dscp" | "ecn"
        | "ttl" | "length" | "mark" | "fragment" => word,
        _ => return Ok(None),
    };
    let mut negated = words.take("not");
    words.last = word;
    let value = words.needed()?;
    let value_of = |n: u64| Test::Value(n.into());
    let mut field = field.to_string();
    let test = match word {
        "in" | "out" => Test::Value(devices::number(value)?.into()),
        "mac-from" | "mac-to" => value_of(mac(value)?),
        "from" | "to" => {
            let (six, test) = prefix(value)?;
            let side = if word == "from" {
                "source"
            } else {
                "destination"
            };
            field = format!("{side}-ipv{}", if six { 6 } else { 4 });
            test
        }
        "ethertype" => match named(value, &ETHERTYPES) {
            Some(number) => Test::Value(number.into()),
            None => range(value)?,
        },
        "protocol" => match named(value, &PROTOCOLS) {
            Some(number) => Test::Value(number.into()),
            None => range(value)?,
        },
        "flags" => match value.split_once('/') {
            Some((set, mask)) => Test::Mask(flags(set)?, flags(mask)?),
            None => {
                let set = flags(value)?;
                Test::Mask(set, set)
            }
        },
        "mark" => match masked(value)? {
            (value, Some(mask)) => Test::Mask(value.into(), mask.into()),
            (value, None) => value_of(value),
        },
        "fragment" => value_of(place(value, &FRAGMENTS)?),
        "pkttype" => value_of(place(value, &TYPES)?),
        "ct" => {
            let (opposite, test) = connection(value)?;
            negated ^= opposite;
            test
        }
        _ => range(value)?,
    };
    Ok(Some(term(&field, negated, test)))
}

/// A modifier that begins with `word`; `false` if none does.
fn modifier(word: &str, words: &mut Words<'_>, rule: &mut Object) -> Result<bool, Error> {
    let mut put = |name: &str, value: Value| match rule.insert(name.into(), value) {
        Some(_) => Err(refused(format!("'{word}': the rule says {name} already"))),
        None => Ok(()),
    };
    match word {
        "nth" | "every" | "at-most" | "seed" => put(word, json!(words.number()?))?,
        "once" => put("at-most", json!(1))?,
        "per-segment" => put("segments", json!(true))?,
        "probability" => {
            let text = words.needed()?;
            let percent = text.strip_suffix('%').and_then(|p| p.parse::<f64>().ok());
            let part = percent.map(|p| (p / 100.0 * 4_294_967_296.0) as u64);
            let part = part
                .filter(|p| (1..=1 << 32).contains(p))
                .ok_or_else(|| refused(format!("'{text}' is no probability such as 0.5%")))?;
            put("probability", json!(part.min(u32::MAX.into())))?;
        }
        "limit" => {
            let text = words.needed()?;
            let rate = text
                .strip_suffix("/second")
                .or_else(|| text.strip_suffix("/s"));
            let rate =
                rate.ok_or_else(|| refused(format!("'{text}' is no rate such as 10/second")))?;
            put("rate", json!(number(rate)?))?;
            if words.take("bytes") {
                put("rate-bytes", json!(true))?;
            }
            if words.take("burst") {
                put("burst", json!(words.number()?))?;
            }
        }
        "tell" => {
            let snap = words.maybe().unwrap_or(SNAP.into());
            put("notify", json!(snap))?;
        }
        _ => return Ok(false),
    }
    Ok(true)
}

/// The action that is called `word`.
fn action(word: &str, words: &mut Words<'_>, rule: &mut Object) -> Result<bool, Error> {
    if !VALUES_ACTION.iter().any(|v| v.name == word) {
        return Ok(false);
    }
    if rule.insert("action".into(), json!(word)).is_some() {
        return Err(refused(format!("'{word}': a rule has one action")));
    }
    let mut put = |name: &str, value: u64| {
        rule.insert(name.into(), json!(value));
    };
    match word {
        "drop" => {
            if words.take("reason") {
                let name = words.needed()?.to_uppercase();
                rule.insert("drop-reason".into(), json!(name));
            }
        }
        "set-mark" => {
            let (mark, mask) = masked(words.needed()?)?;
            put("mark", mark);
            if let Some(mask) = mask {
                put("mark-mask", mask);
            }
        }
        "set-dscp" => put("dscp", words.number()?),
        "set-ecn" => put("ecn", words.number()?),
        "queue" => {
            put("queue", words.number()?);
            if words.take("bypass") {
                rule.insert("bypass".into(), json!(true));
            }
        }
        "sample" => put("snap", words.maybe().unwrap_or(SNAP.into())),
        "corrupt" => {
            put("bits", words.maybe().unwrap_or(1));
            if words.take("at") {
                put("offset", words.number()?);
            }
        }
        "truncate" => put("length", words.number()?),
        "duplicate" => put("copies", words.maybe().unwrap_or(1)),
        "delay" => {
            put("delay", words.time()?);
            if words.take("jitter") {
                put("jitter", words.time()?);
            }
        }
        "reorder" => {
            put("gap", words.maybe().unwrap_or(1));
            if words.take("timeout") {
                put("timeout", words.time()?);
            }
        }
        _ => (),
    }
    Ok(true)
}

/// Reads a rule.
pub fn read(words: &[String]) -> Result<Object, Error> {
    let mut rule = Object::new();
    let mut terms = vec![];
    let mut words = Words {
        rest: words,
        last: "",
    };
    while let Some(word) = words.next() {
        if let Some(term) = matched(word, &mut words)? {
            terms.push(term);
        } else if !modifier(word, &mut words, &mut rule)? && !action(word, &mut words, &mut rule)? {
            return Err(refused(format!(
                "'{word}' is neither a match, nor a modifier, nor an action; 'ferronic rule add --help' lists them"
            )));
        }
    }
    if !rule.contains_key("action") {
        return Err(refused(
            "what is the rule to do? It needs an action, such as drop",
        ));
    }
    if terms.iter().any(is_icmp6) {
        for term in terms.iter_mut().filter_map(Value::as_object_mut) {
            let six = match term.get("field").and_then(Value::as_str) {
                Some("icmp-type") => "icmpv6-type",
                Some("icmp-code") => "icmpv6-code",
                _ => continue,
            };
            term.insert("field".into(), json!(six));
        }
    }
    rule.insert("term".into(), Value::Array(terms));
    Ok(rule)
}

fn wide(object: &Object, name: &str) -> u128 {
    let half = |name: &str| object.get(name).and_then(Value::as_u64).unwrap_or(0);
    u128::from(half(&format!("{name}-high"))) << 64 | u128::from(half(name))
}

/// A term in words; `icmp6` if another one of the rule says that the packet is ICMPv6.
fn write_term(object: &Object, icmp6: bool) -> String {
    let text = |name| object.get(name).and_then(Value::as_str).unwrap_or("?");
    let (value, operand) = (wide(object, "value"), wide(object, "operand"));
    let field = text("field");
    let (word, six) = match field {
        "in-device" => ("in", false),
        "out-device" => ("out", false),
        "source-mac" => ("mac-from", false),
        "destination-mac" => ("mac-to", false),
        "source-ipv4" => ("from", false),
        "source-ipv6" => ("from", true),
        "destination-ipv4" => ("to", false),
        "destination-ipv6" => ("to", true),
        "source-port" => ("sport", false),
        "destination-port" => ("dport", false),
        "tcp-flags" => ("flags", false),
        "icmpv6-type" if !icmp6 => ("type6", false),
        "icmpv6-code" if !icmp6 => ("code6", false),
        "icmp-type" | "icmpv6-type" => ("type", false),
        "icmp-code" | "icmpv6-code" => ("code", false),
        "packet-type" => ("pkttype", false),
        "conntrack" => ("ct", false),
        other => (other, false),
    };
    let flag_names: Vec<_> = FLAGS
        .iter()
        .enumerate()
        .map(|(n, f)| (*f, 1 << n))
        .collect();
    let one = |value: u128| match word {
        "in" | "out" => devices::name(value as u32),
        "mac-from" | "mac-to" => {
            let bytes = (value as u64).to_be_bytes();
            let words: Vec<_> = bytes[2..].iter().map(|b| format!("{b:02x}")).collect();
            words.join(":")
        }
        "from" | "to" if six => Ipv6Addr::from(value).to_string(),
        "from" | "to" => Ipv4Addr::from(value as u32).to_string(),
        "flags" => list(&flag_names, value),
        "ct" => list(&STATES, value),
        "fragment" => FRAGMENTS.get(value as usize).unwrap_or(&"?").to_string(),
        "pkttype" => TYPES.get(value as usize).unwrap_or(&"?").to_string(),
        "ethertype" | "mark" => format!("0x{value:x}"),
        _ => value.to_string(),
    };
    let mut negated = object.contains_key("negated");
    if let ("protocol", "value") = (word, text("test")) {
        if let Some((name, _)) = PROTOCOLS.iter().find(|(_, n)| u128::from(*n) == value) {
            return match negated {
                true => format!("protocol not {name}"),
                false => name.to_string(),
            };
        }
    }
    let any_state = word == "ct"
        && text("test") == "mask"
        && value == 0
        && (operand.count_ones() == 1 || operand != 0 && operand & !u128::from(EXCLUSIVE) == 0);
    negated ^= any_state;
    let shown = match text("test") {
        "prefix" => format!("{}/{operand}", one(value)),
        "mask" if value == operand => one(value),
        // Not none of them: any.
        "mask" if any_state => one(operand),
        "mask" => format!("{}/{}", one(value), one(operand)),
        "range" => format!("{}-{}", one(value), one(operand)),
        _ => one(value),
    };
    let not = if negated { "not " } else { "" };
    format!("{word} {not}{shown}")
}

/// A time in words.
fn time(ns: u64) -> String {
    for (unit, factor) in [("s", 1_000_000_000), ("ms", 1_000_000), ("us", 1_000)] {
        if ns != 0 && ns % factor == 0 {
            return format!("{}{unit}", ns / factor);
        }
    }
    format!("{ns}ns")
}

/// A rule in the words it can be written with.
pub fn write(rule: &Object) -> String {
    let number = |name: &str| rule.get(name).and_then(Value::as_u64);
    let mut words = vec![];
    let terms = rule.get("term").and_then(Value::as_array);
    let terms: Vec<_> = terms.into_iter().flatten().collect();
    let icmp6 = terms.iter().any(|term| is_icmp6(term));
    for term in terms.into_iter().filter_map(Value::as_object) {
        words.push(write_term(term, icmp6));
    }
    for name in ["nth", "every"] {
        if let Some(value) = number(name) {
            words.push(format!("{name} {value}"));
        }
    }
    if let Some(part) = number("probability") {
        let percent = part as f64 / 42_949_672.96;
        words.push(format!("probability {}%", (percent * 1e6).round() / 1e6));
    }
    if let Some(seed) = number("seed") {
        words.push(format!("seed {seed}"));
    }
    if let Some(rate) = number("rate") {
        let bytes = if rule.contains_key("rate-bytes") {
            " bytes"
        } else {
            ""
        };
        let burst = number("burst").unwrap_or(1);
        words.push(format!("limit {rate}/second{bytes} burst {burst}"));
    }
    match number("at-most") {
        Some(1) => words.push("once".into()),
        Some(most) => words.push(format!("at-most {most}")),
        None => (),
    }
    if rule.contains_key("segments") {
        words.push("per-segment".into());
    }
    if let Some(snap) = number("notify") {
        words.push(format!("tell {snap}"));
    }
    let action = rule.get("action").and_then(Value::as_str).unwrap_or("?");
    let value = |name| number(name).unwrap_or(0);
    words.push(match action {
        "drop" => match rule.get("drop-reason").and_then(Value::as_str) {
            Some(name) => format!("drop reason {name}"),
            None => "drop".into(),
        },
        "set-mark" => format!("set-mark 0x{:x}/0x{:x}", value("mark"), value("mark-mask")),
        "set-dscp" => format!("set-dscp {}", value("dscp")),
        "set-ecn" => format!("set-ecn {}", value("ecn")),
        "queue" => {
            let bypass = if rule.contains_key("bypass") {
                " bypass"
            } else {
                ""
            };
            format!("queue {}{bypass}", value("queue"))
        }
        "sample" => format!("sample {}", value("snap")),
        "corrupt" => format!("corrupt {} at {}", value("bits"), value("offset")),
        "truncate" => format!("truncate {}", value("length")),
        "duplicate" => format!("duplicate {}", value("copies")),
        "delay" => {
            let jitter = match value("jitter") {
                0 => String::new(),
                jitter => format!(" jitter {}", time(jitter)),
            };
            format!("delay {}{jitter}", time(value("delay")))
        }
        "reorder" => format!(
            "reorder {} timeout {}",
            value("gap"),
            time(value("timeout"))
        ),
        other => other.into(),
    });
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::generated::VALUES_FIELD;

    fn words(text: &str) -> Vec<String> {
        text.split_whitespace().map(String::from).collect()
    }

    #[test]
    fn what_is_written_is_read_as_it_was() {
        for text in [
            "tcp dport 80 nth 7 once tell 128 drop",
            "from 10.0.0.0/8 to not 192.168.1.1 udp sport 1000-2000 accept",
            "from fd00::/8 icmp6 type 128 every 3 continue",
            "mac-from 02:fe:00:00:00:01 ethertype 0x88b5 truncate 100",
            "flags syn/syn,ack mark 0x1/0xff set-mark 0x2/0xff",
            "probability 25% seed 9 delay 10ms jitter 2ms",
            "limit 100/second bytes burst 3000 reorder 3 timeout 100ms",
            "ct established,reply fragment first at-most 5 per-segment corrupt 3 at 28",
            "length 100-200 queue 7 bypass",
            "ct new,established,related accept",
            "ct not new,invalid,untracked drop",
            "ct not reply,dnat ct not established drop",
            "type6 128 code6 not 0 drop",
            "type 128 icmp6 drop",
            "type 8 icmp drop",
            "protocol not icmp6 type 8 drop",
            "udp tell 64 drop reason NO_SOCKET",
        ] {
            assert_eq!(write(&read(&words(text)).unwrap()), text);
        }
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        for text in [
            "",
            "tcp",
            "drop drop",
            "drop reason",
            "dport",
            "dport x drop",
            "from 1.2.3 drop",
            "nonsense drop",
            "probability 7 drop",
            "limit 10 drop",
            "delay 10 drop",
            "flags foo drop",
            "mac-from 00:11:22:33:44:55:zz drop",
            "mac-from 00:11:22:33:44:+5 drop",
            "from 10.0.0.0/4294967304 drop",
            "nth 3 nth 5 drop",
            "once at-most 5 drop",
            "limit 1/s limit 2/s drop",
            "tell tell drop",
            "ct established,related,reply drop",
            "ct old drop",
        ] {
            assert!(read(&words(text)).is_err(), "{text}");
        }
    }

    #[test]
    fn several_states_are_any_of_them() {
        let term = |text: &str| read(&words(text)).unwrap()["term"][0].clone();
        let any = term("ct established,related drop");
        assert_eq!((&any["value"], &any["operand"]), (&json!(0), &json!(6)));
        assert_eq!(any["negated"], json!(true));
        assert_eq!(term("ct not related,established drop").get("negated"), None);
        let one = term("ct established,reply drop");
        assert_eq!(
            (&one["value"], &one["operand"]),
            (&json!(0x102), &json!(0x102))
        );
    }

    #[test]
    fn icmpv6_wherever_it_is_said() {
        for text in [
            "protocol 58 type 128 drop",
            "type 128 protocol icmp6 drop",
            "type6 128 drop",
        ] {
            let rule = read(&words(text)).unwrap();
            let fields: Vec<_> = rule["term"]
                .as_array()
                .unwrap()
                .iter()
                .map(|t| &t["field"])
                .collect();
            assert!(fields.contains(&&json!("icmpv6-type")), "{text}");
        }
    }

    #[test]
    fn every_field_can_be_written() {
        for field in VALUES_FIELD {
            let term = term(field.name, false, Test::Value(1));
            assert!(!write_term(term.as_object().unwrap(), false).contains('?'));
        }
    }
}
