// SPDX-License-Identifier: GPL-2.0

//! The Internet checksum.
//!
//! RFC 1071 says how it is computed, RFC 1624 how it is updated. It is the one's complement sum of
//! 16-bit words, which doesn't depend on byte order and may be taken over wider words, so [`Sum`]
//! adds 64 bits at a time in the machine's own order. A packet comes in pieces of any length and
//! alignment; a piece that begins at an odd offset counts with its bytes swapped, and [`Sum`] knows
//! when.
//!
//! ```
//! use pure::checksum::Sum;
//!
//! let mut sum = Sum::new();
//! sum.add_bytes(&[0x00, 0x01, 0xf2]);
//! sum.add_bytes(&[0x03, 0xf4, 0xf5, 0xf6, 0xf7]);
//! assert_eq!(sum.fold(), 0xddf2);
//! assert_eq!(sum.checksum(), 0x220d);
//! ```

use crate::header::{
    array_at,
    Headers,
    Network,
    TCP,
    UDP, //
};

/// The sum of some bytes that lie one behind the other.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sum {
    /// One's complement sum in the machine's byte order, not folded.
    value: u64,
    /// Whether an odd number of bytes has been added.
    odd: bool,
}

impl Sum {
    /// The sum of no bytes.
    #[inline]
    pub const fn new() -> Self {
        Self {
            value: 0,
            odd: false,
        }
    }

    /// The pseudo header of an IPv4 packet (RFC 9293, RFC 768).
    ///
    /// `addresses` are source and destination as on the wire, `length` that of the transport header
    /// and its payload.
    #[inline]
    pub fn pseudo_ipv4(addresses: &[u8; 8], protocol: u8, length: u32) -> Self {
        let mut sum = Self::new();
        sum.value = u64::from_ne_bytes(*addresses);
        sum.add_word(u16::from(protocol));
        sum.add_long(length);
        sum
    }

    /// The pseudo header of an IPv6 packet (RFC 8200, section 8.1).
    ///
    /// `addresses` are source and destination as on the wire, `length` that of the transport header
    /// and its payload.
    #[inline]
    pub fn pseudo_ipv6(addresses: &[u8; 32], protocol: u8, length: u32) -> Self {
        let mut sum = Self::new();
        sum.value = add_32(0, addresses);
        sum.add_word(u16::from(protocol));
        sum.add_long(length);
        sum
    }

    /// Adds the bytes that follow those added before.
    #[inline]
    pub fn add_bytes(&mut self, bytes: &[u8]) {
        self.append(sum_bytes(bytes), bytes.len());
    }

    /// Adds a 16-bit field given as a number; it must lie at an even offset.
    #[inline]
    pub fn add_word(&mut self, word: u16) {
        self.value = add(self.value, u64::from(word.to_be()));
    }

    /// Adds a 32-bit field given as a number; it must lie at an even offset.
    #[inline]
    pub fn add_long(&mut self, long: u32) {
        self.value = add(self.value, u64::from(long.to_be()));
    }

    /// Adds what `next` sums, whose bytes follow those added before.
    #[inline]
    pub fn add_sum(&mut self, next: Sum) {
        self.append(next.value, usize::from(next.odd));
    }

    /// Adds the sum that other code took over the next `length` bytes, 32 bits wide and in the
    /// machine's byte order (the kernel's `__wsum`).
    #[inline]
    pub fn add_partial(&mut self, sum: u32, length: usize) {
        self.append(u64::from(sum), length);
    }

    /// Adds `value`, the sum of `length` bytes.
    #[inline]
    fn append(&mut self, value: u64, length: usize) {
        // Swapping the bytes of every word is a rotation of the sum by one byte.
        let value = if self.odd {
            value.rotate_left(8)
        } else {
            value
        };

        self.value = add(self.value, value);
        self.odd ^= length & 1 != 0;
    }

    /// The sum folded to 16 bits.
    #[inline]
    pub fn fold(self) -> u16 {
        let v = self.value;
        // At most 2^33 - 2, then 2^32 - 1, then 2^17 - 2, then 2^16 - 1.
        let v = (v & 0xffff_ffff).wrapping_add(v >> 32);
        let v = (v & 0xffff_ffff).wrapping_add(v >> 32);
        let v = (v & 0xffff).wrapping_add(v >> 16);
        let v = (v & 0xffff).wrapping_add(v >> 16);
        u16::from_be(v as u16)
    }

