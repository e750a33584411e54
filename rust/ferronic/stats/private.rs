// SPDX-License-Identifier: GPL-2.0

//! `ethtool -S`: what no standard statistic tells.
//!
//! Drops by reason, each frame told once, by the sender or by the receiver; what polls do, over all channels, and for
//! each channel in use and each n-tuple rule. Names do not change; scripts may rely on them.

use super::histogram::BATCH_NAMES;
use super::{drops_sent, drops_towards, sum, too_long, Drop};
use crate::port::Port;
use netdev::device::Locked;
use netdev::ethtool::Report;

/// Lists them.
pub(crate) fn report(dev: &mut Locked<'_, Port>, report: &mut Report<'_>) {
    let (device, state) = dev.parts();
    let data = device.data();
    let end = data.end();

    // Frames counted as sent by this port that never reached the wire.
    let sent = [
        ("no_carrier", Drop::NoCarrier),
        ("too_short", Drop::TooShort),
        ("segmentation", Drop::Segmentation),
        ("closed", Drop::Closed),
    ];
    for (name, reason) in sent {
        report.add(format_args!("tx_drop_{name}"), drops_sent(data, reason));
    }

    // Frames counted as sent by the other port that this one did not receive.
    let towards = [
        ("filtered", Drop::Filtered),
        ("rule", Drop::Rule),
        ("no_buffer", Drop::NoBuffer),
        ("pause_expired", Drop::PauseExpired),
    ];
    for (name, reason) in towards {
        report.add(format_args!("rx_drop_{name}"), drops_towards(data, reason));
    }
    report.add(format_args!("rx_drop_too_long"), too_long(data));
    report.add(format_args!("rx_drop_unread"), end.closed.get(Drop::Unread));
    let all = data.poll.iter();
    report.add(
        format_args!("rx_drop_no_memory"),
        sum(all.clone(), |p| p.no_memory.get()),
    );

    report.add(
        format_args!("gro_merged"),
        sum(all.clone(), |p| p.merged.get()),
    );
    report.add(
        format_args!("napi_polls"),
        sum(all.clone(), |p| p.polls.get()),
    );
    report.add(
        format_args!("napi_frames"),
        sum(all.clone(), |p| p.frames.get()),
    );
    report.add(
        format_args!("napi_completions"),
        sum(all.clone(), |p| p.completed.get()),
    );
    for (bucket, name) in BATCH_NAMES.iter().enumerate() {
        report.add(
            format_args!("napi_polls_of_{name}"),
            sum(all.clone(), |p| p.batches.get(bucket)),
        );
    }

    for (i, p) in all.enumerate().take(state.channels as usize) {
        report.add(format_args!("ch{i}_raises"), p.raises.get());
        report.add(format_args!("ch{i}_adaptations"), p.adaptations.get());
        report.add(format_args!("ch{i}_polls"), p.polls.get());
        report.add(format_args!("ch{i}_frames"), p.frames.get());
        report.add(format_args!("ch{i}_completions"), p.completed.get());
        report.add(format_args!("ch{i}_gro_merged"), p.merged.get());
    }

    // Frames that a rule was applied to, since it was set.
    for rule in &state.rules {
        report.add(
            format_args!("rule{}_frames", rule.location),
            end.steering.hits(rule.location),
        );
    }
}
