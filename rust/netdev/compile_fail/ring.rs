// SPDX-License-Identifier: GPL-2.0

//! Each side of a ring is in one hand.

#![forbid(unsafe_code)]

use kernel::prelude::*;
use netdev::ring::{self, Filler, Poster, Taker};
use netdev::sync::Word;

fn two_posters(poster: &Poster<u32>) -> Poster<u32> {
    poster.clone() //~ E0308
}

fn taken_by_two(taker: &Taker<u32>) -> Option<u32> {
    taker.take() //~ E0596
}

fn filled_by_two(filler: &Filler<u32>) {
    filler.advance(1); //~ E0596
}

fn kept_while_it_is_handed_on(filler: &mut Filler<u32>) {
    let descriptor = filler.get(0);
    filler.advance(1); //~ E0499
    drop(descriptor);
}

fn kept_while_it_is_taken(taker: &mut Taker<u32>) -> Option<u32> {
    let next = taker.peek(0);
    taker.take(); //~ E0499
    next.copied()
}

fn posted_after_the_ring_was_emptied(
    mut poster: Poster<u32>,
    filler: Filler<u32>,
    taker: Taker<u32>,
) {
    ring::drain(poster, filler, taker, |_, _| ());
    let _ = poster.post(1); //~ E0382
}

fn of_what_cannot_be_sent() -> Result {
    ring::new::<*mut u32>(8)?; //~ E0277
    Ok(())
}

fn is_sync<T: Sync>() {}

fn a_word_of_what_is_no_word() {
    is_sync::<Word<[u64; 4]>>(); //~ E0277
}
