// SPDX-License-Identifier: GPL-2.0

//! A packet has one owner, and who gave it away cannot reach it.

#![forbid(unsafe_code)]

use netdev::napi::{Handler, Poll, TxPoll};
use netdev::page_pool::Buffer;
use netdev::ring::Poster;
use netdev::skb::{OwnedSkb, Reason, RxSkb, SkBuff};

fn used_after_drop(skb: SkBuff) -> u32 {
    skb.drop_with(Reason::FULL_RING);
    skb.len() //~ E0382
}

fn freed_twice(skb: SkBuff) {
    skb.consume();
    skb.drop_with(Reason::FULL_RING); //~ E0382
}

fn used_after_transmission(ring: &mut Poster<SkBuff>, skb: SkBuff) -> u32 {
    let _ = ring.post(skb);
    skb.len() //~ E0382
}

fn used_after_completion(poll: &TxPoll<'_>, skb: SkBuff) -> u32 {
    poll.consume(skb);
    skb.len() //~ E0382
}

fn used_after_gro<H: Handler>(poll: &Poll<'_, H>, skb: RxSkb) -> u32 {
    poll.gro_receive(skb);
    skb.len() //~ E0382
}

fn used_after_receive<H: Handler>(poll: &Poll<'_, H>, skb: OwnedSkb) -> u32 {
    poll.receive(skb);
    skb.skb().len() //~ E0382
}

fn bytes_kept(skb: SkBuff) -> Option<u8> {
    let bytes = skb.linear();
    skb.consume(); //~ E0505
    bytes.first().copied()
}

fn copied(skb: &SkBuff) -> SkBuff {
    *skb //~ E0507
}

fn written(skb: &mut SkBuff) {
    if let Some(byte) = skb.linear().first() {
        *byte = 0; //~ E0594
    }
}

fn built_upon_what_the_stack_sent(skb: &mut SkBuff) {
    let _ = skb.put(&[0; 4]); //~ E0599
}

fn received_though_it_may_be_shared<H: Handler>(poll: &Poll<'_, H>, skb: SkBuff) {
    poll.receive(skb); //~ E0308
}

fn buffer_used_after_it_went_into_a_packet(skb: &mut RxSkb, buffer: Buffer) -> u32 {
    let _ = skb.add_frag(buffer, 0, 1);
    buffer.len() //~ E0382
}
