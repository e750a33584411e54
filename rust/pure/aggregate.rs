// SPDX-License-Identifier: GPL-2.0

//! Aggregation of received TCP frames (hardware GRO).
//!
//! Frames of one flow that follow each other are put together to one large packet, which the stack
//! takes with one pass. It must be possible to cut the packet into the very same frames again, in
//! case it is forwarded; so frames are merged only if all that differs between them is what
//! segmentation brings back (see [`segment`](crate::segment)). The rules are those of the kernel's
//! own GRO: `tcp_gro_receive()`, `inet_gro_receive()`, `ipv6_gro_receive()` and what they call.
//!
//! For each frame: [`Segment::of`] says whether it is TCP; [`Held::offer`] tries it on each
//! aggregate that is held; a frame that didn't merge may begin an aggregate ([`Held::hold`]) or
//! goes up alone. A frame of a flow never overtakes an aggregate of that flow: even what can't be
//! merged ends it ([`Verdict::Flush`]). When an aggregate goes up, [`Held::finish`] completes its
//! headers.
//!
//! The payload isn't touched here; the caller keeps the headers of an aggregate's first frame
//! unchanged and hands them in as `head`.

use crate::checksum::Sum;
use crate::header::{
    array_at,
    Fragment,
    Headers,
    Network,
    IPV4_LEN,
    IPV6_LEN,
    TCP,
    TCP_LEN, //
};

const FIN: u8 = 1 << 0;
const SYN: u8 = 1 << 1;
const RST: u8 = 1 << 2;
const PSH: u8 = 1 << 3;
const URG: u8 = 1 << 5;
const CWR: u8 = 1 << 7;

/// Whether a TCP frame with these flags may be merged with one that follows it.
#[inline]
pub fn goes_on(flags: u8) -> bool {
    flags & (FIN | PSH | URG | RST | SYN) == 0
}

/// Length that every frame is padded to on the wire (IEEE 802.3), without the frame check sequence.
const FRAME_MIN: usize = 60;

/// The IPv4 bit that forbids fragmentation, in the 16 bits with the fragment offset.
const DONT_FRAGMENT: u16 = 1 << 14;

/// A TCP frame, as far as aggregation is concerned.
#[derive(Clone, Copy, Debug)]
pub struct Segment {
    network: Network,
    network_offset: u16,
    transport_offset: u16,
    payload_offset: u16,
    /// Bytes of payload.
    length: u32,
    sequence: u32,
    /// TCP flags.
    flags: u8,
    /// IPv4 identification; 0 for IPv6.
    id: u16,
    /// Whether it can be merged or held at all.
    mergeable: bool,
    /// Whether padding is behind the payload. What is merged behind it would need it gone.
    padded: bool,
}

impl Segment {
    /// Reads a frame; `None` if it isn't TCP, so that no aggregate need wait for it.
    ///
    /// `frame` holds at least all headers, `frame_length` counts the payload too. `intact` says
    /// that the TCP checksum has been verified; without it a frame is never merged.
    #[inline]
    pub fn of(
        frame: &[u8],
        headers: &Headers,
        frame_length: usize,
        intact: bool,
    ) -> Option<Segment> {
        if headers.protocol != TCP || headers.fragment == Fragment::Later {
            return None;
        }
        let transport_offset = headers.transport_offset?;
        let tcp = array_at::<TCP_LEN>(frame, transport_offset.into())?;
        let header_length = u16::from(tcp[12] >> 4).wrapping_mul(4);
        let payload_offset = transport_offset.wrapping_add(header_length);
        let network = frame.get(headers.network_offset.into()..payload_offset.into());
        let end = usize::try_from(headers.ip_length)
            .ok()
            .and_then(|l| l.checked_add(headers.network_offset.into()));
        let length = end.and_then(|end| end.checked_sub(payload_offset.into()));

        let mut segment = Segment {
            network: headers.network,
            network_offset: headers.network_offset,
            transport_offset,
            payload_offset,
            length: length.and_then(|l| l.try_into().ok()).unwrap_or(0),
            sequence: u32::from_be_bytes([tcp[4], tcp[5], tcp[6], tcp[7]]),
            flags: tcp[13],
            id: 0,
            mergeable: false,
            padded: end != Some(frame_length),
        };
        // The IP packet fills the frame, or what is behind it comes back by itself: the zeros that
        // make a frame as long as the shortest.
        let whole = !segment.padded
            || frame_length == FRAME_MIN
                && end
                    .and_then(|end| frame.get(end..frame_length))
                    .is_some_and(|padding| padding.iter().all(|&byte| byte == 0));
        let plain = network.is_some_and(|network| segment.read_network(network));

        segment.mergeable = intact
            && headers.direct
            && whole
            && plain
            && usize::from(header_length) >= TCP_LEN
            && segment.length > 0
            && segment.flags & (URG | RST | SYN) == 0;
        Some(segment)
    }

