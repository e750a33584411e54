// SPDX-License-Identifier: GPL-2.0

//! N-tuple rules (`ethtool -n`, `-N`): received frames that match go where a rule says.

use crate::errno::EOPNOTSUPP;
use kernel::prelude::*;
use netdev_sys as bindings;

/// Where a rule is to be among the others: of all that a frame matches the one at the lowest location holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RuleLocation {
    /// There; a rule that is there is replaced.
    At(u32),
    /// Anywhere.
    Any,
    /// Before as many others as can be.
    First,
    /// Behind as many others as can be.
    Last,
}

/// What becomes of a frame that matches.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RuleAction {
    /// It is dropped.
    Drop,
    /// It goes to a receive queue.
    Queue(u32),
    /// It is spread by an RSS context, 0 being that of frames without a rule; `offset` is added to what the table
    /// of the context says.
    Context {
        /// Number of the context.
        id: u32,
        /// Added to the queue.
        offset: u32,
    },
}

/// The fields of frames that a rule can look at, for the value or for the mask of the rule.
///
/// Bytes are as on the wire, numbers in host order. Addresses of IPv4 are in the first four bytes.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct FlowFields {
    /// Destination MAC address.
    pub destination: [u8; 6],
    /// Source MAC address.
    pub source: [u8; 6],
    /// Ethertype, behind VLAN tags.
    pub ethertype: u16,
    /// Tag protocol of the VLAN tag.
    pub vlan_protocol: u16,
    /// Tag control information of the VLAN tag.
    pub vlan_control: u16,
    /// Source address.
    pub source_address: [u8; 16],
    /// Destination address.
    pub destination_address: [u8; 16],
    /// IP protocol.
    pub protocol: u8,
    /// Type of service, or traffic class.
    pub tos: u8,
    /// The first four bytes of the transport header: ports, or ESP's security parameters index.
    pub transport: [u8; 4],
}

/// The packets that a rule is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FlowNetwork {
    /// Any frame.
    Any,
    /// IPv4.
    Ipv4,
    /// IPv6.
    Ipv6,
}

/// What a rule matches: a frame whose fields, masked by `mask`, are those of `value`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FlowMatch {
    /// The version of IP.
    pub network: FlowNetwork,
    /// What the fields have to be.
    pub value: FlowFields,
    /// The bits of them that matter.
    pub mask: FlowFields,
}

/// A rule, as the user gave it (`struct ethtool_rx_flow_spec`).
#[derive(Clone, Copy)]
pub struct FlowRule {
    spec: bindings::ethtool_rx_flow_spec,
    context: u32,
}

/// Not `RX_CLS_FLOW_DISC` itself, which bindgen takes for a signed number.
const DISCARD: u64 = bindings::RX_CLS_FLOW_DISC as i64 as u64;
/// Likewise `RX_CLS_FLOW_WAKE`.
const WAKE: u64 = bindings::RX_CLS_FLOW_WAKE as i64 as u64;

/// Marks in the type of a flow.
const FLAGS: u32 = bindings::FLOW_EXT | bindings::FLOW_MAC_EXT | bindings::FLOW_RSS;

impl FlowRule {
    /// From the request to insert it.
    pub(super) fn load(raw: &bindings::ethtool_rxnfc) -> Self {
        FlowRule {
            spec: raw.fs,
            // SAFETY: Both members of the union are numbers of 32 bits; for this request it is the context.
            context: unsafe { raw.__bindgen_anon_1.rss_context },
        }
    }

    /// Into the reply to the question for it.
    pub(super) fn store(&self, raw: &mut bindings::ethtool_rxnfc) {
        raw.fs = self.spec;
        if self.spec.flow_type & bindings::FLOW_RSS != 0 {
            raw.__bindgen_anon_1.rss_context = self.context;
        }
    }

    /// Where it is to be.
    ///
    /// # Errors
    ///
    /// `EINVAL` if it is a special location that is not known.
    pub fn location(&self) -> Result<RuleLocation> {
        Ok(match self.spec.location {
            bindings::RX_CLS_LOC_ANY => RuleLocation::Any,
            bindings::RX_CLS_LOC_FIRST => RuleLocation::First,
            bindings::RX_CLS_LOC_LAST => RuleLocation::Last,
            at if at & bindings::RX_CLS_LOC_SPECIAL != 0 => return Err(EINVAL),
            at => RuleLocation::At(at),
        })
    }

