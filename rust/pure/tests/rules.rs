// SPDX-License-Identifier: GPL-2.0

//! The classifier against a walk over the rules, one after the other.
//!
//! What is compared is a great many random lists of rules and packets. The walk shares nothing with
//! the classifier but the rules as they are given: the values that it tests are those the packet
//! was made from, and it tests them in the plainest way.
//!
//! `PURE_PAIRS=1000000 cargo test --test rules` takes more pairs of a list and a packet than the
//! ordinary run.

mod common;

use common::{
    compile,
    Made,
    Random,
    World, //
};
use pure::rules::classify::{
    Error,
    Plan,
    SCRATCH_WORDS,
    SHAPES_MAX, //
};
use pure::rules::field::{
    Field,
    Fields,
    COUNT, //
};
use pure::rules::packet::{
    Key,
    Start, //
};
use pure::rules::rule::{
    Rules,
    RULES_MAX, //
};
use pure::rules::term::{
    Term,
    Test, //
};

type Values = [Option<u128>; COUNT];

/// Whether a term holds, bit by bit.
fn holds(term: &Term, values: &Values) -> bool {
    let Some(value) = values[usize::from(term.field.number())] else {
        return false;
    };
    let width = term.field.width();
    let result = match term.test {
        Test::Value(wanted) => value == wanted,
        Test::Prefix {
            value: wanted,
            length,
        } => (0..u32::from(length)).all(|n| (value ^ wanted) >> (width - 1 - n) & 1 == 0),
        Test::Mask {
            value: wanted,
            mask,
        } => (0..width).all(|n| mask >> n & 1 == 0 || (value ^ wanted) >> n & 1 == 0),
        Test::Range { low, high } => (low..=high).contains(&value),
    };
    result != term.negated
}

/// All positions that match.
fn walk(rules: &[Vec<Term>], values: &Values) -> Vec<u32> {
    let positions = rules.iter().zip(0..);
    let matching = positions.filter(|(terms, _)| terms.iter().all(|term| holds(term, values)));
    matching.map(|(_, position)| position).collect()
}

#[derive(Default, Debug)]
struct Count {
    pairs: usize,
    matches: usize,
    with_match: usize,
    with_several: usize,
}

/// Compares one list of rules with some packets.
fn compare(seed: u64, count: &mut Count) {
    let r = &mut Random(seed);
    let world = World::new(r);
    let size = match r.below(20) {
        0 => 0,
        1 => 300 + r.below(700),
        2..=4 => 100 + r.below(100),
        _ => 1 + r.below(40),
    };
    let rules = world.rules(r, size);
    let compiled = compile(world.encode(&rules), r.next()).expect("few enough shapes");
    let classifier = compiled.classifier();
    let wanted = compiled.layout.fields();

    for _ in 0..50 {
        let made = Made::new(&world, r);
        let mut values = made.fields;
        let mut packet = made.packet(made.len());
        let key = Key::read(&packet, Fields::ALL);

        for field in Field::ALL {
            let expected = values[usize::from(field.number())];
            assert_eq!(key.get(field), expected, "{field:?}, seed {seed:#x}");
        }
        if r.one_in(5) {
            // Cut off somewhere: what is left of the fields is tested elsewhere.
            packet = made.packet(r.below(made.len() + 1));
            let key = Key::read(&packet, Fields::ALL);
            values = Field::ALL.map(|field| key.get(field));
        }
        let key = Key::read(&packet, wanted);
        let expected = walk(&rules, &values);
        let mut found = vec![];
        let mut from = 0;
        while let Some(position) = classifier.next(&key, from) {
            found.push(position);
            from = position + 1;
        }
        assert_eq!(found, expected, "seed {seed:#x}");

        let ip = match packet.start {
            Start::Network {
                ethertype: 0x800, ..
            } => Some((packet.data, packet.length)),
            Start::Ethernet if packet.data.get(12..14) == Some(&[8, 0]) => {
                Some((&packet.data[14..], packet.length - 14))
            }
            _ => None,
        };
        if let Some((data, length)) = ip {
            // What all rules have in common excludes no packet that one of them matches.
            let start = data.first_chunk();
            if start.is_some_and(|ip| compiled.layout.hull().excludes(ip)) {
                assert_eq!(expected, [], "excluded, seed {seed:#x}");
            }
            // The short way to the fields of the headers.
            let (mut short, all) = (Key::empty(), Key::read(&packet, Fields::ALL));
            short.fill_headers(data, length as usize);
            for field in Field::ALL {
                let is_there = Fields::IP.contains(field);
                let value = all.get(field).filter(|_| is_there);
                assert_eq!(short.get(field), value, "{field:?}, seed {seed:#x}");
            }
        }

        // From anywhere, not only from where a match was.
        let from = r.below(size + 2) as u32;
        let next = expected.iter().copied().find(|&position| position >= from);
        assert_eq!(
            classifier.next(&key, from),
            next,
            "from {from}, seed {seed:#x}"
        );
        for (position, terms) in rules.iter().enumerate().take(8) {
            let rule = compiled.rules().get(position as u32).expect("it is there");
            let all = terms.iter().all(|term| holds(term, &values));
            assert_eq!(rule.match_key(&key), all, "seed {seed:#x}");
        }

        count.pairs += 1;
        count.matches += expected.len();
        count.with_match += usize::from(!expected.is_empty());
        count.with_several += usize::from(expected.len() > 1);
    }
}