    /// The checksum: the complement of the folded sum.
    #[inline]
    pub fn checksum(self) -> u16 {
        !self.fold()
    }

    /// The checksum as UDP writes it, where 0 means that there is none: 0xffff takes its place.
    #[inline]
    pub fn checksum_nonzero(self) -> u16 {
        match self.checksum() {
            0 => 0xffff,
            other => other,
        }
    }

    /// Whether bytes that contain their own checksum (and, for a transport protocol, its pseudo
    /// header) are intact.
    #[inline]
    pub fn is_valid(self) -> bool {
        self.fold() == 0xffff
    }
}

/// The checksum of a header that changed in one 16-bit field (RFC 1624, equation 3).
#[inline]
pub fn update(checksum: u16, old: u16, new: u16) -> u16 {
    let mut sum = Sum::new();
    sum.add_word(!checksum);
    sum.add_word(!old);
    sum.add_word(new);
    sum.checksum()
}

/// The checksum of a header that changed in one 32-bit field at an even offset.
#[inline]
pub fn update_long(checksum: u16, old: u32, new: u32) -> u16 {
    let mut sum = Sum::new();
    sum.add_word(!checksum);
    sum.add_long(!old);
    sum.add_long(new);
    sum.checksum()
}

/// The pseudo header of a packet whose checksum can be verified.
///
/// Added to the sum over transport header and payload ([`Headers::transport_length`] bytes from the
/// transport header on) it must give a valid sum. `None` for what has no such checksum or can't be
/// judged from this frame alone: another protocol than TCP and UDP, a fragment, one that may go on to
/// another address ([`Headers::direct`]), UDP without a checksum, lengths that contradict each other or the frame's.
#[inline]
pub fn verifiable(headers: &Headers, frame: &[u8], frame_length: usize) -> Option<Sum> {
    if !headers.direct {
        return None;
    }
    let length = headers.transport_length(frame_length)?;
    let transport = usize::from(headers.transport_offset?);

    match headers.protocol {
        TCP => {
            if length < 20 {
                return None;
            }
        }
        UDP => {
            let [.., l0, l1, c0, c1] = *array_at::<8>(frame, transport)?;
            if [c0, c1] == [0, 0] || u32::from(u16::from_be_bytes([l0, l1])) != length {
                return None;
            }
        }
        _ => return None,
    }
    match headers.network {
        Network::Ipv4 => Some(Sum::pseudo_ipv4(
            headers.ipv4_addresses(frame)?,
            headers.protocol,
            length,
        )),
        Network::Ipv6 => Some(Sum::pseudo_ipv6(
            headers.ipv6_addresses(frame)?,
            headers.protocol,
            length,
        )),
        Network::Other => None,
    }
}

/// Whether a frame is intact whose checksum over all from offset `start` on was filled in, `field` bytes behind that,
/// given the `frame` as it was before.
///
/// `None` if that can't be said of it: it is not the checksum that [`verifiable`] is about, that of the frame's TCP or
/// UDP header, but one further inside, or anywhere. It is intact if the field held the sum of the pseudo header before
/// (`CHECKSUM_PARTIAL`): whatever else was there is in the checksum now.
#[inline]
pub fn filled(
    headers: &Headers,
    frame: &[u8],
    frame_length: usize,
    start: u32,
    field: u32,
) -> Option<bool> {
    if !is_own(headers, frame_length, start, field) {
        return None;
    }
    let pseudo = verifiable(headers, frame, frame_length)?;
    let seed = array_at(frame, start.wrapping_add(field) as usize)?;
    Some(is_seed(*seed, pseudo))
}

/// Whether that is what has to be in the place of a checksum that will be filled in: the sum of the pseudo header.
#[inline]
pub(crate) fn is_seed(seed: [u8; 2], mut pseudo: Sum) -> bool {
    pseudo.add_word(!u16::from_be_bytes(seed));
    // No difference. The one's complement has two zeros.
    matches!(pseudo.fold(), 0 | 0xffff)
}

