// SPDX-License-Identifier: GPL-2.0

//! What of a packet goes into the receive hash.
//!
//! For each type of flow the user chooses fields (`ethtool -N ... rx-flow-hash`); their bytes, as
//! on the wire and in the order source address, destination address, source port, destination port,
//! flow label, are the input of the hash. A transform can make both directions of a flow hash
//! alike.
//!
//! C header: `include/uapi/linux/ethtool.h` (`RXH_*`, `RXH_XFRM_*`).

use crate::header::{
    array_at,
    Fragment,
    Headers,
    Network,
    SCTP,
    TCP,
    UDP, //
};

/// Longest input: both IPv6 addresses, both ports, the flow label.
pub const INPUT_MAX: usize = 40;

/// Number of flow types.
pub const FLOW_TYPES: usize = 8;

/// A type of flow that has hash fields of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FlowType {
    /// TCP over IPv4.
    Tcp4,
    /// UDP over IPv4.
    Udp4,
    /// SCTP over IPv4.
    Sctp4,
    /// IPv4 with anything else, and fragments.
    Ip4,
    /// TCP over IPv6.
    Tcp6,
    /// UDP over IPv6.
    Udp6,
    /// SCTP over IPv6.
    Sctp6,
    /// IPv6 with anything else, and fragments.
    Ip6,
}

impl FlowType {
    /// All of them.
    pub const ALL: [FlowType; FLOW_TYPES] = [
        FlowType::Tcp4,
        FlowType::Udp4,
        FlowType::Sctp4,
        FlowType::Ip4,
        FlowType::Tcp6,
        FlowType::Udp6,
        FlowType::Sctp6,
        FlowType::Ip6,
    ];

    /// The type of a packet, if it is IP.
    ///
    /// All fragments of a datagram, the first with the ports too, are of the same type, so that
    /// they take the same way.
    #[inline(always)]
    pub fn of(headers: &Headers) -> Option<FlowType> {
        let whole = headers.ports.is_some() && headers.fragment == Fragment::Whole;

        match (headers.network, headers.protocol) {
            (Network::Ipv4, TCP) if whole => Some(FlowType::Tcp4),
            (Network::Ipv4, UDP) if whole => Some(FlowType::Udp4),
            (Network::Ipv4, SCTP) if whole => Some(FlowType::Sctp4),
            (Network::Ipv4, _) => Some(FlowType::Ip4),
            (Network::Ipv6, TCP) if whole => Some(FlowType::Tcp6),
            (Network::Ipv6, UDP) if whole => Some(FlowType::Udp6),
            (Network::Ipv6, SCTP) if whole => Some(FlowType::Sctp6),
            (Network::Ipv6, _) => Some(FlowType::Ip6),
            (Network::Other, _) => None,
        }
    }

    /// Fields that can be chosen for this type.
    #[inline]
    pub const fn supported(self) -> Fields {
        match self {
            FlowType::Ip4 => Fields::ADDRESSES,
            FlowType::Tcp4 | FlowType::Udp4 | FlowType::Sctp4 => Fields::FOUR_TUPLE,
            FlowType::Ip6 => Fields::ADDRESSES.with(Fields::FLOW_LABEL),
            FlowType::Tcp6 | FlowType::Udp6 | FlowType::Sctp6 => {
                Fields::FOUR_TUPLE.with(Fields::FLOW_LABEL)
            }
        }
    }
}

/// A set of packet fields. The bits are those of ethtool's `RXH_*`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fields(u16);

impl Fields {
    /// No field: all packets of the type hash to 0.
    pub const NONE: Fields = Fields(0);
    /// Source address, `RXH_IP_SRC`.
    pub const SOURCE: Fields = Fields(1 << 4);
    /// Destination address, `RXH_IP_DST`.
    pub const DESTINATION: Fields = Fields(1 << 5);
    /// Source port, `RXH_L4_B_0_1`.
    pub const SOURCE_PORT: Fields = Fields(1 << 6);
    /// Destination port, `RXH_L4_B_2_3`.
    pub const DESTINATION_PORT: Fields = Fields(1 << 7);
    /// IPv6 flow label, `RXH_IP6_FL`.
    pub const FLOW_LABEL: Fields = Fields(1 << 9);
    /// Both addresses.
    pub const ADDRESSES: Fields = Fields::SOURCE.with(Fields::DESTINATION);
    /// Both ports.
    pub const PORTS: Fields = Fields::SOURCE_PORT.with(Fields::DESTINATION_PORT);
    /// Both addresses and both ports.
    pub const FOUR_TUPLE: Fields = Fields::ADDRESSES.with(Fields::PORTS);

