// SPDX-License-Identifier: GPL-2.0

//! Statistics: the standard groups, and those of a driver's own.

use core::fmt;
use core::fmt::Write;
use core::slice::IterMut;
use netdev_sys as bindings;

/// Bytes of a name, with the zero byte at its end.
const NAME_LEN: usize = bindings::ETH_GSTRING_LEN as usize;

optional_counters! {
    /// Basic IEEE 802.3 statistics of the MAC (30.3.1.1, `struct ethtool_eth_mac_stats`).
    pub struct EthMacStats -> bindings::ethtool_eth_mac_stats__bindgen_ty_1__bindgen_ty_1 {
        /// Frames sent.
        frames_transmitted_ok -> FramesTransmittedOK,
        /// Frames received.
        frames_received_ok -> FramesReceivedOK,
        /// Frames with a wrong check sequence.
        frame_check_sequence_errors -> FrameCheckSequenceErrors,
        /// Frames that are no whole number of bytes.
        alignment_errors -> AlignmentErrors,
        /// Bytes sent.
        octets_transmitted_ok -> OctetsTransmittedOK,
        /// Frames lost on their way out for an error within the device.
        frames_lost_due_to_int_mac_xmit_error -> FramesLostDueToIntMACXmitError,
        /// Frames lost for want of a carrier.
        carrier_sense_errors -> CarrierSenseErrors,
        /// Bytes received.
        octets_received_ok -> OctetsReceivedOK,
        /// Frames lost on their way in for an error within the device.
        frames_lost_due_to_int_mac_rcv_error -> FramesLostDueToIntMACRcvError,
        /// Multicast frames sent.
        multicast_frames_xmitted_ok -> MulticastFramesXmittedOK,
        /// Broadcast frames sent.
        broadcast_frames_xmitted_ok -> BroadcastFramesXmittedOK,
        /// Multicast frames received.
        multicast_frames_received_ok -> MulticastFramesReceivedOK,
        /// Broadcast frames received.
        broadcast_frames_received_ok -> BroadcastFramesReceivedOK,
        /// Frames whose length is not what their length field says.
        in_range_length_errors -> InRangeLengthErrors,
        /// Frames whose length field is beyond what is allowed.
        out_of_range_length_field -> OutOfRangeLengthField,
        /// Frames longer than allowed.
        frame_too_long_errors -> FrameTooLongErrors,
    }
}

impl EthMacStats {
    pub(super) fn store_in(&self, to: &mut bindings::ethtool_eth_mac_stats) {
        // SAFETY: Both members of the union have the same layout (struct_group).
        self.store(unsafe { &mut to.__bindgen_anon_1.__bindgen_anon_1 });
    }
}

optional_counters! {
    /// IEEE 802.3 statistics of MAC control frames (30.3.3, `struct ethtool_eth_ctrl_stats`).
    pub struct EthCtrlStats -> bindings::ethtool_eth_ctrl_stats__bindgen_ty_1__bindgen_ty_1 {
        /// Control frames sent.
        transmitted -> MACControlFramesTransmitted,
        /// Control frames received.
        received -> MACControlFramesReceived,
        /// Control frames of an unknown kind.
        unsupported -> UnsupportedOpcodesReceived,
    }
}

impl EthCtrlStats {
    pub(super) fn store_in(&self, to: &mut bindings::ethtool_eth_ctrl_stats) {
        // SAFETY: Both members of the union have the same layout (struct_group).
        self.store(unsafe { &mut to.__bindgen_anon_1.__bindgen_anon_1 });
    }
}

/// Buckets of a histogram of frame lengths there can be.
const BUCKETS_MAX: usize = bindings::ETHTOOL_RMON_HIST_MAX as usize;

/// The buckets of a histogram of frame lengths.
pub struct RmonRanges(pub(super) [bindings::ethtool_rmon_hist_range; BUCKETS_MAX + 1]);

impl RmonRanges {
    /// No histogram.
    pub const NONE: RmonRanges = RmonRanges::new(&[]);

    /// Makes them of pairs: least and greatest length of each bucket, in bytes with the frame check sequence.
    #[inline] // Evaluated at compile time only: no code is made of it.
    pub const fn new(ranges: &[(u16, u16)]) -> Self {
        assert!(ranges.len() <= BUCKETS_MAX, "too many buckets");
        const END: bindings::ethtool_rmon_hist_range =
            bindings::ethtool_rmon_hist_range { low: 0, high: 0 };
        let mut all = [END; BUCKETS_MAX + 1];
        let (mut from, mut to): (_, &mut [_]) = (ranges, &mut all);
        while let ([(low, high), other @ ..], [slot, room @ ..]) = (from, to) {
            let (low, high) = (*low, *high);
            assert!(low <= high && high > 0, "an empty bucket");
            *slot = bindings::ethtool_rmon_hist_range { low, high };
            (from, to) = (other, room);
        }
        RmonRanges(all)
    }
}