    /// Reads the network header; returns whether it is one that can be merged.
    #[inline]
    fn read_network(&mut self, network: &[u8]) -> bool {
        match self.network {
            Network::Ipv4 => {
                let Some(ip) = network.first_chunk::<IPV4_LEN>() else {
                    return false;
                };
                let mut sum = Sum::new();

                sum.add_bytes(ip);
                self.id = u16::from_be_bytes([ip[4], ip[5]]);
                ip[0] == 0x45
                    && u16::from_be_bytes([ip[6], ip[7]]) & !DONT_FRAGMENT == 0
                    && sum.is_valid()
            }
            Network::Ipv6 => true,
            Network::Other => false,
        }
    }

    /// Offset of the payload in the frame.
    #[inline]
    pub fn payload_offset(&self) -> usize {
        self.payload_offset.into()
    }

    /// Offset of the TCP header in the frame.
    #[inline]
    pub fn transport_offset(&self) -> u16 {
        self.transport_offset
    }

    /// Bytes of payload.
    #[inline]
    pub fn payload_length(&self) -> u32 {
        self.length
    }

    /// Offset of the payload's end in the frame: what is behind it is padding.
    #[inline]
    pub fn payload_end(&self) -> u32 {
        self.length.wrapping_add(self.payload_offset.into())
    }
}

/// How large an aggregate may become.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Largest length of the packet, from the network header on.
    pub length: u32,
    /// Largest number of frames.
    pub segments: u16,
}

/// What becomes of a frame that was offered to an aggregate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "an aggregate that must be flushed would be overtaken"]
pub enum Verdict {
    /// It is of another flow: the aggregate stays as it is.
    OtherFlow,
    /// It is merged: its payload follows what the aggregate has.
    Merged,
    /// It is merged, and the last one: the aggregate goes up now.
    MergedLast,
    /// It can't be merged: the aggregate goes up now, and then the frame begins a new one if it can
    /// ([`Held::hold`]).
    Flush,
}

/// What the stack has to know of a finished aggregate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gso {
    /// Payload bytes of each frame but the last (`gso_size`).
    pub size: u16,
    /// Number of frames (`gso_segs`).
    pub segments: u16,
    /// Whether it is TCP over IPv6 (`SKB_GSO_TCPV6`) or IPv4 (`SKB_GSO_TCPV4`).
    pub ipv6: bool,
    /// All frames had the same IPv4 identification (`SKB_GSO_TCP_FIXEDID`).
    pub fixed_id: bool,
    /// All frames had CWR set (`SKB_GSO_TCP_ACCECN`).
    pub cwr: bool,
}

/// An aggregate, of one frame at first.
#[derive(Clone, Copy, Debug)]
pub struct Held {
    first: Segment,
    /// Bytes of payload.
    length: u32,
    /// Number of frames.
    segments: u16,
    /// FIN and PSH of the last frame.
    last_flags: u8,
    fixed_id: bool,
}

impl Held {
    /// Begins an aggregate with a frame. `None` if nothing could be merged with it, also since a
    /// second one of its length would be too much: it goes up alone, at once.
    #[inline]
    pub fn hold(segment: &Segment, limits: &Limits) -> Option<Held> {
        let ends = segment.padded || !goes_on(segment.flags);
        if !segment.mergeable || ends || segment.length > u16::MAX.into() {
            return None;
        }
        let headers = segment.payload_offset.wrapping_sub(segment.network_offset);
        let both = segment.length.wrapping_mul(2).wrapping_add(headers.into());
        if both > limits.length || limits.segments < 2 {
            return None;
        }
        Some(Held {
            first: *segment,
            length: segment.length,
            segments: 1,
            last_flags: 0,
            fixed_id: false,
        })
    }

    /// Offset of the payload in each of its frames.
    #[inline]
    pub fn payload_offset(&self) -> u32 {
        self.first.payload_offset.into()
    }

    /// Number of frames in it.
    #[inline]
    pub fn segments(&self) -> u16 {
        self.segments
    }

    /// Bytes of payload in it.
    #[inline]
    pub fn payload_length(&self) -> u32 {
        self.length
    }