    /// The fields of both sets.
    #[inline]
    pub const fn with(self, other: Fields) -> Fields {
        Fields(self.0 | other.0)
    }

    /// Whether all fields of `other` are in this set.
    #[inline]
    pub const fn contains(self, other: Fields) -> bool {
        self.0 & other.0 == other.0
    }

    /// Whether the set is the same for both directions of a flow, as transforms need it.
    #[inline]
    pub const fn is_symmetric(self) -> bool {
        let addresses = self.0 & Fields::ADDRESSES.0;
        let ports = self.0 & Fields::PORTS.0;

        (addresses == 0 || addresses == Fields::ADDRESSES.0)
            && (ports == 0 || ports == Fields::PORTS.0)
    }

    /// From ethtool's `RXH_*` bits; `None` if there are others among them.
    #[inline]
    pub const fn from_rxh(bits: u32) -> Option<Fields> {
        let known = Fields::FOUR_TUPLE.with(Fields::FLOW_LABEL);

        if bits & !(known.0 as u32) != 0 {
            return None;
        }
        Some(Fields(bits as u16))
    }

    /// As ethtool's `RXH_*` bits.
    #[inline]
    pub const fn to_rxh(self) -> u32 {
        self.0 as u32
    }
}

/// How source and destination are combined before they are hashed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Transform {
    /// They aren't.
    #[default]
    None,
    /// Both become source ^ destination (`RXH_XFRM_SYM_XOR`).
    SymmetricXor,
    /// The source becomes source | destination, the destination source ^ destination
    /// (`RXH_XFRM_SYM_OR_XOR`).
    SymmetricOrXor,
}

impl Transform {
    /// From ethtool's `RXH_XFRM_*` bits; `None` if there is no such transform.
    #[inline]
    pub const fn from_rxh(bits: u32) -> Option<Transform> {
        match bits {
            0 => Some(Transform::None),
            1 => Some(Transform::SymmetricXor),
            2 => Some(Transform::SymmetricOrXor),
            _ => None,
        }
    }

    /// As ethtool's `RXH_XFRM_*` bits.
    #[inline]
    pub const fn to_rxh(self) -> u32 {
        match self {
            Transform::None => 0,
            Transform::SymmetricXor => 1,
            Transform::SymmetricOrXor => 2,
        }
    }

    /// Transforms a source and a destination. They are wide enough for addresses and ports alike;
    /// the operations work on bits, so byte order is of no concern.
    #[inline]
    fn apply(self, source: u128, destination: u128) -> (u128, u128) {
        match self {
            Transform::None => (source, destination),
            Transform::SymmetricXor => (source ^ destination, source ^ destination),
            Transform::SymmetricOrXor => (source | destination, source ^ destination),
        }
    }
}

/// Which fields are hashed, for each type of flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HashFields([Fields; FLOW_TYPES]);

impl Default for HashFields {
    fn default() -> Self {
        Self::new()
    }
}

impl HashFields {
    /// The default: addresses, and ports where there are any.
    pub const fn new() -> Self {
        const T: Fields = Fields::FOUR_TUPLE;
        const A: Fields = Fields::ADDRESSES;

        Self([T, T, T, A, T, T, T, A])
    }

    /// The fields of a flow type.
    #[inline]
    pub fn get(&self, flow: FlowType) -> Fields {
        self.0.get(flow as usize).copied().unwrap_or(Fields::NONE)
    }

    /// Sets the fields of a flow type; refused, without a change, if the type doesn't have them.
    pub fn set(&mut self, flow: FlowType, fields: Fields) -> bool {
        match self.0.get_mut(flow as usize) {
            Some(slot) if flow.supported().contains(fields) => {
                *slot = fields;
                true
            }
            _ => false,
        }
    }

