// SPDX-License-Identifier: GPL-2.0

//! Segmentation: a super frame's headers become those of each frame.
//!
//! The stack hands over TCP (TSO) and UDP (USO) payload of many frames with one set of headers.
//! What all frames share is worked out once, in a [`Plan`]; [`Plan::write_headers`] then writes the
//! headers of one frame with a few additions. The payload is the caller's to copy, and it is to be
//! summed on the way ([`copy_and_sum`]): [`Partial::finish`] makes the checksum of both sums.
//!
//! Where segmentation is, is a [`Cursor`] of eight bytes. It can stop after any frame and go on
//! later from the same plan, or from one made anew from the same headers.
//!
//! What differs from frame to frame, as on hardware and in the kernel's own segmentation:
//!
//! - IPv4: total length, identification (counting up, unless it is to stay), header checksum.
//! - IPv6: payload length. Extension headers are copied.
//! - TCP (RFC 9293): sequence number; FIN and PSH are on the last frame only, CWR on the first only
//!   (RFC 3168), unless accurate ECN wants it on all (RFC 9768).
//! - UDP (RFC 768): length. A checksum of 0 says there is none, and stays; a computed 0 is sent as
//!   0xffff.
//!
//! ```
//! use pure::checksum::copy_and_sum;
//! use pure::segment::{Cursor, Layout, Plan, Protocol};
//!
//! # fn main() {
//! # let headers: Vec<u8> = [
//! #     [2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0].as_slice(),
//! #     &[0x45, 0, 0, 0, 0, 1, 0x40, 0, 64, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2],
//! #     &[0, 7, 0, 9, 0, 0, 0xff, 0xff],
//! # ].concat();
//! # let payload = [7; 2500];
//! # let layout = Layout {
//! #     protocol: Protocol::Udp, network_offset: 14, transport_offset: 34, header_length: 42,
//! #     segment_size: 1000, payload_length: 2500, fixed_id: false, keep_cwr: false,
//! #     pseudo: false,
//! # };
//! let plan = Plan::new(&headers, &layout).unwrap();
//! let mut cursor = Cursor::default();
//! let mut lengths = vec![];
//! while let Some(length) = plan.next_length(cursor) {
//!     let mut frame = [0; 1500];
//!     let partial = plan.write_headers(&headers, cursor, &mut frame).unwrap();
//!     let payload = &payload[cursor.offset() as usize..][..length as usize];
//!     let (_, sum) = copy_and_sum(&mut frame[headers.len()..], payload);
//!     partial.finish(&mut frame, sum);
//!     lengths.push(length);
//!     plan.advance(&mut cursor);
//! }
//! assert_eq!(lengths, [1000, 1000, 500]);
//! # }
//! ```

use crate::aggregate::Gso as Merged;
use crate::checksum::{
    copy_and_sum,
    is_seed,
    Sum, //
};
use crate::header::{
    array_at,
    IPV4_LEN,
    IPV6_LEN,
    TCP,
    TCP_LEN,
    UDP,
    UDP_LEN, //
};

/// Longest headers, from the Ethernet header to the transport header: a template of this size holds
/// two tags, IPv4 or IPv6 with options and a TCP header with options.
pub const HEADER_MAX: usize = 192;

/// Where the transport header may begin so that all of it has room, whatever its options: a TCP
/// header has 60 bytes at most.
pub const TRANSPORT_MAX: usize = HEADER_MAX - 60;

const FIN: u16 = 1 << 0;
const PSH: u16 = 1 << 3;
const CWR: u16 = 1 << 7;

/// The transport protocol that is segmented.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// TCP (TSO).
    Tcp,
    /// UDP (USO).
    Udp,
}

/// What the stack says of a super frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    /// The transport protocol.
    pub protocol: Protocol,
    /// Offset of the network header.
    pub network_offset: u16,
    /// Offset of the transport header.
    pub transport_offset: u16,
    /// Length of all headers: offset of the payload.
    pub header_length: u16,
    /// Payload bytes of a full frame (`gso_size`).
    pub segment_size: u16,
    /// Payload bytes altogether.
    pub payload_length: u32,
    /// The IPv4 identification stays the same (`SKB_GSO_TCP_FIXEDID`, `NETIF_F_TSO_MANGLEID`).
    pub fixed_id: bool,
    /// CWR is part of accurate ECN and stays on all frames (`SKB_GSO_TCP_ACCECN`).
    pub keep_cwr: bool,
    /// The checksum field holds the sum of the pseudo header of the whole super frame (`CHECKSUM_PARTIAL`). It is over
    /// the address where the packet ends, which a source route or a routing header makes another than the IP header's.
    pub pseudo: bool,
}

/// Why a super frame can't be segmented.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Invalid {
    /// Headers don't follow each other, or are longer than the template or [`HEADER_MAX`].
    Layout,
    /// The network header isn't IPv4 or IPv6 of the length that the layout leaves for it, or it
    /// doesn't carry the protocol.
    Network,
    /// The transport header hasn't the length that the layout leaves for it.
    Transport,
    /// The segment size is 0, or a full frame would be longer than IP can say.
    Size,
}