    /// Says where it is.
    pub fn set_location(&mut self, at: u32) {
        self.spec.location = at;
    }

    /// What is to be done with frames that match.
    ///
    /// # Errors
    ///
    /// `EOPNOTSUPP` for a virtual function or waking up, `EINVAL` for what makes no sense.
    pub fn action(&self) -> Result<RuleAction> {
        let spread = self.spec.flow_type & bindings::FLOW_RSS != 0;
        match self.spec.ring_cookie {
            DISCARD if spread => Err(EINVAL),
            DISCARD => Ok(RuleAction::Drop),
            WAKE => Err(EOPNOTSUPP()),
            cookie => {
                let queue = u32::try_from(cookie).map_err(|_| EOPNOTSUPP())?;
                Ok(if spread {
                    RuleAction::Context {
                        id: self.context,
                        offset: queue,
                    }
                } else {
                    RuleAction::Queue(queue)
                })
            }
        }
    }

    /// What it matches.
    ///
    /// # Errors
    ///
    /// `EOPNOTSUPP` if the type of flow is one that cannot be matched here, `EINVAL` if a field is masked that the type
    /// has not.
    pub fn matches(&self) -> Result<FlowMatch> {
        let spec = &self.spec;
        // SAFETY: All members of the unions are bytes and numbers made of them, which the core has copied from the
        // user in full; `hdata` covers them.
        let (value, mask) = unsafe { (spec.h_u.hdata, spec.m_u.hdata) };
        let kind = FlowKind::of(spec.flow_type & !FLAGS)?;
        if let Some(version) = kind.version_at() {
            if value.get(version) != Some(&(bindings::ETH_RX_NFC_IP4 as u8)) {
                return Err(EINVAL);
            }
        }
        let known = kind.length();
        if mask.iter().skip(known).any(|&bits| bits != 0) {
            return Err(EINVAL);
        }
        let mut found = FlowMatch {
            network: kind.network(),
            value: kind.fields(&value),
            mask: kind.fields(&mask),
        };
        if let Some(protocol) = kind.protocol() {
            found.value.protocol = protocol;
            found.mask.protocol = 0xff;
        }
        if spec.flow_type & bindings::FLOW_EXT != 0 {
            if spec.m_ext.data.iter().any(|&bits| bits != 0) {
                return Err(EINVAL);
            }
            for (to, ext) in [
                (&mut found.value, &spec.h_ext),
                (&mut found.mask, &spec.m_ext),
            ] {
                to.vlan_protocol = u16::from_be(ext.vlan_etype);
                to.vlan_control = u16::from_be(ext.vlan_tci);
            }
        }
        if spec.flow_type & bindings::FLOW_MAC_EXT != 0 {
            found.value.destination = spec.h_ext.h_dest;
            found.mask.destination = spec.m_ext.h_dest;
        }
        Ok(found)
    }
}

/// How the fields of a type of flow lie in its specification.
#[derive(Clone, Copy)]
enum FlowKind {
    /// `struct ethhdr`.
    Ether,
    /// `struct ethtool_tcpip4_spec`, and `ethtool_ah_espip4_spec`, whose index lies where the ports do.
    Ports4(u8),
    /// `struct ethtool_usrip4_spec`.
    Any4,
    /// `struct ethtool_tcpip6_spec`, and `ethtool_ah_espip6_spec`.
    Ports6(u8),
    /// `struct ethtool_usrip6_spec`.
    Any6,
}

impl FlowKind {
    fn of(flow: u32) -> Result<Self> {
        Ok(match flow {
            bindings::ETHER_FLOW => FlowKind::Ether,
            bindings::TCP_V4_FLOW => FlowKind::Ports4(bindings::IPPROTO_TCP as u8),
            bindings::UDP_V4_FLOW => FlowKind::Ports4(bindings::IPPROTO_UDP as u8),
            bindings::SCTP_V4_FLOW => FlowKind::Ports4(bindings::IPPROTO_SCTP as u8),
            bindings::ESP_V4_FLOW => FlowKind::Ports4(bindings::IPPROTO_ESP as u8),
            bindings::IPV4_USER_FLOW => FlowKind::Any4,
            bindings::TCP_V6_FLOW => FlowKind::Ports6(bindings::IPPROTO_TCP as u8),
            bindings::UDP_V6_FLOW => FlowKind::Ports6(bindings::IPPROTO_UDP as u8),
            bindings::SCTP_V6_FLOW => FlowKind::Ports6(bindings::IPPROTO_SCTP as u8),
            bindings::ESP_V6_FLOW => FlowKind::Ports6(bindings::IPPROTO_ESP as u8),
            bindings::IPV6_USER_FLOW => FlowKind::Any6,
            _ => return Err(EOPNOTSUPP()),
        })
    }