/// Statistics of remote monitoring (RFC 2819, `struct ethtool_rmon_stats`).
///
/// The histograms have one entry for each bucket of [`Operations::RMON_RANGES`](super::Operations::RMON_RANGES).
#[derive(Default, Clone, Copy, PartialEq, Eq, Debug)]
pub struct RmonStats {
    /// Frames shorter than allowed.
    pub undersize: Option<u64>,
    /// Frames longer than allowed.
    pub oversize: Option<u64>,
    /// Frames shorter than allowed with a wrong check sequence.
    pub fragments: Option<u64>,
    /// Frames longer than allowed with a wrong check sequence.
    pub jabbers: Option<u64>,
    /// Frames received, by length.
    pub rx: [Option<u64>; BUCKETS_MAX],
    /// Frames sent, by length.
    pub tx: [Option<u64>; BUCKETS_MAX],
}

impl RmonStats {
    pub(super) fn store_in(&self, to: &mut bindings::ethtool_rmon_stats) {
        // SAFETY: Both members of the union have the same layout (struct_group).
        let to = unsafe { &mut to.__bindgen_anon_1.__bindgen_anon_1 };
        let plain = [
            (&mut to.undersize_pkts, self.undersize),
            (&mut to.oversize_pkts, self.oversize),
            (&mut to.fragments, self.fragments),
            (&mut to.jabbers, self.jabbers),
        ];
        let rx = to.hist.iter_mut().zip(self.rx);
        let tx = to.hist_tx.iter_mut().zip(self.tx);
        for (slot, value) in plain.into_iter().chain(rx).chain(tx) {
            if let Some(v) = value {
                *slot = v;
            }
        }
    }
}

/// Where a driver's own statistics go: what [`Operations::statistics`](super::Operations::statistics) adds, in its
/// order.
///
/// The core asks three times, for the number, the names, and the values; the driver lists names with values and
/// needs not know which is wanted.
pub struct Report<'a>(Want<'a>);

enum Want<'a> {
    Count(u32),
    Names(IterMut<'a, [u8; NAME_LEN]>),
    Values(IterMut<'a, u64>),
}

impl<'a> Report<'a> {
    pub(super) fn count() -> Self {
        Report(Want::Count(0))
    }

    pub(super) fn names(names: &'a mut [[u8; NAME_LEN]]) -> Self {
        Report(Want::Names(names.iter_mut()))
    }

    pub(super) fn values(values: &'a mut [u64]) -> Self {
        Report(Want::Values(values.iter_mut()))
    }

    /// How many were added, if that was the question.
    pub(super) fn counted(&self) -> u32 {
        match self.0 {
            Want::Count(n) => n,
            _ => 0,
        }
    }

    /// Adds one. A name has up to 31 bytes; it is cut off behind them.
    pub fn add(&mut self, name: fmt::Arguments<'_>, value: u64) {
        match &mut self.0 {
            Want::Count(n) => *n = n.saturating_add(1),
            Want::Names(names) => {
                if let Some(slot) = names.next() {
                    write_name(slot, name);
                }
            }
            Want::Values(values) => {
                if let Some(slot) = values.next() {
                    *slot = value;
                }
            }
        }
    }
}

/// Writes a name into an entry of a string set; what does not fit is cut off.
pub(super) fn write_name(slot: &mut [u8; NAME_LEN], name: fmt::Arguments<'_>) {
    *slot = [0; NAME_LEN];
    // One byte stays zero.
    let mut cursor = Cursor(
        slot.split_last_mut()
            .map(|(_, s)| s.iter_mut())
            .unwrap_or_default(),
    );
    // What does not fit is the only error there is.
    let _ = cursor.write_fmt(name);
}

struct Cursor<'a>(IterMut<'a, u8>);

impl fmt::Write for Cursor<'_> {
    fn write_str(&mut self, s: &str) -> fmt::Result {
        for b in s.bytes() {
            *self.0.next().ok_or(fmt::Error)? = b;
        }
        Ok(())
    }
}

/// The names of a fixed set of strings.
pub(super) fn write_names(slots: &mut [[u8; NAME_LEN]], names: &[&str]) {
    for (slot, name) in slots.iter_mut().zip(names) {
        write_name(slot, format_args!("{name}"));
    }
}