/// Where segmentation is: in front of a frame.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cursor {
    segment: u32,
    offset: u32,
}

impl Cursor {
    /// Number of frames done.
    #[inline]
    pub fn segment(self) -> u32 {
        self.segment
    }

    /// Where the next frame's payload begins in the whole payload.
    #[inline]
    pub fn offset(self) -> u32 {
        self.offset
    }
}

/// Frames that follow each other and stay together ([`Plan::next_run`]).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Run {
    /// Number of frames: two at least, where they were found together.
    pub segments: u16,
    /// Bytes of payload.
    pub payload: u32,
}

/// What all frames of a super frame share.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    layout: Layout,
    segments: u32,
    /// Whether the network layer is IPv4, and if so: identification of the first frame, and sum of
    /// the header without total length, identification and checksum.
    ipv4: Option<(u16, Sum)>,
    /// Sequence number of the first frame. 0 for UDP.
    sequence: u32,
    /// The 16 bits of the TCP header with data offset and flags. 0 for UDP.
    flags: u16,
    /// Sum of the pseudo header without length, and of the transport header without what differs
    /// from frame to frame (the fields above, UDP's length, the checksum). `None` for UDP without
    /// a checksum.
    transport: Option<Sum>,
    /// Whether the frames' checksums are right.
    sums: bool,
}

/// The sum of a frame's pseudo header and transport header; the payload's is missing.
#[derive(Clone, Copy, Debug)]
#[must_use = "the frame has no checksum until `finish` has written it"]
pub struct Partial {
    sum: Option<Sum>,
    field: u16,
    protocol: Protocol,
}

impl Partial {
    /// Adds the sum of the payload and writes the checksum into the frame.
    ///
    /// Returns whether the frame was long enough, as it is if the headers were written into it.
    #[inline]
    pub fn finish(self, frame: &mut [u8], payload: Sum) -> bool {
        let Some(mut sum) = self.sum else {
            return true;
        };
        sum.add_sum(payload);
        let checksum = match self.protocol {
            Protocol::Tcp => sum.checksum(),
            Protocol::Udp => sum.checksum_nonzero(),
        };
        put16(frame, self.field.into(), checksum).is_some()
    }
}

/// Writes a big-endian number, if the slice has the place.
#[inline]
fn put16(bytes: &mut [u8], offset: usize, value: u16) -> Option<()> {
    *bytes.get_mut(offset..)?.first_chunk_mut()? = value.to_be_bytes();
    Some(())
}

/// Writes a big-endian number, if the slice has the place.
#[inline]
fn put32(bytes: &mut [u8], offset: usize, value: u32) -> Option<()> {
    *bytes.get_mut(offset..)?.first_chunk_mut()? = value.to_be_bytes();
    Some(())
}

impl Plan {
    /// Works out what the frames share.
    ///
    /// `template` begins with the headers, `layout.header_length` bytes.
    ///
    /// # Errors
    ///
    /// The headers are checked as far as they matter here; see [`Invalid`].
    pub fn new(template: &[u8], layout: &Layout) -> Result<Plan, Invalid> {
        let headers = template
            .get(..layout.header_length.into())
            .filter(|headers| headers.len() <= HEADER_MAX)
            .ok_or(Invalid::Layout)?;
        let (before, transport) = headers
            .split_at_checked(layout.transport_offset.into())
            .ok_or(Invalid::Layout)?;
        let network = before
            .get(layout.network_offset.into()..)
            .ok_or(Invalid::Layout)?;

        let version = network.first().ok_or(Invalid::Network)? >> 4;
        let longest = match version {
            4 => 0xffffusize,
            6 => 0xffff_usize.wrapping_add(IPV6_LEN),
            _ => return Err(Invalid::Network),
        };
        let full = u32::from(layout.segment_size).min(layout.payload_length) as usize;
        let length = network
            .len()
            .wrapping_add(transport.len())
            .wrapping_add(full);
        if layout.segment_size == 0 || length > longest {
            return Err(Invalid::Size);
        }

        let mut plan = Plan {
            layout: *layout,
            segments: layout
                .payload_length
                .saturating_sub(1)
                .checked_div(u32::from(layout.segment_size))
                .ok_or(Invalid::Size)?
                .wrapping_add(1),
            ipv4: None,
            sequence: 0,
            flags: 0,
            transport: None,
            sums: true,
        };
        let number = match layout.protocol {
            Protocol::Tcp => TCP,
            Protocol::Udp => UDP,
        };
        let mut sum = if version == 4 {
            plan.read_ipv4(network, number)
        } else {
            read_ipv6(network, number)
        }
        .ok_or(Invalid::Network)?;
        plan.read_transport(transport, &mut sum)
            .ok_or(Invalid::Transport)?;
        Ok(plan)
    }