/// Whether a checksum over all from offset `start` of the frame on, which is written `field` bytes behind that, is that
/// of its TCP or UDP header.
#[inline]
fn is_own(headers: &Headers, frame_length: usize, start: u32, field: u32) -> bool {
    let own = match headers.protocol {
        TCP => 16,
        UDP => 6,
        _ => return false,
    };
    let end = headers
        .ip_length
        .wrapping_add(headers.network_offset.into());
    headers.direct
        && field == own
        && headers.transport_offset.map(u32::from) == Some(start)
        && usize::try_from(end).is_ok_and(|end| end == frame_length)
}

/// Copies as many bytes as both slices have and sums them on the way.
///
/// Returns how many that were, and their sum. One pass; three instructions for eight bytes.
#[inline]
pub fn copy_and_sum(dst: &mut [u8], src: &[u8]) -> (usize, Sum) {
    let length = dst.len().min(src.len());
    let (Some(dst), Some(src)) = (dst.get_mut(..length), src.get(..length)) else {
        return (0, Sum::new());
    };
    let sum = Sum {
        value: copy_bytes(dst, src),
        odd: length & 1 != 0,
    };
    (length, sum)
}

/// One's complement addition.
#[inline]
fn add(a: u64, b: u64) -> u64 {
    let (sum, carry) = a.overflowing_add(b);
    sum.wrapping_add(u64::from(carry))
}

/// Adds with a carry that comes in and one that goes out.
#[inline]
fn add_carry(a: u64, b: u64, carry: bool) -> (u64, bool) {
    let (sum, c) = a.overflowing_add(b);
    let (sum, d) = sum.overflowing_add(u64::from(carry));
    (sum, c | d)
}

/// Adds four words: the carry runs through, so that this is one addition a word.
#[inline]
fn add_32(sum: u64, bytes: &[u8; 32]) -> u64 {
    let (Some((low, _)), Some(high)) = (bytes.split_first_chunk::<16>(), bytes.last_chunk::<16>())
    else {
        return sum;
    };
    let ([a, b], [c, d]) = (words(low), words(high));
    let (sum, carry) = add_carry(sum, a, false);
    let (sum, carry) = add_carry(sum, b, carry);
    let (sum, carry) = add_carry(sum, c, carry);
    let (sum, carry) = add_carry(sum, d, carry);
    sum.wrapping_add(u64::from(carry))
}

/// Adds two words.
#[inline]
fn add_16(sum: u64, bytes: &[u8; 16]) -> u64 {
    let [a, b] = words(bytes);
    let (sum, carry) = add_carry(sum, a, false);
    let (sum, carry) = add_carry(sum, b, carry);
    sum.wrapping_add(u64::from(carry))
}

/// Two words in the machine's byte order.
#[inline]
fn words(bytes: &[u8; 16]) -> [u64; 2] {
    let [a0, a1, a2, a3, a4, a5, a6, a7, b0, b1, b2, b3, b4, b5, b6, b7] = *bytes;
    [
        u64::from_ne_bytes([a0, a1, a2, a3, a4, a5, a6, a7]),
        u64::from_ne_bytes([b0, b1, b2, b3, b4, b5, b6, b7]),
    ]
}

/// Takes the first `N` bytes off a slice, if it has as many.
#[inline]
fn take<'a, const N: usize>(bytes: &mut &'a [u8]) -> Option<&'a [u8; N]> {
    let (first, rest) = bytes.split_first_chunk()?;
    *bytes = rest;
    Some(first)
}

/// Sums bytes as words of the machine's byte order, the first byte being at an even offset.
///
/// The parts that are smaller than a block come in falling sizes, so that each happens once at most
/// and none needs a loop.
fn sum_bytes(mut bytes: &[u8]) -> u64 {
    let mut sum = 0;

    while let Some(part) = take(&mut bytes) {
        sum = add_32(sum, part);
    }
    if let Some(part) = take(&mut bytes) {
        sum = add_16(sum, part);
    }
    if let Some(part) = take(&mut bytes) {
        sum = add(sum, u64::from_ne_bytes(*part));
    }
    if let Some(part) = take(&mut bytes) {
        sum = add(sum, u64::from(u32::from_ne_bytes(*part)));
    }
    if let Some(part) = take(&mut bytes) {
        sum = add(sum, u64::from(u16::from_ne_bytes(*part)));
    }
    if let Some([last]) = take(&mut bytes) {
        sum = add(sum, u64::from(u16::from_ne_bytes([*last, 0])));
    }
    sum
}