    /// Lengths of its frames, headers and padding included: of each but the last, and of the last.
    #[inline]
    pub fn frame_lengths(&self) -> (u32, u32) {
        let headers = self.payload_offset();
        let others = u32::from(self.segments).wrapping_sub(1);
        let before_last = self.first.length.wrapping_mul(others);
        let last = headers.wrapping_add(self.length).wrapping_sub(before_last);

        (
            headers.wrapping_add(self.first.length),
            last.max(FRAME_MIN as u32),
        )
    }

    /// Offers a frame. `head` are the headers of the aggregate's first frame.
    #[inline]
    pub fn offer(
        &mut self,
        head: &[u8],
        frame: &[u8],
        segment: &Segment,
        limits: &Limits,
    ) -> Verdict {
        match self.same_flow(head, frame, segment) {
            Some(true) => (),
            Some(false) => return Verdict::OtherFlow,
            None => return Verdict::Flush,
        }
        let Some(fixed_id) = self.fits(segment, limits) else {
            return Verdict::Flush;
        };
        if self.same_headers(head, frame) != Some(true) {
            return Verdict::Flush;
        }
        self.fixed_id = fixed_id;
        self.length = self.length.wrapping_add(segment.length);
        self.segments = self.segments.wrapping_add(1);
        self.last_flags = segment.flags & (FIN | PSH);
        if segment.length < self.first.length || self.last_flags != 0 {
            Verdict::MergedLast
        } else {
            Verdict::Merged
        }
    }

    /// Whether a frame is of the aggregate's flow. `None` if a slice is shorter than its headers.
    #[inline]
    fn same_flow(&self, head: &[u8], frame: &[u8], segment: &Segment) -> Option<bool> {
        let network = usize::from(self.first.network_offset);

        if segment.network != self.first.network
            || segment.network_offset != self.first.network_offset
            || !same(head, frame, 0, network)?
        {
            return Some(false);
        }
        let ports = |bytes, of: &Segment| array_at::<4>(bytes, of.transport_offset.into());
        if ports(head, &self.first)? != ports(frame, segment)? {
            return Some(false);
        }
        if self.first.network == Network::Ipv4 {
            return same(head, frame, network.wrapping_add(12), 8);
        }
        // Addresses and flow label; a first word differs in the traffic class at most.
        let word = |bytes| array_at(bytes, network).map(|b| u32::from_be_bytes(*b));
        let differs = (word(head)? ^ word(frame)?) & 0xf00f_ffff != 0;
        Some(!differs && same(head, frame, network.wrapping_add(8), 32)?)
    }

    /// Whether a frame of the flow is the next one, and small enough.
    ///
    /// If so, returns whether the IPv4 identification is a fixed one: the second frame tells.
    #[inline]
    fn fits(&self, segment: &Segment, limits: &Limits) -> Option<bool> {
        let first = &self.first;
        let headers = first.payload_offset.wrapping_sub(first.network_offset);
        let length = u32::from(headers)
            .checked_add(self.length)?
            .checked_add(segment.length)?;
        let distance = segment.id.wrapping_sub(first.id);
        let fixed_id = if self.segments == 1 {
            first.network == Network::Ipv4 && distance == 0
        } else {
            self.fixed_id
        };
        let expected = if fixed_id || first.network == Network::Ipv6 {
            0
        } else {
            self.segments
        };

        (segment.mergeable
            && segment.transport_offset == first.transport_offset
            && segment.payload_offset == first.payload_offset
            && segment.sequence == first.sequence.wrapping_add(self.length)
            && segment.length <= first.length
            && length <= limits.length
            && self.segments < limits.segments
            && distance == expected)
            .then_some(fixed_id)
    }

    /// Whether a frame's headers, whose offsets are the same, differ only in what segmentation
    /// brings back. `None` if a slice is shorter than they are.
    #[inline]
    fn same_headers(&self, head: &[u8], frame: &[u8]) -> Option<bool> {
        let network = usize::from(self.first.network_offset);
        let transport = usize::from(self.first.transport_offset);
        let payload = usize::from(self.first.payload_offset);
        let at = |offset: usize| network.wrapping_add(offset);

        let same_network = match self.first.network {
            // Type of service; flags; time to live. No options: there are none in a frame held.
            Network::Ipv4 => {
                same(head, frame, at(1), 1)?
                    && same(head, frame, at(6), 2)?
                    && same(head, frame, at(8), 1)?
            }
            // Traffic class and flow label; next header and hop limit; options.
            _ => {
                let extensions = at(IPV6_LEN);
                same(head, frame, network, 4)?
                    && same(head, frame, at(6), 2)?
                    && same(head, frame, extensions, transport.checked_sub(extensions)?)?
            }
        };
        if !same_network {
            return Some(false);
        }
        let [head_tcp, frame_tcp] = [head, frame].map(|b| array_at::<TCP_LEN>(b, transport));
        let (head_tcp, frame_tcp) = (head_tcp?, frame_tcp?);
        let options = transport.wrapping_add(TCP_LEN);

        // Acknowledgement; data offset, flags but FIN and PSH, window; urgent pointer; options.
        Some(
            head_tcp[8..13] == frame_tcp[8..13]
                && (head_tcp[13] ^ frame_tcp[13]) & !(FIN | PSH) == 0
                && head_tcp[14..16] == frame_tcp[14..16]
                && head_tcp[18..20] == frame_tcp[18..20]
                && same(head, frame, options, payload.checked_sub(options)?)?,
        )
    }