    /// Reads the IPv4 header and returns the sum of the pseudo header, which has no length here.
    fn read_ipv4(&mut self, network: &[u8], protocol: u8) -> Option<Sum> {
        let ip = network.first_chunk::<IPV4_LEN>()?;
        let length = usize::from(ip[0] & 0xf).wrapping_mul(4);

        if length != network.len() || ip[9] != protocol {
            return None;
        }
        let mut sum = Sum::new();
        sum.add_bytes(network.get(..2)?);
        sum.add_bytes(network.get(6..10)?);
        sum.add_bytes(network.get(12..)?);
        self.ipv4 = Some((u16::from_be_bytes([ip[4], ip[5]]), sum));
        Some(Sum::pseudo_ipv4(ip.last_chunk()?, protocol, 0))
    }

    /// Reads the transport header and adds it to the sum of the pseudo header.
    fn read_transport(&mut self, transport: &[u8], sum: &mut Sum) -> Option<()> {
        match self.layout.protocol {
            Protocol::Tcp => {
                let tcp = transport.first_chunk::<TCP_LEN>()?;

                if usize::from(tcp[12] >> 4).wrapping_mul(4) != transport.len() {
                    return None;
                }
                self.sequence = u32::from_be_bytes([tcp[4], tcp[5], tcp[6], tcp[7]]);
                self.flags = u16::from_be_bytes([tcp[12], tcp[13]]);
                if self.layout.pseudo {
                    let length = self.layout.payload_length;
                    let length = length.wrapping_add(transport.len() as u32);
                    self.take_seed(sum, [tcp[16], tcp[17]], length);
                }
                sum.add_bytes(transport.get(..4)?);
                sum.add_bytes(transport.get(8..12)?);
                sum.add_bytes(transport.get(14..16)?);
                sum.add_bytes(transport.get(18..)?);
            }
            Protocol::Udp => {
                let [p0, p1, p2, p3, l0, l1, c0, c1] =
                    *<&[u8; UDP_LEN]>::try_from(transport).ok()?;

                if [c0, c1] == [0, 0] {
                    return Some(());
                }
                if self.layout.pseudo {
                    let length = u16::from_be_bytes([l0, l1]).into();
                    self.take_seed(sum, [c0, c1], length);
                }
                sum.add_bytes(&[p0, p1, p2, p3]);
            }
        }
        self.transport = Some(*sum);
        Some(())
    }

    /// Puts what was in the place of the checksum, which should be the sum of the pseudo header with that length,
    /// where that sum without length is.
    fn take_seed(&mut self, sum: &mut Sum, seed: [u8; 2], length: u32) {
        let mut pseudo = *sum;
        pseudo.add_long(length);
        self.sums = is_seed(seed, pseudo);
        *sum = without_length(seed, length);
    }

    /// Whether the frames' checksums are right: where they were left to be filled in
    /// ([`Layout::pseudo`]), whether the sum of the pseudo header was in their place.
    #[inline]
    pub fn sums_right(&self) -> bool {
        self.sums
    }

    /// Number of frames.
    #[inline]
    pub fn segments(&self) -> u32 {
        self.segments
    }

    /// Length of the headers of each frame.
    #[inline]
    pub fn header_length(&self) -> usize {
        self.layout.header_length.into()
    }

    /// Payload length of the next frame; `None` behind the last one.
    ///
    /// A super frame without payload is one frame without payload.
    #[inline]
    pub fn next_length(&self, cursor: Cursor) -> Option<u32> {
        if cursor.segment >= self.segments {
            return None;
        }
        let rest = self.layout.payload_length.saturating_sub(cursor.offset);
        Some(rest.min(self.layout.segment_size.into()))
    }

    /// Bytes of payload of each frame but the last.
    #[inline]
    pub fn segment_size(&self) -> u32 {
        self.layout.segment_size.into()
    }

    /// Steps over one frame.
    #[inline]
    pub fn advance(&self, cursor: &mut Cursor) {
        if let Some(length) = self.next_length(*cursor) {
            cursor.segment = cursor.segment.wrapping_add(1);
            cursor.offset = cursor.offset.wrapping_add(length);
        }
    }

    /// Bytes of all frames that are still to come, headers included.
    #[inline]
    pub fn remaining_bytes(&self, cursor: Cursor) -> u64 {
        let frames = self.segments.saturating_sub(cursor.segment);
        let headers = u64::from(frames).wrapping_mul(self.layout.header_length.into());
        let payload = self.layout.payload_length.saturating_sub(cursor.offset);

        headers.wrapping_add(payload.into())
    }

    /// The next frames, as many as can stay together: what a receiver would merge of them.
    ///
    /// Their payload is `room` bytes at most, and their IP packet no longer than IP can say. `None`
    /// if nothing would be merged: fewer than two frames, not TCP, or a first frame whose CWR the
    /// others don't have.
    #[inline]
    pub fn next_run(&self, cursor: Cursor, room: u32) -> Option<Run> {
        let layout = &self.layout;
        let longest = 0xffff_u32.wrapping_sub(
            layout
                .header_length
                .wrapping_sub(layout.network_offset)
                .into(),
        );
        let left = layout.payload_length.saturating_sub(cursor.offset);
        let size = u32::from(layout.segment_size);
        let full = room.min(longest).min(left);
        // The last frame of all may be shorter than the others.
        let (segments, payload) = if full == left {
            (self.segments.saturating_sub(cursor.segment), left)
        } else {
            let n = full.checked_div(size)?;
            (n, n.wrapping_mul(size))
        };
        let alone = cursor.segment == 0 && self.flags & CWR != 0 && !layout.keep_cwr;
        if layout.protocol != Protocol::Tcp || segments < 2 || alone {
            return None;
        }
        Some(Run {
            segments: segments.try_into().ok()?,
            payload,
        })
    }