    /// Whether a transform may be used with these fields.
    pub fn is_symmetric(&self) -> bool {
        self.0.iter().all(|fields| fields.is_symmetric())
    }

    /// The hash input of a packet. `None` if it isn't IP or if no field is chosen for it: such
    /// packets have no hash.
    #[inline]
    pub fn input(&self, frame: &[u8], headers: &Headers, transform: Transform) -> Option<Input> {
        select(self.get(FlowType::of(headers)?), frame, headers, transform)
    }

    /// The bytes of the [input](Self::input) of a packet, if they are what most packets are spread by: addresses and
    /// ports of IPv4, as they are.
    #[inline(always)]
    pub fn four_tuple(
        &self,
        frame: &[u8],
        headers: &Headers,
        transform: Transform,
    ) -> Option<[u8; 12]> {
        let addresses = headers.ipv4_addresses(frame)?;
        let ports = headers.ports?;
        if transform != Transform::None || self.get(FlowType::of(headers)?) != Fields::FOUR_TUPLE {
            return None;
        }
        let mut tuple = [0; 12];
        let (first, last) = tuple.split_first_chunk_mut()?;
        *first = *addresses;
        *last.first_chunk_mut()? = ports;
        Some(tuple)
    }
}

/// [`HashFields::input`] for any choice of fields.
#[inline(never)]
fn select(fields: Fields, frame: &[u8], headers: &Headers, transform: Transform) -> Option<Input> {
    let mut input = Input::EMPTY;

    match headers.network {
        Network::Ipv4 => {
            let [s0, s1, s2, s3, d0, d1, d2, d3] = *headers.ipv4_addresses(frame)?;
            let (source, destination) = transform.apply(
                u32::from_be_bytes([s0, s1, s2, s3]).into(),
                u32::from_be_bytes([d0, d1, d2, d3]).into(),
            );
            if fields.contains(Fields::SOURCE) {
                input.push((source as u32).to_be_bytes());
            }
            if fields.contains(Fields::DESTINATION) {
                input.push((destination as u32).to_be_bytes());
            }
        }
        Network::Ipv6 => {
            let addresses = headers.ipv6_addresses(frame)?;
            let (source, destination) = transform.apply(
                u128::from_be_bytes(*addresses.first_chunk()?),
                u128::from_be_bytes(*addresses.last_chunk()?),
            );
            if fields.contains(Fields::SOURCE) {
                input.push(source.to_be_bytes());
            }
            if fields.contains(Fields::DESTINATION) {
                input.push(destination.to_be_bytes());
            }
        }
        Network::Other => return None,
    }
    if let Some([s0, s1, d0, d1]) = headers.ports {
        let (source, destination) = transform.apply(
            u16::from_be_bytes([s0, s1]).into(),
            u16::from_be_bytes([d0, d1]).into(),
        );
        if fields.contains(Fields::SOURCE_PORT) {
            input.push((source as u16).to_be_bytes());
            input.ports = true;
        }
        if fields.contains(Fields::DESTINATION_PORT) {
            input.push((destination as u16).to_be_bytes());
            input.ports = true;
        }
    }
    if fields.contains(Fields::FLOW_LABEL) {
        let [_, b, c, d] = *array_at(frame, headers.network_offset.into())?;
        input.push([0, b & 0xf, c, d]);
    }
    (input.length != 0).then_some(input)
}

/// The bytes that are hashed.
#[derive(Clone, Copy, Debug)]
pub struct Input {
    /// Behind `length`: zeroes.
    bytes: [u8; INPUT_MAX],
    length: u8,
    ports: bool,
}

impl Input {
    /// No bytes.
    pub(crate) const EMPTY: Input = Input {
        bytes: [0; INPUT_MAX],
        length: 0,
        ports: false,
    };

    /// The bytes.
    #[inline]
    pub fn bytes(&self) -> &[u8] {
        self.bytes.get(..self.length.into()).unwrap_or(&[])
    }

    /// Whether it is these bytes.
    #[inline(always)]
    pub(crate) fn is(&self, tuple: &[u8; 12]) -> bool {
        // In words, for the reason given below.
        let words = |bytes: &[u8]| {
            let (first, rest) = bytes.split_first_chunk()?;
            Some((
                u64::from_ne_bytes(*first),
                u32::from_ne_bytes(*rest.first_chunk()?),
            ))
        };
        self.length == 12 && words(&self.bytes) == words(tuple)
    }