/// Copies the first `N` bytes, if both slices have as many, and returns them and the place behind.
#[inline]
fn move_part<'a, const N: usize>(
    dst: &'a mut [u8],
    src: &mut &[u8],
) -> (&'a mut [u8], Option<[u8; N]>) {
    if src.len() < N {
        return (dst, None);
    }
    match (take(src), dst.split_first_chunk_mut()) {
        (Some(from), Some((to, rest))) => {
            *to = *from;
            (rest, Some(*from))
        }
        _ => (&mut [], None),
    }
}

/// Copies `src` to `dst`, which is as long, and sums it as [`sum_bytes`] does.
///
/// Like there, what is smaller than a block needs no loop: the compiler would make it a call of
/// memcpy.
fn copy_bytes(dst: &mut [u8], src: &[u8]) -> u64 {
    const BLOCK: usize = 64;

    let blocks = src.len() & !(BLOCK - 1);
    let (Some((dst_blocks, dst)), Some((src_blocks, mut src))) = (
        dst.split_at_mut_checked(blocks),
        src.split_at_checked(blocks),
    ) else {
        return 0;
    };
    let mut sum = 0;

    for (to, from) in dst_blocks
        .chunks_exact_mut(BLOCK)
        .zip(src_blocks.chunks_exact(BLOCK))
    {
        if let (Some(to), Some(from)) = (to.first_chunk_mut::<BLOCK>(), from.first_chunk::<BLOCK>())
        {
            if let (Some(low), Some(high)) = (from.first_chunk(), from.last_chunk()) {
                sum = add_32(sum, low);
                sum = add_32(sum, high);
            }
            *to = *from;
        }
    }
    let (dst, part) = move_part(dst, &mut src);
    if let Some(part) = part {
        sum = add_32(sum, &part);
    }
    let (dst, part) = move_part(dst, &mut src);
    if let Some(part) = part {
        sum = add_16(sum, &part);
    }
    let (dst, part) = move_part(dst, &mut src);
    if let Some(part) = part {
        sum = add(sum, u64::from_ne_bytes(part));
    }
    let (dst, part) = move_part(dst, &mut src);
    if let Some(part) = part {
        sum = add(sum, u64::from(u32::from_ne_bytes(part)));
    }
    let (dst, part) = move_part(dst, &mut src);
    if let Some(part) = part {
        sum = add(sum, u64::from(u16::from_ne_bytes(part)));
    }
    let (_, part) = move_part(dst, &mut src);
    if let Some([last]) = part {
        sum = add(sum, u64::from(u16::from_ne_bytes([last, 0])));
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::header;
    use proptest::prelude::*;

    /// RFC 1071, literally: 16-bit big-endian words, the carry put back after each.
    fn naive(bytes: &[u8]) -> u16 {
        let mut sum = 0u32;
        for pair in bytes.chunks(2) {
            sum += u32::from(pair[0]) << 8 | u32::from(*pair.get(1).unwrap_or(&0));
            sum = (sum & 0xffff) + (sum >> 16);
        }
        sum as u16
    }

    fn sum_of(bytes: &[u8]) -> Sum {
        let mut sum = Sum::new();
        sum.add_bytes(bytes);
        sum
    }

    #[test]
    fn ipv4_header() {
        // An often printed header; its checksum is 0xb861.
        let mut ip = [
            0x45, 0x00, 0x00, 0x73, 0x00, 0x00, 0x40, 0x00, 0x40, 0x11, 0x00, 0x00, 0xc0, 0xa8,
            0x00, 0x01, 0xc0, 0xa8, 0x00, 0xc7,
        ];
        let checksum = sum_of(&ip).checksum();
        assert_eq!(checksum, 0xb861);
        ip[10..12].copy_from_slice(&checksum.to_be_bytes());
        assert!(sum_of(&ip).is_valid());
    }

    #[test]
    fn zero_and_all_ones() {
        assert_eq!(Sum::new().fold(), 0);
        assert!(!Sum::new().is_valid());
        assert_eq!(sum_of(&[0xff; 1500]).fold(), 0xffff);
        assert_eq!(sum_of(&[0xff; 1500]).checksum(), 0);
        assert_eq!(sum_of(&[0xff; 1500]).checksum_nonzero(), 0xffff);
        assert_eq!(sum_of(&[0, 1]).checksum_nonzero(), 0xfffe);
    }

    #[test]
    fn every_short_length_and_alignment() {
        let bytes: Vec<u8> = (0..300u32).map(|i| (i * 151 % 257) as u8).collect();
        for start in 0..16 {
            for end in start..bytes.len() {
                let part = &bytes[start..end];
                assert_eq!(sum_of(part).fold(), naive(part));

                let mut copy = vec![0xa5; part.len() + 3];
                let (n, sum) = copy_and_sum(&mut copy, part);
                assert_eq!((n, sum.fold()), (part.len(), naive(part)));
                assert_eq!(&copy[..n], part);
                assert_eq!(copy[n..], [0xa5; 3]);
            }
        }
    }

    fn verdict(frame: &[u8]) -> Option<bool> {
        let headers = header::parse(frame)?;
        let mut sum = verifiable(&headers, frame, frame.len())?;
        let start = usize::from(headers.transport_offset?);
        let length = headers.transport_length(frame.len())? as usize;
        sum.add_bytes(&frame[start..start + length]);
        Some(sum.is_valid())
    }

    /// A UDP packet from 10.0.0.1 to 10.0.0.2 with the payload "odd", padded to 60 bytes.
    fn udp() -> Vec<u8> {
        let mut f = vec![2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0];
        f.extend([
            0x45, 0, 0, 31, 0, 0, 0, 0, 64, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2,
        ]);
        f.extend([0x12, 0x34, 0, 7, 0, 11, 0, 0]);
        f.extend(b"odd");
        let sum = naive(&[&f[26..34], &[0, 17, 0, 11], &f[34..45]].concat());
        f[40..42].copy_from_slice(&(!sum).to_be_bytes());
        f.resize(60, 0xee);
        f
    }

    #[test]
    fn verify_udp() {
        let mut f = udp();
        assert_eq!(verdict(&f), Some(true));
        f[44] ^= 1;
        assert_eq!(verdict(&f), Some(false));
        f[40..42].fill(0);
        assert_eq!(verdict(&f), None, "no checksum");
        let mut f = udp();
        f[39] = 12;
        assert_eq!(verdict(&f), None, "lengths contradict each other");
        let mut f = udp();
        f[20] = 0x20;
        assert_eq!(verdict(&f), None, "fragment");
        let mut f = udp();
        f[23] = 1;
        assert_eq!(verdict(&f), None, "other protocol");
        assert_eq!(verdict(&udp()[..44]), None, "cut off");
    }

    #[test]
    fn own_checksum_or_another() {
        let f = &udp()[..45];
        let headers = header::parse(f).unwrap();
        assert!(is_own(&headers, f.len(), 34, 6));
        assert!(!is_own(&headers, f.len(), 34, 16), "the place of TCP's");
        assert!(!is_own(&headers, f.len(), 42, 6), "further inside");
        assert!(!is_own(&headers, f.len() + 1, 34, 6), "padding");
        let icmp = Headers {
            protocol: header::ICMP,
            ..headers
        };
        assert!(!is_own(&icmp, f.len(), 34, 6));
        let elsewhere = Headers {
            direct: false,
            ..headers
        };
        assert!(!is_own(&elsewhere, f.len(), 34, 6));
    }

    #[test]
    fn filled_on_what_was_there_before() {
        let mut f = udp()[..45].to_vec();
        let length = f.len();
        let pseudo = Sum::pseudo_ipv4(array_at(&f, 26).unwrap(), UDP, 11);
        let judged = |f: &[u8], start| filled(&header::parse(f).unwrap(), f, length, start, 6);

        f[40..42].copy_from_slice(&pseudo.fold().to_be_bytes());
        assert_eq!(judged(&f, 34), Some(true));
        assert_eq!(judged(&f, 35), None, "elsewhere");
        f[41] ^= 1;
        assert_eq!(judged(&f, 34), Some(false), "another sum");
        f[29] ^= 1;
        assert_eq!(
            judged(&f, 34),
            Some(true),
            "that of the address that is there now"
        );
        f[39] = 12;
        assert_eq!(judged(&f, 34), None, "lengths contradict each other");
    }

    #[test]
    fn two_zeros() {
        assert!(is_seed([0, 0], Sum::new()));
        assert!(is_seed([0xff, 0xff], Sum::new()));
        assert!(!is_seed([0, 1], Sum::new()));
    }

    #[test]
    fn what_may_go_elsewhere_is_not_judged() {
        let mut f = udp();
        // A source route: the address in the header is that of the next hop.
        f[14] = 0x47;
        f.splice(34..34, [131, 7, 4, 10, 0, 0, 9, 0]);
        f[17] = 39;
        assert_eq!(verdict(&f), None);
    }

    #[test]
    fn verify_tcp_over_ipv6() {
        let mut f = vec![2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0x86, 0xdd];
        f.extend([0x60, 0, 0, 0, 0, 25, 6, 64]);
        f.extend(1..=32);
        f.extend([
            0, 80, 0, 81, 1, 2, 3, 4, 5, 6, 7, 8, 0x50, 0x10, 9, 9, 0, 0, 0, 0,
        ]);
        f.extend(b"hello");
        let sum = naive(&[&f[22..54], &[0, 0, 0, 25, 0, 0, 0, 6], &f[54..]].concat());
        f[70..72].copy_from_slice(&(!sum).to_be_bytes());
        assert_eq!(verdict(&f), Some(true));
        f[60] ^= 0x80;
        assert_eq!(verdict(&f), Some(false));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(5_000))]

        #[test]
        fn pieces(
            pieces in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..200), 0..8),
        ) {
            let whole = pieces.concat();
            let (mut sum, mut sums, mut copied) = (Sum::new(), Sum::new(), Sum::new());
            let mut partial = Sum::new();
            let mut out = vec![0; whole.len()];
            let mut at = 0;
            for piece in &pieces {
                sum.add_bytes(piece);
                sums.add_sum(sum_of(piece));
                partial.add_partial(sum_of(piece).fold().to_be().into(), piece.len());
                let (n, s) = copy_and_sum(&mut out[at..], piece);
                copied.add_sum(s);
                at += n;
            }
            prop_assert_eq!(sum.fold(), naive(&whole));
            prop_assert_eq!(sums.fold(), naive(&whole));
            prop_assert_eq!(copied.fold(), naive(&whole));
            prop_assert_eq!(partial.fold(), naive(&whole));
            prop_assert_eq!(out, whole);
        }

        #[test]
        fn copy_stops_at_the_shorter(
            dst in 0usize..200,
            src in prop::collection::vec(any::<u8>(), 0..200),
        ) {
            let mut out = vec![0; dst];
            let (n, sum) = copy_and_sum(&mut out, &src);
            prop_assert_eq!(n, dst.min(src.len()));
            prop_assert_eq!(sum.fold(), naive(&src[..n]));
            prop_assert_eq!(&out[..n], &src[..n]);
        }

        #[test]
        fn pseudo_headers(
            v4 in any::<[u8; 8]>(),
            v6 in any::<[u8; 32]>(),
            p in any::<u8>(),
            l in any::<u32>(),
        ) {
            let tail = [&l.to_be_bytes()[..], &[0, p]].concat();
            prop_assert_eq!(Sum::pseudo_ipv4(&v4, p, l).fold(), naive(&[&v4[..], &tail].concat()));
            prop_assert_eq!(Sum::pseudo_ipv6(&v6, p, l).fold(), naive(&[&v6[..], &tail].concat()));
        }

        #[test]
        fn incremental(
            mut h in any::<[u8; 20]>(),
            at in 0usize..10,
            new in any::<u16>(),
            long in any::<u32>(),
        ) {
            // A header is never all zero, see RFC 1624, section 3.
            h[0] |= 1;
            let check = !naive(&h);
            let at = at.max(1) * 2;
            let old = u16::from_be_bytes([h[at], h[at + 1]]);
            h[at..at + 2].copy_from_slice(&new.to_be_bytes());
            prop_assert_eq!(update(check, old, new), !naive(&h));

            let check = !naive(&h);
            let at = at.min(16);
            let old = u32::from_be_bytes([h[at], h[at + 1], h[at + 2], h[at + 3]]);
            h[at..at + 4].copy_from_slice(&long.to_be_bytes());
            prop_assert_eq!(update_long(check, old, long), !naive(&h));
        }
    }
}