    /// Steps over all frames of a run.
    #[inline]
    pub fn advance_run(&self, cursor: &mut Cursor, run: Run) {
        cursor.segment = cursor.segment.wrapping_add(run.segments.into());
        cursor.offset = cursor.offset.wrapping_add(run.payload);
    }

    /// Writes the headers of a run to the start of `frame`, for all its frames together.
    ///
    /// The TCP checksum is that of the pseudo header, as the stack expects it of a packet whose
    /// checksum is to be completed (`CHECKSUM_PARTIAL`). `template` is that of [`Plan::new`].
    pub fn write_run(
        &self,
        template: &[u8],
        cursor: Cursor,
        run: Run,
        frame: &mut [u8],
    ) -> Option<Merged> {
        let layout = &self.layout;
        let segments = run.segments.into();
        // The sum is not that of one frame: it is not finished, but replaced.
        let _ = self.write(template, cursor, segments, run.payload, frame)?;
        let ip = frame.get(layout.network_offset.into()..layout.transport_offset.into())?;
        let length = u32::from(layout.header_length.wrapping_sub(layout.transport_offset))
            .wrapping_add(run.payload);
        let pseudo = if self.ipv4.is_some() {
            Sum::pseudo_ipv4(array_at::<8>(ip, 12)?, TCP, length)
        } else {
            Sum::pseudo_ipv6(array_at::<32>(ip, 8)?, TCP, length)
        };
        let transport = usize::from(layout.transport_offset);
        put16(frame, transport.wrapping_add(16), pseudo.fold())?;
        Some(Merged {
            size: layout.segment_size,
            segments: run.segments,
            ipv6: self.ipv4.is_none(),
            fixed_id: layout.fixed_id && self.ipv4.is_some(),
            cwr: layout.keep_cwr && self.flags & CWR != 0,
        })
    }

    /// Writes the headers of the next frame to the start of `frame`.
    ///
    /// `template` is that of [`Plan::new`]. `None`, and nothing of use is written, if all frames
    /// are done or `frame` is shorter than the headers.
    #[inline]
    pub fn write_headers(
        &self,
        template: &[u8],
        cursor: Cursor,
        frame: &mut [u8],
    ) -> Option<Partial> {
        self.write(template, cursor, 1, self.next_length(cursor)?, frame)
    }

    /// Writes the headers of `segments` frames from `cursor` on, with `length` bytes of payload.
    fn write(
        &self,
        template: &[u8],
        cursor: Cursor,
        segments: u32,
        length: u32,
        frame: &mut [u8],
    ) -> Option<Partial> {
        let layout = &self.layout;
        let headers = frame.get_mut(..layout.header_length.into())?;
        let network = usize::from(layout.network_offset);
        let transport = usize::from(layout.transport_offset);
        // Both fit 16 bits: `new` saw to that for the full length of a frame, `next_run` for a run's.
        let behind_network = u32::from(layout.header_length)
            .wrapping_sub(layout.network_offset.into())
            .wrapping_add(length);
        let behind_transport = u32::from(layout.header_length)
            .wrapping_sub(layout.transport_offset.into())
            .wrapping_add(length);

        // A short copy, for which a call of memcpy would be too much.
        if copy_and_sum(headers, template).0 != headers.len() {
            return None;
        }
        match self.ipv4 {
            Some((mut id, mut sum)) => {
                if !layout.fixed_id {
                    id = id.wrapping_add(cursor.segment as u16);
                }
                sum.add_word(behind_network as u16);
                sum.add_word(id);
                put16(headers, network.wrapping_add(2), behind_network as u16)?;
                put16(headers, network.wrapping_add(4), id)?;
                put16(headers, network.wrapping_add(10), sum.checksum())?;
            }
            None => {
                let payload = behind_network.wrapping_sub(IPV6_LEN as u32);
                put16(headers, network.wrapping_add(4), payload as u16)?;
            }
        }

        let mut sum = self.transport;
        if let Some(sum) = &mut sum {
            sum.add_long(behind_transport);
        }
        let field = match layout.protocol {
            Protocol::Tcp => {
                let sequence = self.sequence.wrapping_add(cursor.offset);
                let mut flags = self.flags;
                if cursor.segment > 0 && !layout.keep_cwr {
                    flags &= !CWR;
                }
                if cursor.segment.wrapping_add(segments) < self.segments {
                    flags &= !(FIN | PSH);
                }
                if let Some(sum) = &mut sum {
                    sum.add_long(sequence);
                    sum.add_word(flags);
                }
                put32(headers, transport.wrapping_add(4), sequence)?;
                put16(headers, transport.wrapping_add(12), flags)?;
                layout.transport_offset.wrapping_add(16)
            }
            Protocol::Udp => {
                // The length is in the pseudo header and in the header.
                if let Some(sum) = &mut sum {
                    sum.add_word(behind_transport as u16);
                }
                put16(headers, transport.wrapping_add(4), behind_transport as u16)?;
                layout.transport_offset.wrapping_add(6)
            }
        };
        Some(Partial {
            sum,
            field,
            protocol: layout.protocol,
        })
    }
}

