// SPDX-License-Identifier: GPL-2.0

//! Arbitrary rules and an arbitrary packet: the classifier finds those rules that match, in their order, and no other.
//!
//! Run with `cargo fuzz run classifier -s none` in rust/pure; that needs no nightly tool chain.

#![no_main]

use libfuzzer_sys::fuzz_target;
use pure::rules::check::{
    Family,
    Hook,
    Point, //
};
use pure::rules::field::{
    Field,
    Fields, //
};
use pure::rules::packet::{
    Key,
    Packet,
    Start, //
};
use pure::rules::rule::Builder;
use pure::rules::term::{
    Term,
    Test, //
};

#[allow(dead_code)]
#[path = "../../tests/common/mod.rs"]
mod common;

/// A term from numbers: the field, how it is tested, and two values, of which one is the packet's own now and then.
type Numbers = (u8, u8, u128, u128);

const TERMS_MAX: usize = 6;
const RULES_MAX: usize = 200;

fn term(&(field, how, one, other): &Numbers, key: &Key) -> Term {
    let field = Field::ALL[usize::from(field) % Field::ALL.len()];
    let own = key.get(field).filter(|_| how & 0x40 != 0);
    let value = own.unwrap_or(one & field.highest());
    let other = other & field.highest();
    let test = match how % 4 {
        0 => Test::Value(value),
        1 => {
            let width = field.width();
            let length = (other % u128::from(width + 1)) as u32;
            let low = 1u128.checked_shl(width - length).map_or(!0, |bit| bit - 1);
            Test::Prefix {
                value: value & !low,
                length: length as u8,
            }
        }
        2 => Test::Mask {
            value: value & other,
            mask: other,
        },
        _ => Test::Range {
            low: value.min(other),
            high: value.max(other),
        },
    };
    Term {
        field,
        negated: how & 0x80 != 0,
        test,
    }
}

type Input<'a> = (u8, u64, Vec<Vec<Numbers>>, u8, Option<u16>, &'a [u8]);

fuzz_target!(|input: Input<'_>| {
    let (place, seed, lists, kind, tag, bytes) = input;
    let (hook, family) = [
        (Hook::Egress, Family::Netdev),
        (Hook::Ingress, Family::Netdev),
        (Hook::Forward, Family::Inet),
        (Hook::Prerouting, Family::Inet),
    ][usize::from(place) % 4];
    let point = Point { hook, family };
    let start = if kind % 2 == 0 {
        Start::Ethernet
    } else {
        Start::Network {
            ethertype: if kind % 4 == 1 { 0x800 } else { 0x86dd },
            addresses: None,
        }
    };
    let packet = Packet {
        data: bytes,
        start,
        length: bytes.len() as u32,
        tag,
        in_device: kind.into(),
        out_device: 0,
        mark: 0,
        packet_type: 0,
        conntrack: None,
    };
    let own = Key::read(&packet, Fields::ALL);

    let mut rules: Vec<Vec<Term>> = vec![];
    for list in lists.iter().take(RULES_MAX) {
        let mut builder = Builder::new(point);
        let terms = list
            .iter()
            .take(TERMS_MAX)
            .map(|numbers| term(numbers, &own));
        // What contradicts itself, or cannot be seen at this hook, is refused.
        rules.push(terms.filter(|term| builder.term(term).is_ok()).collect());
    }
    let encoded = common::encode(point, rules.iter().map(|terms| &terms[..]));
    let Ok(compiled) = common::compile(encoded, seed) else {
        // Too many shapes.
        return;
    };
    let key = Key::read(&packet, compiled.layout.fields());

    let mut found = vec![];
    let mut from = 0;
    while let Some(position) = compiled.classifier().next(&key, from) {
        found.push(position);
        from = position + 1;
    }
    let matches = |&position: &u32| {
        let rule = compiled.rules().get(position).expect("it is there");
        rule.match_key(&key)
    };
    let wanted: Vec<u32> = (0..rules.len() as u32).filter(matches).collect();
    assert_eq!(found, wanted);
});
