// SPDX-License-Identifier: GPL-2.0

//! The standard groups of `ethtool --groups`, and pause statistics.
//!
//! Bytes are counted as a MAC sees them, from the Ethernet header on with the frame check sequence: the counters they
//! are made of, which `ip -s link` shows, are without it.

use super::histogram::FCS_LEN;
use super::{drops_sent, sum, too_long, Drop, Lengths, MacControl};
use crate::port::PortData;
use netdev::counter::Counter;
use netdev::ethtool::{EthCtrlStats, EthMacStats, PauseStats, RmonStats};

/// The bytes of frames, with those of their frame check sequences.
fn octets(frames: &Counter, bytes: &Counter) -> u64 {
    let fcs = frames.get().wrapping_mul(FCS_LEN.into());
    bytes.get().wrapping_add(fcs)
}

/// Fills in the group `eth-mac`.
pub(crate) fn mac(data: &PortData, s: &mut EthMacStats) {
    let (tx, rx) = (data.end().outlets.iter(), data.poll.iter());
    s.frames_transmitted_ok = Some(sum(tx.clone(), |o| o.counters.frames.get()));
    s.octets_transmitted_ok = Some(sum(tx.clone(), |o| {
        octets(&o.counters.frames, &o.counters.bytes)
    }));
    s.multicast_frames_xmitted_ok = Some(sum(tx.clone(), |o| o.counters.multicast.get()));
    s.broadcast_frames_xmitted_ok = Some(sum(tx, |o| o.counters.broadcast.get()));
    s.frames_received_ok = Some(sum(rx.clone(), |p| p.frames.get()));
    s.octets_received_ok = Some(sum(rx.clone(), |p| octets(&p.frames, &p.bytes)));
    s.multicast_frames_received_ok = Some(sum(rx.clone(), |p| p.multicast.get()));
    s.broadcast_frames_received_ok = Some(sum(rx, |p| p.broadcast.get()));
    s.carrier_sense_errors = Some(drops_sent(data, Drop::NoCarrier));
    s.frame_too_long_errors = Some(too_long(data));
}

/// Pause frames sent: times a frame of the other end began to wait for a buffer.
fn pauses_sent(data: &PortData) -> u64 {
    sum(data.end().inlets.iter(), |i| i.counters.pauses.get())
}

/// Pause frames received that held up the sender: times a frame began to wait for a buffer of the other end.
fn pauses_received(data: &PortData) -> u64 {
    sum(data.end().outlets.iter(), |o| o.counters.pauses.get())
}

/// Of the MAC control frames that the other port's software sent.
fn from_software(data: &PortData, of: impl Fn(&MacControl) -> &Counter) -> u64 {
    let outlets = data.other_end().outlets.iter();
    sum(outlets, |o| of(&o.counters.mac_control).get())
}

/// Fills in the group `eth-ctrl`: the MAC's own control frames, which are pauses, and those of software.
pub(crate) fn ctrl(data: &PortData, s: &mut EthCtrlStats) {
    let sent = sum(data.end().outlets.iter(), |o| {
        o.counters.mac_control.sent.get()
    });
    s.transmitted = Some(pauses_sent(data).wrapping_add(sent));
    let received = from_software(data, |c| &c.received);
    s.received = Some(pauses_received(data).wrapping_add(received));
    s.unsupported = Some(from_software(data, |c| &c.unsupported));
}

/// Fills in the pause statistics.
pub(crate) fn pause(data: &PortData, s: &mut PauseStats) {
    s.tx_frames = Some(pauses_sent(data));
    let received = from_software(data, |c| &c.pauses);
    s.rx_frames = Some(pauses_received(data).wrapping_add(received));
    s.tx_storms = Some(sum(data.end().inlets.iter(), |i| i.counters.storms.get()));
}

/// Fills in the group `rmon`.
pub(crate) fn rmon(data: &PortData, s: &mut RmonStats) {
    fn add(to: &mut [Option<u64>], lengths: &Lengths, total: &Counter) {
        for (to, n) in to.iter_mut().zip(lengths.get(total)) {
            *to = Some(to.unwrap_or(0).wrapping_add(n));
        }
    }
    s.oversize = Some(too_long(data));
    for p in data.poll.iter() {
        add(&mut s.rx, &p.lengths, &p.frames);
    }
    for o in data.end().outlets.iter() {
        add(&mut s.tx, &o.counters.lengths, &o.counters.frames);
    }
}