    /// Completes the headers in `head`, those of the first frame, for all of the aggregate.
    ///
    /// `None` if it is a single frame, whose headers stay as they are. Otherwise the lengths, the
    /// IPv4 checksum and the TCP flags are those of the whole, and the TCP checksum is that of the
    /// pseudo header, as the stack expects it of a packet whose checksum is to be completed
    /// (`CHECKSUM_PARTIAL`). A length that doesn't fit is 0, as in all large packets.
    pub fn finish(&self, head: &mut [u8]) -> Option<Gso> {
        if self.segments < 2 {
            return None;
        }
        let first = &self.first;
        let tcp_length = u32::from(first.payload_offset)
            .wrapping_sub(first.transport_offset.into())
            .wrapping_add(self.length);
        let ip_length = u32::from(first.transport_offset)
            .wrapping_sub(first.network_offset.into())
            .wrapping_add(tcp_length);
        let (network, transport) = head
            .get_mut(first.network_offset.into()..)?
            .split_at_mut_checked(
                first
                    .transport_offset
                    .wrapping_sub(first.network_offset)
                    .into(),
            )?;
        let tcp = transport.first_chunk_mut::<TCP_LEN>()?;

        let pseudo = if first.network == Network::Ipv4 {
            let ip = network.first_chunk_mut::<IPV4_LEN>()?;

            [ip[2], ip[3]] = u16::try_from(ip_length).unwrap_or(0).to_be_bytes();
            [ip[10], ip[11]] = [0, 0];
            let mut sum = Sum::new();
            sum.add_bytes(ip);
            [ip[10], ip[11]] = sum.checksum().to_be_bytes();
            Sum::pseudo_ipv4(ip.last_chunk()?, TCP, tcp_length)
        } else {
            let payload_length = ip_length.wrapping_sub(IPV6_LEN as u32);
            let ip = network.first_chunk_mut::<IPV6_LEN>()?;

            [ip[4], ip[5]] = u16::try_from(payload_length).unwrap_or(0).to_be_bytes();
            Sum::pseudo_ipv6(ip.last_chunk()?, TCP, tcp_length)
        };
        tcp[13] |= self.last_flags;
        [tcp[16], tcp[17]] = pseudo.fold().to_be_bytes();

        Some(Gso {
            size: first.length.try_into().unwrap_or(u16::MAX),
            segments: self.segments,
            ipv6: first.network == Network::Ipv6,
            fixed_id: self.fixed_id,
            cwr: tcp[13] & CWR != 0,
        })
    }
}