    fn network(self) -> FlowNetwork {
        match self {
            FlowKind::Ether => FlowNetwork::Any,
            FlowKind::Ports4(_) | FlowKind::Any4 => FlowNetwork::Ipv4,
            FlowKind::Ports6(_) | FlowKind::Any6 => FlowNetwork::Ipv6,
        }
    }

    /// The protocol that the type stands for.
    fn protocol(self) -> Option<u8> {
        match self {
            FlowKind::Ports4(protocol) | FlowKind::Ports6(protocol) => Some(protocol),
            FlowKind::Ether | FlowKind::Any4 | FlowKind::Any6 => None,
        }
    }

    /// Where the version of IP stands; it is no field.
    fn version_at(self) -> Option<usize> {
        match self {
            FlowKind::Any4 => Some(13),
            _ => None,
        }
    }

    /// Bytes of the specification.
    fn length(self) -> usize {
        match self {
            FlowKind::Ether => 14,
            FlowKind::Ports4(_) => 13,
            FlowKind::Any4 => 15,
            FlowKind::Ports6(_) => 37,
            FlowKind::Any6 => 38,
        }
    }

    /// The fields, from the bytes of the specification.
    fn fields(self, bytes: &[u8; 52]) -> FlowFields {
        let mut fields = FlowFields::default();
        match self {
            FlowKind::Ether => {
                fields.destination = bytes_at(bytes, 0);
                fields.source = bytes_at(bytes, 6);
                fields.ethertype = u16::from_be_bytes(bytes_at(bytes, 12));
            }
            FlowKind::Ports4(_) | FlowKind::Any4 => {
                let wide = |at| {
                    let [a, b, c, d] = bytes_at(bytes, at);
                    [a, b, c, d, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]
                };
                fields.source_address = wide(0);
                fields.destination_address = wide(4);
                fields.transport = bytes_at(bytes, 8);
                [fields.tos] = bytes_at(bytes, 12);
                if let FlowKind::Any4 = self {
                    [fields.protocol] = bytes_at(bytes, 14);
                }
            }
            FlowKind::Ports6(_) | FlowKind::Any6 => {
                fields.source_address = bytes_at(bytes, 0);
                fields.destination_address = bytes_at(bytes, 16);
                fields.transport = bytes_at(bytes, 32);
                [fields.tos] = bytes_at(bytes, 36);
                if let FlowKind::Any6 = self {
                    [fields.protocol] = bytes_at(bytes, 37);
                }
            }
        }
        fields
    }
}

/// The `N` bytes at `at`; zeros if there are none, which no caller asks for.
fn bytes_at<const N: usize>(bytes: &[u8; 52], at: usize) -> [u8; N] {
    bytes
        .get(at..)
        .and_then(|rest| rest.first_chunk().copied())
        .unwrap_or([0; N])
}

/// The locations of the rules that a device has, to be filled in (`ETHTOOL_GRXCLSRLALL`).
pub struct RuleLocations<'a> {
    room: &'a mut [u32],
    used: usize,
    lost: bool,
}

impl<'a> RuleLocations<'a> {
    pub(super) fn new(room: &'a mut [u32]) -> Self {
        RuleLocations {
            room,
            used: 0,
            lost: false,
        }
    }

    /// Adds one; they are to come in order.
    pub fn add(&mut self, location: u32) {
        match self.room.get_mut(self.used) {
            Some(slot) => {
                *slot = location;
                self.used = self.used.wrapping_add(1);
            }
            None => self.lost = true,
        }
    }

    /// How many there are.
    ///
    /// # Errors
    ///
    /// `EMSGSIZE` if there was no room for all.
    pub(super) fn finish(self) -> Result<u32> {
        if self.lost {
            return Err(crate::errno::EMSGSIZE());
        }
        Ok(self.used as u32)
    }
}