/// The sum of the pseudo header without the length, of the one with it.
#[inline]
fn without_length(pseudo: [u8; 2], length: u32) -> Sum {
    let mut sum = Sum::new();
    sum.add_bytes(&pseudo);
    sum.add_long(!length);
    sum
}

/// Reads the IPv6 header and returns the sum of the pseudo header, which has no length here.
fn read_ipv6(network: &[u8], protocol: u8) -> Option<Sum> {
    let addresses = array_at::<32>(network, 8)?;

    // With extension headers the last of them names the protocol, which the stack has looked up.
    if network.len() == IPV6_LEN && network.get(6) != Some(&protocol) {
        return None;
    }
    Some(Sum::pseudo_ipv6(addresses, protocol, 0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checksum::verifiable;
    use crate::header::{
        self,
        Network, //
    };
    use proptest::prelude::*;

    /// Headers of a super frame, as the stack would leave them, and their layout.
    #[derive(Clone, Debug)]
    struct Case {
        headers: Vec<u8>,
        layout: Layout,
        payload: Vec<u8>,
    }

    fn case() -> impl Strategy<Value = Case> {
        let network = (any::<bool>(), 0usize..4, any::<[u8; 40]>());
        let transport = (any::<bool>(), 0usize..11, any::<[u8; 60]>());
        let size = (1u16..300, 0usize..3000);
        (
            network,
            transport,
            size,
            0usize..3,
            any::<(bool, bool)>(),
            any::<u8>(),
        )
            .prop_map(
                |(
                    (v4, options, ip),
                    (udp, tcp_options, l4),
                    (segment_size, length),
                    tags,
                    flags,
                    fill,
                )| {
                    let protocol = if udp { UDP } else { TCP };
                    let mut h = vec![2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2];
                    for tag in 0..tags {
                        h.extend([0x81, 0, 0, tag as u8]);
                    }
                    h.extend(if v4 { [8, 0] } else { [0x86, 0xdd] });
                    let network_offset = h.len();
                    if v4 {
                        h.extend(&ip[..20]);
                        h[network_offset] = 0x45 + options as u8;
                        h[network_offset + 6..network_offset + 8].copy_from_slice(&[0x40, 0]);
                        h[network_offset + 9] = protocol;
                        h.extend(vec![1; options * 4]);
                    } else {
                        h.extend(ip);
                        h[network_offset] = 0x60;
                        // Destination options, if any, of 8 bytes each.
                        h[network_offset + 6] = if options > 0 { 60 } else { protocol };
                        for n in 1..=options {
                            h.extend([
                                if n < options { 60 } else { protocol },
                                0,
                                1,
                                4,
                                0,
                                0,
                                0,
                                0,
                            ]);
                        }
                    }
                    let transport_offset = h.len();
                    if udp {
                        h.extend(&l4[..8]);
                    } else {
                        h.extend(&l4[..20 + tcp_options * 4]);
                        h[transport_offset + 12] = ((5 + tcp_options) << 4) as u8;
                    }
                    Case {
                        layout: Layout {
                            protocol: if udp { Protocol::Udp } else { Protocol::Tcp },
                            network_offset: network_offset as u16,
                            transport_offset: transport_offset as u16,
                            header_length: h.len() as u16,
                            segment_size,
                            payload_length: length as u32,
                            fixed_id: flags.0,
                            keep_cwr: flags.1,
                            pseudo: false,
                        },
                        headers: h,
                        payload: (0..length).map(|i| (i as u8).wrapping_mul(fill)).collect(),
                    }
                },
            )
    }

    /// The next frame; its payload comes in two pieces, as from two pages.
    fn frame(case: &Case, plan: &Plan, cursor: Cursor, cut: usize) -> Vec<u8> {
        let length = plan.next_length(cursor).unwrap() as usize;
        let mut frame = vec![0xaa; plan.header_length() + length];
        let partial = plan
            .write_headers(&case.headers, cursor, &mut frame)
            .unwrap();
        let payload = &case.payload[cursor.offset() as usize..][..length];
        let (a, b) = payload.split_at(cut.min(length));
        let at = plan.header_length();
        let mut sum = copy_and_sum(&mut frame[at..], a).1;
        sum.add_sum(copy_and_sum(&mut frame[at + a.len()..], b).1);
        assert!(partial.finish(&mut frame, sum));
        frame
    }

    fn frames(case: &Case, cut: usize) -> Vec<Vec<u8>> {
        let plan = Plan::new(&case.headers, &case.layout).unwrap();
        let mut cursor = Cursor::default();
        let mut frames = vec![];
        while plan.next_length(cursor).is_some() {
            frames.push(frame(case, &plan, cursor, cut));
            plan.advance(&mut cursor);
        }
        assert_eq!(cursor.segment(), plan.segments());
        assert_eq!(cursor.offset(), case.layout.payload_length);
        frames
    }

    /// RFC 1071, literally.
    fn naive(bytes: &[u8]) -> u16 {
        let sum: u32 = bytes
            .chunks(2)
            .map(|pair| u32::from(pair[0]) << 8 | u32::from(*pair.get(1).unwrap_or(&0)))
            .sum();
        let sum = (sum & 0xffff) + (sum >> 16);
        ((sum & 0xffff) + (sum >> 16)) as u16
    }

    fn be16(bytes: &[u8], at: usize) -> u16 {
        u16::from_be_bytes([bytes[at], bytes[at + 1]])
    }

    fn be32(bytes: &[u8], at: usize) -> u32 {
        u32::from(be16(bytes, at)) << 16 | u32::from(be16(bytes, at + 2))
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        #[test]
        fn frames_are_right(case in case(), cut in 0usize..300) {
            let l = case.layout;
            let frames = frames(&case, cut);
            let (n, t) = (usize::from(l.network_offset), usize::from(l.transport_offset));
            let h = usize::from(l.header_length);
            let count = frames.len();
            let (mut stream, mut offset) = (Vec::<u8>::new(), 0u32);

            for (i, f) in frames.iter().enumerate() {
                let payload = &f[h..];
                let full = usize::from(l.segment_size);
                prop_assert!(payload.len() <= full);
                prop_assert!(payload.len() == full || i + 1 == count);

                let headers = header::parse(f).unwrap();
                prop_assert_eq!(usize::from(headers.network_offset), n);
                prop_assert_eq!(headers.transport_offset, Some(l.transport_offset));
                prop_assert_eq!(headers.ip_length as usize, f.len() - n);
                prop_assert_eq!(&f[..n], &case.headers[..n]);

                // Network header: nothing else differs.
                let mut expected = case.headers[n..t].to_vec();
                if headers.network == Network::Ipv4 {
                    prop_assert_eq!(naive(&f[n..t]), 0xffff);
                    let id = be16(&case.headers, n + 4);
                    let id = if l.fixed_id { id } else { id.wrapping_add(i as u16) };
                    prop_assert_eq!(be16(f, n + 4), id);
                    expected[2..6].copy_from_slice(&f[n + 2..n + 6]);
                    expected[10..12].copy_from_slice(&f[n + 10..n + 12]);
                } else {
                    expected[4..6].copy_from_slice(&f[n + 4..n + 6]);
                }
                prop_assert_eq!(&expected, &f[n..t]);

                // Transport header, likewise.
                let mut expected = case.headers[t..h].to_vec();
                let checksum = if l.protocol == Protocol::Tcp {
                    let first = be32(&case.headers, t + 4);
                    prop_assert_eq!(be32(f, t + 4), first.wrapping_add(offset));
                    let mut flags = case.headers[t + 13];
                    if i > 0 && !l.keep_cwr {
                        flags &= !0x80;
                    }
                    if i + 1 < count {
                        flags &= !0x09;
                    }
                    prop_assert_eq!(f[t + 13], flags);
                    expected[4..8].copy_from_slice(&f[t + 4..t + 8]);
                    expected[13] = flags;
                    16
                } else {
                    prop_assert_eq!(usize::from(be16(f, t + 4)), 8 + payload.len());
                    expected[4..6].copy_from_slice(&f[t + 4..t + 6]);
                    6
                };
                expected[checksum..checksum + 2].copy_from_slice(&f[t + checksum..][..2]);
                prop_assert_eq!(&expected, &f[t..h]);

                // The checksum, by a pseudo header written out.
                let none = l.protocol == Protocol::Udp && case.headers[t + 6..t + 8] == [0, 0];
                if none {
                    prop_assert_eq!(&f[t + 6..t + 8], &[0, 0]);
                } else {
                    let addresses = match headers.network {
                        Network::Ipv4 => &f[n + 12..n + 20],
                        _ => &f[n + 8..n + 40],
                    };
                    let length = (f.len() - t) as u16;
                    let pseudo = [&[0, headers.protocol], &length.to_be_bytes()[..]].concat();
                    prop_assert_eq!(naive(&[addresses, &pseudo, &f[t..]].concat()), 0xffff);
                    // Nothing between the headers says that the packet goes elsewhere.
                    let headers = header::Headers { direct: true, ..headers };
                    let mut sum = verifiable(&headers, f, f.len()).unwrap();
                    sum.add_bytes(&f[t..]);
                    prop_assert!(sum.is_valid());
                    if l.protocol == Protocol::Udp {
                        prop_assert_ne!(be16(f, t + 6), 0);
                    }
                }
                stream.extend(payload);
                offset += payload.len() as u32;
            }
            prop_assert_eq!(stream, case.payload);
        }

        #[test]
        fn resumes_anywhere(case in case(), stop in any::<prop::sample::Index>()) {
            let whole = frames(&case, 7);
            let plan = Plan::new(&case.headers, &case.layout).unwrap();
            let mut cursor = Cursor::default();
            for _ in 0..stop.index(whole.len()) {
                plan.advance(&mut cursor);
            }
            prop_assert_eq!(
                plan.remaining_bytes(cursor),
                whole[cursor.segment() as usize..].iter().map(|f| f.len() as u64).sum::<u64>()
            );
            // A plan made anew, as after the memory of the first was given away.
            let plan = Plan::new(&case.headers, &case.layout).unwrap();
            for expected in &whole[cursor.segment() as usize..] {
                prop_assert_eq!(&frame(&case, &plan, cursor, 0), expected);
                plan.advance(&mut cursor);
            }
            prop_assert_eq!(plan.next_length(cursor), None);
            let before = cursor;
            plan.advance(&mut cursor);
            prop_assert_eq!(before, cursor);
            prop_assert!(plan.write_headers(&case.headers, cursor, &mut [0; 300]).is_none());
        }

        #[test]
        fn runs_are_cut_into_the_same_frames(
            case in case(),
            start in any::<prop::sample::Index>(),
            room in 0u32..4000,
        ) {
            let whole = frames(&case, 7);
            let (l, h) = (&case.layout, usize::from(case.layout.header_length));
            let plan = Plan::new(&case.headers, l).unwrap();
            let mut cursor = Cursor::default();
            for _ in 0..start.index(whole.len()) {
                plan.advance(&mut cursor);
            }
            let Some(run) = plan.next_run(cursor, room) else {
                let left = l.payload_length - cursor.offset();
                let alone = cursor.segment() == 0
                    && !l.keep_cwr
                    && case.headers.get(usize::from(l.transport_offset) + 13).is_some_and(|f| f & 0x80 != 0);
                prop_assert!(
                    l.protocol == Protocol::Udp
                        || alone
                        || room < left.min(2 * u32::from(l.segment_size))
                        || left <= l.segment_size.into()
                );
                return Ok(());
            };
            prop_assert!(run.segments >= 2 && run.payload <= room);
            let mut headers = vec![0; h];
            let merged = plan.write_run(&case.headers, cursor, run, &mut headers).unwrap();
            prop_assert_eq!(merged.segments, run.segments);
            prop_assert_eq!(merged.size, l.segment_size);

            let (n, t) = (usize::from(l.network_offset), usize::from(l.transport_offset));
            let length = h - n + run.payload as usize;
            let pseudo = if merged.ipv6 {
                prop_assert_eq!(usize::from(be16(&headers, n + 4)) + 40, length);
                naive(&[&headers[n + 8..n + 40], &[0, 6]].concat())
            } else {
                prop_assert_eq!(usize::from(be16(&headers, n + 2)), length);
                prop_assert_eq!(naive(&headers[n..t]), 0xffff);
                naive(&[&headers[n + 12..n + 20], &[0, 6]].concat())
            };
            let tcp_length = ((h - t) as u32 + run.payload) as u16;
            let pseudo = naive(&[pseudo.to_be_bytes(), tcp_length.to_be_bytes()].concat());
            prop_assert_eq!(be16(&headers, t + 16), pseudo);

            let from = cursor.offset() as usize;
            let again = Case {
                headers,
                payload: case.payload[from..][..run.payload as usize].to_vec(),
                layout: Layout { payload_length: run.payload, ..*l },
            };
            let first = cursor.segment() as usize;
            let expected = &whole[first..][..run.segments.into()];
            prop_assert_eq!(frames(&again, 7), expected);
            plan.advance_run(&mut cursor, run);
            prop_assert_eq!(cursor.segment() as usize, first + usize::from(run.segments));
            prop_assert_eq!(cursor.offset() as usize, from + run.payload as usize);
        }

        #[test]
        fn bad_layouts(
            headers in prop::collection::vec(any::<u8>(), 0..220),
            at in any::<[u8; 3]>(),
            sizes in any::<(u16, u32, bool)>(),
        ) {
            let layout = Layout {
                protocol: if sizes.2 { Protocol::Udp } else { Protocol::Tcp },
                network_offset: at[0].into(),
                transport_offset: at[1].into(),
                header_length: at[2].into(),
                segment_size: sizes.0,
                payload_length: sizes.1,
                fixed_id: false,
                keep_cwr: false,
                pseudo: sizes.0 & 1 != 0,
            };
            if let Ok(plan) = Plan::new(&headers, &layout) {
                let mut frame = [0; 256];
                let _ = plan.write_headers(&headers, Cursor::default(), &mut frame);
                let _ = plan.write_headers(&[], Cursor::default(), &mut frame);
                let _ = plan.write_headers(&headers, Cursor::default(), &mut frame[..9]);
            }
        }
    }

    fn tcp4() -> Case {
        let mut headers = vec![2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0];
        headers.extend([
            0x45, 0, 0, 0, 0xff, 0xff, 0x40, 0, 64, 6, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2,
        ]);
        headers.extend([
            0, 1, 0, 2, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 9, 0x50, 0x99, 1, 0,
        ]);
        headers.extend([0, 0, 0, 0]);
        let layout = Layout {
            protocol: Protocol::Tcp,
            network_offset: 14,
            transport_offset: 34,
            header_length: 54,
            segment_size: 1000,
            payload_length: 2001,
            fixed_id: false,
            keep_cwr: false,
            pseudo: false,
        };
        let payload = vec![3; 2001];
        Case {
            headers,
            layout,
            payload,
        }
    }

    /// Lets the checksum field hold the sum of a pseudo header that ends at this address, which is another one behind
    /// a source route, and says that with the source address.
    fn routed(case: &mut Case, to: [u8; 4]) -> [u8; 8] {
        let mut addresses = [0; 8];
        addresses.copy_from_slice(&case.headers[26..34]);
        addresses[4..].copy_from_slice(&to);
        let length = case.headers.len() - 34 + case.payload.len();
        let protocol = case.headers[23];
        let at = 34 + if protocol == TCP { 16 } else { 6 };
        if protocol == UDP {
            case.headers[38..40].copy_from_slice(&(length as u16).to_be_bytes());
        }
        let pseudo = Sum::pseudo_ipv4(&addresses, protocol, length as u32).fold();
        case.headers[at..at + 2].copy_from_slice(&pseudo.to_be_bytes());
        case.layout.pseudo = true;
        addresses
    }

    #[test]
    fn checksums_are_over_the_address_where_the_packet_ends() {
        let mut udp = tcp4();
        udp.headers.truncate(42);
        udp.headers[23] = UDP;
        udp.layout.protocol = Protocol::Udp;
        udp.layout.header_length = 42;
        let mut long = tcp4();
        long.payload = vec![5; 150_000];
        long.layout.payload_length = 150_000;
        let sums_right = |case: &Case| {
            let plan = Plan::new(&case.headers, &case.layout).unwrap();
            plan.sums_right()
        };
        for mut case in [tcp4(), udp, long] {
            assert!(sums_right(&case), "no pseudo header");
            routed(&mut case, [10, 0, 0, 2]);
            assert!(sums_right(&case), "that of the addresses");
            let addresses = routed(&mut case, [192, 168, 7, 9]);
            assert!(!sums_right(&case), "another address");
            for f in frames(&case, 0) {
                let length = ((f.len() - 34) as u16).to_be_bytes();
                let pseudo = [&[0, case.headers[23]], &length[..]].concat();
                assert_eq!(naive(&[&addresses[..], &pseudo, &f[34..]].concat()), 0xffff);
            }
        }
    }

    #[test]
    fn numbers_wrap_around() {
        let frames = frames(&tcp4(), 0);
        let ids: Vec<_> = frames.iter().map(|f| be16(f, 18)).collect();
        let sequences: Vec<_> = frames.iter().map(|f| be32(f, 38)).collect();
        let flags: Vec<_> = frames.iter().map(|f| f[47]).collect();
        assert_eq!(ids, [0xffff, 0, 1]);
        assert_eq!(sequences, [u32::MAX, 999, 1999]);
        assert_eq!(flags, [0x90, 0x10, 0x19]);
    }

    #[test]
    fn refused() {
        let new = |change: &dyn Fn(&mut Case)| {
            let mut case = tcp4();
            change(&mut case);
            Plan::new(&case.headers, &case.layout).err()
        };
        assert_eq!(new(&|_| ()), None);
        assert_eq!(new(&|c| c.layout.header_length = 55), Some(Invalid::Layout));
        assert_eq!(
            new(&|c| c.layout.transport_offset = 60),
            Some(Invalid::Layout)
        );
        assert_eq!(
            new(&|c| c.layout.network_offset = 35),
            Some(Invalid::Layout)
        );
        assert_eq!(
            new(&|c| c.layout.network_offset = 34),
            Some(Invalid::Network)
        );
        assert_eq!(new(&|c| c.headers[14] = 0x46), Some(Invalid::Network));
        assert_eq!(new(&|c| c.headers[14] = 0x55), Some(Invalid::Network));
        assert_eq!(new(&|c| c.headers[23] = 17), Some(Invalid::Network));
        assert_eq!(new(&|c| c.headers[46] = 0x60), Some(Invalid::Transport));
        assert_eq!(
            new(&|c| c.layout.protocol = Protocol::Udp),
            Some(Invalid::Network)
        );
        assert_eq!(new(&|c| c.layout.segment_size = 0), Some(Invalid::Size));
        assert_eq!(
            new(&|c| {
                c.layout.segment_size = 65496;
                c.layout.payload_length = 65496;
            }),
            Some(Invalid::Size)
        );
        assert_eq!(new(&|c| c.layout.segment_size = 65496), None);
        assert_eq!(
            new(&|c| {
                c.headers.resize(300, 0);
                c.layout.header_length = 193;
            }),
            Some(Invalid::Layout)
        );
    }

    #[test]
    fn computed_zero_is_sent_as_all_ones() {
        let mut c = tcp4();
        c.headers.truncate(34);
        c.headers[23] = 17;
        c.headers.extend([0, 1, 0, 2, 0, 0, 0xff, 0xff]);
        c.layout.protocol = Protocol::Udp;
        c.layout.header_length = 42;
        c.layout.payload_length = 2;
        c.payload = vec![0, 0];
        let sum = !be16(&frames(&c, 0)[0], 40);
        c.payload = (!sum).to_be_bytes().to_vec();
        assert_eq!(be16(&frames(&c, 0)[0], 40), 0xffff);
    }
}