/// Whether two slices have the same `length` bytes at `offset`; `None` if one is too short.
#[inline]
fn same(a: &[u8], b: &[u8], offset: usize, length: usize) -> Option<bool> {
    let end = offset.checked_add(length)?;

    Some(a.get(offset..end)? == b.get(offset..end)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checksum::verifiable;
    use crate::header::parse;
    use crate::segment::{
        Cursor,
        Layout,
        Plan,
        Protocol, //
    };
    use proptest::prelude::*;

    const LIMITS: Limits = Limits {
        length: 65535,
        segments: 64,
    };

    /// A super frame of TCP.
    #[derive(Clone, Debug)]
    struct Super {
        headers: Vec<u8>,
        payload: Vec<u8>,
        layout: Layout,
    }

    impl Super {
        fn new(v6: bool, options: &[u8], segment_size: u16, payload: Vec<u8>) -> Super {
            let mut h = vec![2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2];
            if v6 {
                h.extend([0x86, 0xdd, 0x61, 0x2a, 0xbc, 0xde, 0, 0, 6, 64]);
                h.extend(1..=32);
            } else {
                h.extend([8, 0, 0x45, 4, 0, 0, 0xff, 0xfe, 0x40, 0, 64, 6, 0, 0]);
                h.extend([10, 0, 0, 1, 10, 0, 0, 2]);
            }
            let transport_offset = h.len() as u16;
            h.extend([0, 80, 0x1f, 0x90, 0xff, 0xff, 0xff, 0, 1, 2, 3, 4]);
            h.extend([
                0x50 + (options.len() as u8 / 4 * 16),
                0x18,
                9,
                9,
                0,
                0,
                0,
                0,
            ]);
            h.extend(options);
            Super {
                layout: Layout {
                    protocol: Protocol::Tcp,
                    network_offset: 14,
                    transport_offset,
                    header_length: h.len() as u16,
                    segment_size,
                    payload_length: payload.len() as u32,
                    fixed_id: false,
                    keep_cwr: false,
                    pseudo: false,
                },
                headers: h,
                payload,
            }
        }

        fn frames(&self) -> Vec<Vec<u8>> {
            let plan = Plan::new(&self.headers, &self.layout).unwrap();
            let mut cursor = Cursor::default();
            let mut frames = vec![];
            while let Some(length) = plan.next_length(cursor) {
                let mut frame = vec![0; plan.header_length()];
                let partial = plan
                    .write_headers(&self.headers, cursor, &mut frame)
                    .unwrap();
                frame.extend(&self.payload[cursor.offset() as usize..][..length as usize]);
                let mut sum = Sum::new();
                sum.add_bytes(&frame[plan.header_length()..]);
                assert!(partial.finish(&mut frame, sum));
                frames.push(frame);
                plan.advance(&mut cursor);
            }
            frames
        }
    }

    /// What the wire does to a frame that is too short for it.
    fn pad(frame: &mut Vec<u8>) {
        frame.resize(frame.len().max(FRAME_MIN), 0);
    }

    /// What goes up: a frame as it came, or an aggregate.
    #[derive(Clone, Debug, PartialEq)]
    enum Up {
        Frame(Vec<u8>),
        Aggregate(Vec<u8>, Gso),
    }

    impl Up {
        /// The frames again.
        fn frames(&self) -> Vec<Vec<u8>> {
            match self {
                Up::Frame(frame) => vec![frame.clone()],
                Up::Aggregate(packet, gso) => {
                    let headers = parse(packet).unwrap();
                    let transport = headers.transport_offset.unwrap();
                    let length = transport + u16::from(packet[transport as usize + 12] >> 4) * 4;
                    assert_eq!(gso.ipv6, headers.network == Network::Ipv6);
                    let whole = Super {
                        layout: Layout {
                            protocol: Protocol::Tcp,
                            network_offset: headers.network_offset,
                            transport_offset: transport,
                            header_length: length,
                            segment_size: gso.size,
                            payload_length: packet.len() as u32 - u32::from(length),
                            fixed_id: gso.fixed_id,
                            keep_cwr: gso.cwr,
                            pseudo: false,
                        },
                        headers: packet[..length.into()].to_vec(),
                        payload: packet[length.into()..].to_vec(),
                    };
                    let mut frames = whole.frames();
                    frames.iter_mut().for_each(pad);
                    assert_eq!(frames.len(), usize::from(gso.segments));
                    assert_eq!(headers.ip_length as usize, packet.len() - 14);
                    frames
                }
            }
        }
    }

    /// A receiver that holds one aggregate.
    #[derive(Default)]
    struct Receiver {
        held: Option<(Held, Vec<u8>)>,
        up: Vec<Up>,
    }

    impl Receiver {
        fn flush(&mut self) {
            if let Some((held, mut packet)) = self.held.take() {
                let (each, last) = held.frame_lengths();
                let others = usize::from(held.segments()) - 1;
                let headers = held.payload_offset() as usize;
                let before_last = each as usize * others;
                assert_eq!(
                    before_last + last as usize,
                    (packet.len() + others * headers).max(before_last + FRAME_MIN)
                );
                assert!(last <= each);
                self.up.push(match held.finish(&mut packet) {
                    Some(gso) => Up::Aggregate(packet, gso),
                    None => Up::Frame(packet),
                });
            }
        }

        fn receive(&mut self, frame: &[u8], limits: &Limits) {
            let segment = parse(frame).and_then(|headers| {
                let intact = verifiable(&headers, frame, frame.len()).is_some_and(|mut sum| {
                    let start = usize::from(headers.transport_offset.unwrap());
                    let length = headers.transport_length(frame.len()).unwrap() as usize;
                    sum.add_bytes(&frame[start..start + length]);
                    sum.is_valid()
                });
                Segment::of(frame, &headers, frame.len(), intact)
            });
            let Some(segment) = segment else {
                self.flush();
                self.up.push(Up::Frame(frame.to_vec()));
                return;
            };
            if let Some((held, packet)) = &mut self.held {
                let head = packet.clone();
                let verdict = held.offer(&head, frame, &segment, limits);
                if matches!(verdict, Verdict::Merged | Verdict::MergedLast) {
                    packet.extend(&frame[segment.payload_offset()..segment.payload_end() as usize]);
                }
                match verdict {
                    Verdict::Merged => return,
                    Verdict::MergedLast => return self.flush(),
                    Verdict::Flush | Verdict::OtherFlow => self.flush(),
                }
            }
            match Held::hold(&segment, limits) {
                Some(held) => self.held = Some((held, frame.to_vec())),
                None => self.up.push(Up::Frame(frame.to_vec())),
            }
        }
    }

    fn receive(frames: &[Vec<u8>], limits: &Limits) -> Vec<Up> {
        let mut receiver = Receiver::default();
        for frame in frames {
            receiver.receive(frame, limits);
        }
        receiver.flush();
        receiver.up
    }

    /// How many frames each thing that goes up stands for.
    fn counts(up: &[Up]) -> Vec<usize> {
        up.iter()
            .map(|up| match up {
                Up::Frame(_) => 1,
                Up::Aggregate(_, gso) => gso.segments.into(),
            })
            .collect()
    }

    /// Makes the checksums of a frame right.
    fn repair(frame: &mut [u8]) {
        let Some(headers) = parse(frame) else { return };
        if headers.network == Network::Ipv4 {
            let ip = 14..14 + usize::from(frame[14] & 15) * 4;
            frame[24..26].fill(0);
            let mut sum = Sum::new();
            sum.add_bytes(&frame[ip]);
            frame[24..26].copy_from_slice(&sum.checksum().to_be_bytes());
        }
        let (Some(mut sum), Some(transport)) = (
            verifiable(&headers, frame, frame.len()),
            headers.transport_offset.map(usize::from),
        ) else {
            return;
        };
        let length = headers.transport_length(frame.len()).unwrap() as usize;
        frame[transport + 16..transport + 18].fill(0);
        sum.add_bytes(&frame[transport..transport + length]);
        frame[transport + 16..transport + 18].copy_from_slice(&sum.checksum().to_be_bytes());
    }

    fn stream() -> Vec<Vec<u8>> {
        Super::new(false, &[], 100, vec![7; 350]).frames()
    }

    #[test]
    fn a_stream_is_one_packet() {
        for v6 in [false, true] {
            let whole = Super::new(v6, &[1; 12], 100, (0..250).collect());
            let up = receive(&whole.frames(), &LIMITS);
            let [Up::Aggregate(packet, gso)] = &up[..] else {
                panic!("{up:?}")
            };
            let h = whole.headers.len();
            assert_eq!(packet[h..], whole.payload);
            assert_eq!(packet[h - 12 - 7], 0x18, "PSH of the last frame");
            assert_eq!((gso.size, gso.segments, gso.ipv6), (100, 3, v6));
            let t = usize::from(whole.layout.transport_offset);
            let mut pseudo = Sum::new();
            pseudo.add_bytes(&packet[t - if v6 { 32 } else { 8 }..t]);
            pseudo.add_word(6);
            pseudo.add_word((packet.len() - t) as u16);
            assert_eq!(packet[t + 16..t + 18], pseudo.fold().to_be_bytes());
        }
    }

    #[test]
    fn what_ends_an_aggregate() {
        let limits = &LIMITS;
        let plain = stream();
        assert_eq!(counts(&receive(&plain, limits)), [4]);

        let change = |n: usize, change: &dyn Fn(&mut Vec<u8>)| {
            let mut frames = stream();
            change(&mut frames[n]);
            repair(&mut frames[n]);
            let up = receive(&frames, limits);
            assert_eq!(up.iter().flat_map(Up::frames).collect::<Vec<_>>(), frames);
            counts(&up)
        };
        assert_eq!(change(1, &|f| f[47] |= 8), [2, 2], "PSH ends it");
        assert_eq!(change(0, &|f| f[47] |= 8), [1, 3], "PSH never begins one");
        assert_eq!(change(3, &|f| f[47] |= 1), [4], "FIN on the last");
        for bit in [2, 4, 0x20] {
            assert_eq!(change(1, &|f| f[47] |= bit), [1, 1, 2], "SYN, RST, URG");
        }
        assert_eq!(change(1, &|f| f[47] |= 0x80), [1, 1, 2], "CWR differs");
        assert_eq!(
            change(1, &|f| f[45] ^= 1),
            [1, 1, 2],
            "acknowledgement differs"
        );
        assert_eq!(change(1, &|f| f[49] ^= 1), [1, 1, 2], "window differs");
        assert_eq!(
            change(1, &|f| f[22] ^= 1),
            [1, 1, 2],
            "time to live differs"
        );
        assert_eq!(change(1, &|f| f[15] ^= 1), [1, 1, 2], "ECN differs");
        assert_eq!(change(1, &|f| f[20] = 0), [1, 1, 2], "DF differs");
        assert_eq!(change(1, &|f| f[20] = 0x20), [1, 1, 2], "fragment");
        assert_eq!(change(1, &|f| f[41] ^= 1), [1, 1, 2], "sequence jumps");
        assert_eq!(
            change(1, &|f| f[19] ^= 4),
            [1, 1, 2],
            "identification jumps"
        );
        assert_eq!(change(1, &|f| f[35] ^= 1), [1, 1, 2], "another flow");
        assert_eq!(change(1, &|f| f[0] ^= 2), [1, 1, 2], "another station");
        assert_eq!(change(1, &|f| f.push(0)), [1, 1, 2], "padding");
    }

    #[test]
    fn a_padded_frame_is_the_last() {
        let padded = |payload, change: &dyn Fn(&mut Vec<u8>)| {
            let mut frames = Super::new(false, &[], 100, vec![7; payload]).frames();
            frames.iter_mut().for_each(pad);
            let last = frames.last_mut().unwrap();
            assert_eq!(last.len(), FRAME_MIN);
            change(last);
            let up = receive(&frames, &LIMITS);
            assert_eq!(up.iter().flat_map(Up::frames).collect::<Vec<_>>(), frames);
            counts(&up)
        };
        assert_eq!(padded(301, &|_| ()), [4]);
        assert_eq!(padded(305, &|_| ()), [4]);
        assert_eq!(padded(301, &|f| f[59] = 1), [3, 1], "not zeros");
        assert_eq!(padded(301, &|f| f[55] = 1), [3, 1], "not zeros");

        // What were merged behind one that comes first would lie behind its padding.
        let mut frames = Super::new(false, &[], 3, vec![7; 9]).frames();
        frames.iter_mut().for_each(pad);
        assert_eq!(counts(&receive(&frames, &LIMITS)), [1, 1, 1]);
    }

    #[test]
    fn nothing_waits_for_what_cannot_come() {
        let frame = &stream()[0];
        let headers = parse(frame).unwrap();
        let segment = Segment::of(frame, &headers, frame.len(), true).unwrap();
        let hold = |length, segments| Held::hold(&segment, &Limits { length, segments }).is_some();
        // 40 bytes of headers, and two frames of 100 bytes.
        assert!(hold(240, 2));
        assert!(!hold(239, 2));
        assert!(!hold(240, 1));
    }

    #[test]
    fn what_may_go_elsewhere_is_not_merged() {
        // Hop-by-hop options, destination options, a routing header, an atomic fragment.
        for (extension, merges) in [(0u8, true), (60, true), (43, false), (44, false)] {
            let mut frames = Super::new(true, &[], 100, vec![7; 350]).frames();
            for frame in &mut frames {
                let next = core::mem::replace(&mut frame[20], extension);
                frame.splice(54..54, [next, 0, 0, 0, 0, 0, 0, 1]);
                let length = (frame.len() - 54) as u16;
                frame[18..20].copy_from_slice(&length.to_be_bytes());
                let headers = parse(frame).unwrap();
                // Whatever the caller says of the checksum.
                let segment = Segment::of(frame, &headers, frame.len(), true).unwrap();
                let held = Held::hold(&segment, &LIMITS).is_some();
                assert_eq!(held, merges && frame[75] & 8 == 0);
            }
            let want: &[usize] = if merges { &[4] } else { &[1, 1, 1, 1] };
            assert_eq!(counts(&receive(&frames, &LIMITS)), want, "{extension}");
        }
    }

    #[test]
    fn broken_checksums_are_not_merged() {
        for byte in [24, 50, 60] {
            let mut frames = stream();
            frames[1][byte] ^= 0x40;
            let up = receive(&frames, &LIMITS);
            assert_eq!(counts(&up), [1, 1, 2]);
            assert_eq!(up[1], Up::Frame(frames[1].clone()));
        }
    }

    #[test]
    fn identifications() {
        let mut fixed = Super::new(false, &[], 100, vec![7; 350]);
        fixed.layout.fixed_id = true;
        let up = receive(&fixed.frames(), &LIMITS);
        let [Up::Aggregate(_, gso)] = &up[..] else {
            panic!("{up:?}")
        };
        assert!(gso.fixed_id);
        // Fixed at first, then counting.
        let mut frames = fixed.frames();
        frames[2][19] = 0xff;
        repair(&mut frames[2]);
        assert_eq!(counts(&receive(&frames, &LIMITS)), [2, 1, 1]);
    }

    #[test]
    fn limits() {
        let frames = stream();
        let limits = |length, segments| Limits { length, segments };
        assert_eq!(counts(&receive(&frames, &limits(65535, 2))), [2, 2]);
        assert_eq!(counts(&receive(&frames, &limits(240, 64))), [2, 2]);
        assert_eq!(counts(&receive(&frames, &limits(239, 64))), [1, 1, 1, 1]);
        assert_eq!(counts(&receive(&frames, &limits(0, 0))), [1, 1, 1, 1]);
    }

    #[test]
    fn accurate_ecn() {
        let mut whole = Super::new(true, &[], 100, vec![7; 350]);
        whole.layout.keep_cwr = true;
        whole.headers[67] |= 0x80;
        let frames = whole.frames();
        let up = receive(&frames, &LIMITS);
        assert_eq!(counts(&up), [4]);
        assert_eq!(up[0].frames(), frames);
    }

    #[test]
    fn pure_acknowledgements_keep_their_place() {
        let mut frames = stream();
        let mut ack = Super::new(false, &[], 100, vec![]).frames().remove(0);
        ack[47] = 0x10;
        repair(&mut ack);
        frames.insert(2, ack.clone());
        let up = receive(&frames, &LIMITS);
        assert_eq!(counts(&up), [2, 1, 2]);
        assert_eq!(up[1], Up::Frame(ack));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(3_000))]

        /// Whatever is received: what goes up, cut into frames again, is what came, in order.
        #[test]
        fn reversible(
            v6 in any::<bool>(),
            options in 0usize..4,
            size in 1u16..60,
            length in 0usize..600,
            fixed_id in any::<bool>(),
            changes in prop::collection::vec(
                (any::<prop::sample::Index>(), 0usize..80, any::<u8>(), any::<bool>()), 0..4),
            swaps in prop::collection::vec(any::<prop::sample::Index>(), 0..2),
            segments in 1u16..20,
        ) {
            let mut whole = Super::new(v6, &vec![1; options * 4], size, vec![5; length]);
            whole.layout.fixed_id = fixed_id;
            let mut frames = whole.frames();
            frames.iter_mut().for_each(pad);
            for (index, byte, value, repaired) in changes {
                let frame = index.get(&frames).clone();
                let at = index.index(frames.len());
                if let Some(b) = frames[at].get_mut(byte) {
                    *b ^= value;
                }
                if repaired {
                    repair(&mut frames[at]);
                }
                if value == 0 {
                    frames.insert(at, frame);
                }
            }
            for index in swaps {
                let at = index.index(frames.len());
                frames.swap(at, 0);
            }
            let up = receive(&frames, &Limits { length: 65535, segments });
            prop_assert_eq!(up.iter().flat_map(Up::frames).collect::<Vec<_>>(), frames);
        }

        #[test]
        fn noise(
            a in prop::collection::vec(any::<u8>(), 0..120),
            b in prop::collection::vec(any::<u8>(), 0..120),
            length in 0usize..2000,
        ) {
            let mut frames = [a, b];
            for f in frames.iter_mut().filter(|f| f.len() > 34) {
                f[..24].copy_from_slice(&stream()[0][..24]);
            }
            let [a, b] = &frames;
            if let (Some(ha), Some(hb)) = (parse(a), parse(b)) {
                if let (Some(mut sa), Some(sb)) =
                    (Segment::of(a, &ha, length, true), Segment::of(b, &hb, length, true))
                {
                    sa.mergeable = true;
                    if let Some(mut held) = Held::hold(&sa, &LIMITS) {
                        let _ = held.offer(a, b, &sb, &LIMITS);
                        let _ = held.offer(&a[..a.len() / 2], b, &sb, &LIMITS);
                        let _ = held.finish(&mut a.clone());
                        let _ = held.finish(&mut a.clone()[..20]);
                    }
                }
            }
        }
    }
}