#[test]
fn classifier_equals_walk() {
    let pairs = std::env::var("PURE_PAIRS").map_or(100_000, |n| n.parse().expect("a number"));
    let mut count = Count::default();
    let mut seed = 0x0123_4567_89ab_cdef;

    while count.pairs < pairs {
        compare(seed, &mut count);
        seed += 1;
    }
    println!("{count:?}");
    // The comparison means something only if packets match, and don't.
    assert!(count.with_match * 4 > pairs && count.with_match < pairs);
    assert!(count.with_several * 8 > pairs);
}

fn is(field: Field, test: Test) -> Term {
    Term {
        field,
        negated: false,
        test,
    }
}

const POINT: pure::rules::check::Point = pure::rules::check::Point {
    hook: pure::rules::check::Hook::Forward,
    family: pure::rules::check::Family::Inet,
};

fn encode(rules: &[Vec<Term>]) -> (Vec<u32>, Vec<u32>) {
    common::encode(POINT, rules.iter().map(|terms| &terms[..]))
}

/// Masks of a mark, as many different ones as wanted.
fn masks(count: usize) -> Vec<Vec<Term>> {
    let mask = |mask: usize| Test::Mask {
        value: 0,
        mask: mask as u128 + 1,
    };
    (0..count).map(|n| vec![is(Field::Mark, mask(n))]).collect()
}

#[test]
fn too_many_shapes() {
    assert!(compile(encode(&masks(SHAPES_MAX)), 1).is_ok());
    let mut rules = masks(SHAPES_MAX);
    // Rules of shapes that are there are no trouble.
    rules.extend(masks(10));
    rules.extend(masks(SHAPES_MAX + 3).split_off(SHAPES_MAX));
    let error = compile(encode(&rules), 1).err();
    assert_eq!(error, Some(Error::TooManyShapes(SHAPES_MAX as u32 + 10)));
}

#[test]
fn bad_input() {
    let mut scratch = vec![0; SCRATCH_WORDS];
    let offsets = vec![0; RULES_MAX + 1];
    let plan = Plan::new(Rules::new(&[0x101], &offsets), 1, &mut scratch);
    assert_eq!(plan.err(), Some(Error::TooManyRules));

    let (words, mut offsets) = encode(&masks(3));
    let rules = Rules::new(&words, &offsets);
    let plan = Plan::new(rules, 1, &mut scratch[1..]);
    assert_eq!(plan.err(), Some(Error::NoMemory));
    for missing in 1..4 {
        let plan = Plan::new(rules, 1, &mut scratch).unwrap();
        let mut memory = vec![0; plan.words() - missing];
        assert_eq!(plan.build(&mut memory).err(), Some(Error::NoMemory));
    }
    offsets[2] = words.len() as u32;
    let plan = Plan::new(Rules::new(&words, &offsets), 1, &mut scratch);
    assert_eq!(plan.err(), Some(Error::NoRule(2)));
}

/// Whatever the memory holds, a look-up ends and stays within it.
#[test]
fn damaged_memory() {
    let r = &mut Random(7);
    let world = World::new(r);
    let rules = world.rules(r, 200);
    let mut compiled = compile(world.encode(&rules), 5).expect("few enough shapes");
    let made = Made::new(&world, r);
    let key = Key::read(&made.packet(made.len()), Fields::ALL);

    for _ in 0..200 {
        for _ in 0..r.below(20) {
            let n = r.below(compiled.memory.len());
            // Mostly small changes, and not of a table's size: a larger one is only slow.
            compiled.memory[n] ^= 1 << r.below(16);
        }
        let _ = compiled.classifier().next(&key, r.below(220) as u32);
    }
}

/// Many rules with the same match: going from one to the next doesn't begin at the first.
#[test]
fn many_alike() {
    let rule = vec![
        is(Field::Mark, Test::Value(0)),
        is(Field::Length, Test::Value(0)),
    ];
    let others = is(Field::Mark, Test::Value(9));
    let rules: Vec<_> = (0..100_000)
        .map(|n| {
            if n % 2 == 0 {
                rule.clone()
            } else {
                vec![others]
            }
        })
        .collect();
    let compiled = compile(encode(&rules), 1).unwrap();
    let packet = pure::rules::packet::Packet {
        data: &[],
        start: pure::rules::packet::Start::Ethernet,
        length: 0,
        tag: None,
        in_device: 0,
        out_device: 0,
        mark: 0,
        packet_type: 0,
        conntrack: None,
    };
    let key = Key::read(&packet, compiled.layout.fields());
    let mut from = 0;
    let mut found = 0;
    while let Some(position) = compiled.classifier().next(&key, from) {
        assert_eq!(position, found * 2);
        from = position + 1;
        found += 1;
    }
    assert_eq!(found, 50_000);
}