    /// Whether two inputs are of the same bytes.
    ///
    /// Without a branch for each word, or the compiler makes it a call of bcmp, which is slow in
    /// the kernel.
    #[inline]
    pub(crate) fn same_bytes(&self, other: &Input) -> bool {
        let words = |input: &Input| {
            let mut words = [0; INPUT_MAX / 8];
            for (word, bytes) in words.iter_mut().zip(input.bytes.chunks_exact(8)) {
                *word = bytes.first_chunk().map_or(0, |b| u64::from_ne_bytes(*b));
            }
            words
        };
        let differences = words(self)
            .iter()
            .zip(words(other))
            .fold(0, |sum, (a, b)| sum | (a ^ b));

        differences | u64::from(self.length ^ other.length) == 0
    }

    /// Whether ports are among them, so that the hash is one of the transport layer.
    #[inline]
    pub fn has_ports(&self) -> bool {
        self.ports
    }

    #[cfg(test)]
    pub(crate) fn from_bytes(bytes: &[u8]) -> Input {
        let mut input = Input::EMPTY;
        bytes.iter().for_each(|b| input.push([*b]));
        input
    }

    /// Appends bytes, if there is room.
    #[inline]
    fn push<const N: usize>(&mut self, bytes: [u8; N]) {
        let room = self.bytes.get_mut(usize::from(self.length)..);

        if let Some(to) = room.and_then(|room| room.first_chunk_mut()) {
            *to = bytes;
            self.length = self.length.wrapping_add(N as u8);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::header::parse;
    use proptest::prelude::*;

    const V4: [u8; 42] = [
        2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0, 0x45, 0, 0, 28, 0, 0, 0, 0, 64, 17, 0, 0, 10, 1,
        2, 3, 10, 4, 5, 6, 0x12, 0x34, 0x56, 0x78, 0, 8, 0, 0,
    ];

    fn v6() -> Vec<u8> {
        let mut f = V4[..12].to_vec();
        f.extend([0x86, 0xdd, 0x6f, 0xfa, 0xbc, 0xde, 0, 8, 17, 64]);
        f.extend(1..=32);
        f.extend([0x12, 0x34, 0x56, 0x78, 0, 8, 0, 0]);
        f
    }

    fn input(frame: &[u8], fields: Fields, transform: Transform) -> Option<Vec<u8>> {
        let headers = parse(frame)?;
        let mut hash_fields = HashFields::new();
        assert!(hash_fields.set(FlowType::of(&headers)?, fields));
        Some(
            hash_fields
                .input(frame, &headers, transform)?
                .bytes()
                .to_vec(),
        )
    }

    #[test]
    fn defaults() {
        let f = HashFields::new();
        let i = f.input(&V4, &parse(&V4).unwrap(), Transform::None).unwrap();
        assert_eq!(i.bytes(), &V4[26..38]);
        assert!(i.has_ports());
        let v6 = v6();
        let i = f.input(&v6, &parse(&v6).unwrap(), Transform::None).unwrap();
        assert_eq!(i.bytes(), &v6[22..58]);
        assert!(i.has_ports());
    }

    #[test]
    fn selections() {
        let none = Transform::None;
        assert_eq!(input(&V4, Fields::NONE, none), None);
        assert_eq!(input(&V4, Fields::SOURCE, none).unwrap(), V4[26..30]);
        assert_eq!(input(&V4, Fields::DESTINATION, none).unwrap(), V4[30..34]);
        assert_eq!(input(&V4, Fields::PORTS, none).unwrap(), V4[34..38]);
        assert_eq!(input(&V4, Fields::ADDRESSES, none).unwrap(), V4[26..34]);
        let v6 = v6();
        let all = Fields::FOUR_TUPLE.with(Fields::FLOW_LABEL);
        let expected = [&v6[22..58], &[0, 0xa, 0xbc, 0xde]].concat();
        assert_eq!(input(&v6, all, none).unwrap(), expected);
        assert_eq!(
            input(&v6, Fields::FLOW_LABEL, none).unwrap(),
            [0, 0xa, 0xbc, 0xde]
        );
    }

    #[test]
    fn fragments_and_others_have_no_ports() {
        let mut first = V4;
        first[20] = 0x20;
        let mut later = V4;
        later[21] = 1;
        let mut icmp = V4;
        icmp[23] = 1;
        for frame in [first, later, icmp] {
            let headers = parse(&frame).unwrap();
            assert_eq!(FlowType::of(&headers), Some(FlowType::Ip4));
            let input = HashFields::new()
                .input(&frame, &headers, Transform::None)
                .unwrap();
            assert_eq!(input.bytes(), &V4[26..34]);
            assert!(!input.has_ports());
        }
        let arp = parse(&[[0; 12].as_slice(), &[8, 6], &[0; 46]].concat()).unwrap();
        assert_eq!(FlowType::of(&arp), None);
    }

    #[test]
    fn transforms() {
        let bytes = input(&V4, Fields::FOUR_TUPLE, Transform::SymmetricXor).unwrap();
        assert_eq!(bytes, [0, 5, 7, 5, 0, 5, 7, 5, 0x44, 0x4c, 0x44, 0x4c]);
        let bytes = input(&V4, Fields::FOUR_TUPLE, Transform::SymmetricOrXor).unwrap();
        assert_eq!(bytes, [10, 5, 7, 7, 0, 5, 7, 5, 0x56, 0x7c, 0x44, 0x4c]);
        for bits in 0..4 {
            assert_eq!(Transform::from_rxh(bits).map_or(3, Transform::to_rxh), bits);
        }
    }

    #[test]
    fn refused_fields() {
        let mut fields = HashFields::new();
        assert!(!fields.set(FlowType::Ip4, Fields::PORTS));
        assert!(!fields.set(FlowType::Ip6, Fields::FOUR_TUPLE));
        assert!(!fields.set(FlowType::Tcp4, Fields::FLOW_LABEL));
        assert!(!fields.set(FlowType::Ip4, Fields::FLOW_LABEL));
        assert_eq!(fields, HashFields::new());
        for flow in FlowType::ALL {
            assert!(fields.set(flow, flow.supported()));
            assert_eq!(fields.get(flow), flow.supported());
        }
        assert_eq!(Fields::from_rxh(1 << 3), None);
        assert_eq!(Fields::from_rxh(0x2f0).map(Fields::to_rxh), Some(0x2f0));
        assert!(fields.is_symmetric());
        assert!(fields.set(FlowType::Tcp4, Fields::SOURCE));
        assert!(!fields.is_symmetric());
    }

    proptest! {
        #[test]
        fn both_directions_alike(
            tuple in any::<[u8; 12]>(),
            six in any::<[u8; 32]>(),
            or in any::<bool>(),
        ) {
            let transform = if or { Transform::SymmetricOrXor } else { Transform::SymmetricXor };
            let mut forth = V4;
            forth[26..38].copy_from_slice(&tuple);
            let mut back = forth;
            back[26..30].copy_from_slice(&tuple[4..8]);
            back[30..34].copy_from_slice(&tuple[..4]);
            back[34..36].copy_from_slice(&tuple[10..]);
            back[36..38].copy_from_slice(&tuple[8..10]);
            let all = Fields::FOUR_TUPLE;
            prop_assert_eq!(input(&forth, all, transform), input(&back, all, transform));

            let mut forth = v6();
            forth[22..54].copy_from_slice(&six);
            let mut back = forth.clone();
            back[22..38].copy_from_slice(&six[16..]);
            back[38..54].copy_from_slice(&six[..16]);
            back[54..58].copy_from_slice(&[0x56, 0x78, 0x12, 0x34]);
            prop_assert_eq!(input(&forth, all, transform), input(&back, all, transform));
        }

        #[test]
        fn arbitrary_frames(frame in prop::collection::vec(any::<u8>(), 0..100)) {
            if let Some(headers) = parse(&frame) {
                let _ = HashFields::new().input(&frame, &headers, Transform::None);
                let short = &frame[..frame.len() / 2];
                let _ = HashFields::new().input(short, &headers, Transform::SymmetricXor);
            }
        }
    }
}
