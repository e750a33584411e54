// SPDX-License-Identifier: GPL-2.0
// Written by tools/spec/generate from Documentation/netlink/specs/ferronic.yaml. Do not edit.

//! What the netlink specification says, in types.
//!
//! A command is a type with what is fixed of it ([`Spec`]); its handler implements `Do` or `Dump` for it, and a
//! command without a handler does not compile. A request has a field for each attribute it may have; those within an
//! attribute are an [`Item`]. A reply has a field for each attribute that it can have, and writes itself.

// A specification says more than one handler needs.
#![allow(dead_code)]

use kernel::prelude::*;
use netdev::genetlink::{Context, Family, Group, Op, Permission, Spec};
use netdev::netlink::{once, Attribute, ExtAck, Fill, Item, Nests, Policy, Range, Writer};

/// The family.
pub(crate) struct Ferronic;

impl Family for Ferronic {
    const NAME: &'static CStr = c"ferronic";
    const VERSION: u8 = 1;
    const OPS: &'static [Op<Self>] = &[
        Op::run::<PortGetDo>(),
        Op::dump::<PortGetDump>(),
        Op::run::<PortSetDo>(),
        Op::run::<WireGetDo>(),
        Op::dump::<WireGetDump>(),
        Op::run::<ChannelGetDo>(),
        Op::dump::<ChannelGetDump>(),
        Op::run::<StageGetDo>(),
        Op::dump::<StageGetDump>(),
        Op::run::<StatsResetDo>(),
        Op::run::<WireSetDo>(),
        Op::run::<TransactionBeginDo>(),
        Op::run::<TransactionAddDo>(),
        Op::run::<TransactionCommitDo>(),
        Op::run::<TransactionAbortDo>(),
        Op::run::<ChainGetDo>(),
        Op::dump::<ChainGetDump>(),
        Op::run::<ChainAddDo>(),
        Op::run::<ChainSetDo>(),
        Op::run::<ChainDelDo>(),
        Op::run::<RuleGetDo>(),
        Op::dump::<RuleGetDump>(),
        Op::run::<RuleAddDo>(),
        Op::run::<RuleReplaceDo>(),
        Op::run::<RuleDelDo>(),
        Op::run::<RuleResetDo>(),
        Op::run::<SamplingGetDo>(),
        Op::dump::<SamplingGetDump>(),
        Op::run::<SamplingSetDo>(),
        Op::run::<LatencyGetDo>(),
        Op::dump::<LatencyGetDump>(),
        Op::run::<LatencyResetDo>(),
    ];
    const GROUPS: &'static [Group] = &[
        Group::new(c"mgmt"),
        Group::restricted(c"packets"),
        Group::restricted(c"hooks"),
    ];
}

/// Multicast groups, by their place in the family.
pub(crate) mod group {
    /// mgmt
    pub(crate) const MGMT: usize = 0;
    /// packets
    pub(crate) const PACKETS: usize = 1;
    /// hooks
    pub(crate) const HOOKS: usize = 2;
}

/// Commands of notifications.
pub(crate) mod notification {
    /// There is a port, newly made or come from another namespace.
    pub(crate) const PORT_ADD_NTF: u8 = 3;
    /// A port has gone, deleted or moved to another namespace. Its attributes
    /// are those it had last.
    pub(crate) const PORT_DEL_NTF: u8 = 4;
    /// An attribute of a port has changed, whoever changed it: this family, ip,
    /// ethtool, or the other end.
    pub(crate) const PORT_CHANGE_NTF: u8 = 5;
    /// A rule with `notify`, or with the action sample, has acted on a packet.
    pub(crate) const PACKET_NTF: u8 = 24;
    /// There is a new chain. Of its rules, messages of their own tell.
    pub(crate) const CHAIN_ADD_NTF: u8 = 25;
    /// A chain has gone, and its rules with it. Its attributes are those it had
    /// last.
    pub(crate) const CHAIN_DEL_NTF: u8 = 26;
    /// A chain has another policy, or its policy counts anew.
    pub(crate) const CHAIN_CHANGE_NTF: u8 = 27;
    /// More than 64 rules of a chain have come, gone or changed at once. They are
    /// not told one by one: rule-get dumps them.
    pub(crate) const CHAIN_RULES_NTF: u8 = 28;
    /// There is a new rule. Where several are told of with one generation, their
    /// positions ascend.
    pub(crate) const RULE_ADD_NTF: u8 = 29;
    /// A rule has gone. Its attributes are those it had last; those that went
    /// with it are told of before any that came.
    pub(crate) const RULE_DEL_NTF: u8 = 30;
    /// Another rule stands in the place of one, or it counts anew.
    pub(crate) const RULE_CHANGE_NTF: u8 = 31;
}

/// Values of `poll-frames`.
pub(crate) const POLL_BUCKETS: usize = 8;

/// How packets get from one end of a wire to the other.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u32)]
pub(crate) enum Datapath {
    /// As frames, copied into buffers that the receiver posted, cut and with
    /// checksums filled as on a real wire.
    Nic = 0,
    /// The transmitted packet itself becomes the received one.
    Handoff = 1,
}

impl Datapath {
    /// All, by number.
    pub(crate) const ALL: [Datapath; 2] = [Datapath::Nic, Datapath::Handoff];

    /// The one of that number.
    pub(crate) fn from_number(number: u32) -> Result<Datapath> {
        Ok(match number {
            0 => Datapath::Nic,
            1 => Datapath::Handoff,
            _ => return Err(EINVAL),
        })
    }
}

/// Which end of a wire.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u32)]
pub(crate) enum End {
    /// The end that was named first when the pair was made.
    A = 0,
    /// The other one, its peer.
    B = 1,
}

impl End {
    /// All, by number.
    pub(crate) const ALL: [End; 2] = [End::A, End::B];

    /// The one of that number.
    pub(crate) fn from_number(number: u32) -> Result<End> {
        Ok(match number {
            0 => End::A,
            1 => End::B,
            _ => return Err(EINVAL),
        })
    }
}

/// Which way frames go, seen from the port.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u32)]
pub(crate) enum Direction {
    /// From the port to the other end.
    Tx = 0,
    /// From the other end to the port.
    Rx = 1,
}

impl Direction {
    /// All, by number.
    pub(crate) const ALL: [Direction; 2] = [Direction::Tx, Direction::Rx];

    /// The one of that number.
    pub(crate) fn from_number(number: u32) -> Result<Direction> {
        Ok(match number {
            0 => Direction::Tx,
            1 => Direction::Rx,
            _ => return Err(EINVAL),
        })
    }
}

/// A step on a frame's way, in the order in which it is taken.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u32)]
pub(crate) enum Stage {
    /// The stack posts packets to the TX rings (direction tx): how often a
    /// queue was stopped and woken, and what came while it was closed.
    Post = 0,
    /// The engine cuts packets into frames (direction tx): packets and
    /// bytes that asked for it, frames and bytes that came of them.
    Segment = 1,
    /// The engine fills checksums (direction tx), frames so treated.
    Checksum = 2,
    /// Frames leave the sender. Direction tx are the port's own, rx those
    /// of the other end on their way to the port. Frames sent, whatever
    /// becomes of them, and those dropped between the two ports by reason.
    Wire = 3,
    /// Frames find posted buffers (direction rx): how often one had to wait
    /// (a pause frame, as hardware says), and those left in a ring that was
    /// closed.
    Deliver = 4,
    /// Polls pass frames on to the stack (direction rx), with what was found
    /// of their checksums.
    Receive = 5,
}

impl Stage {
    /// All, by number.
    pub(crate) const ALL: [Stage; 6] = [
        Stage::Post,
        Stage::Segment,
        Stage::Checksum,
        Stage::Wire,
        Stage::Deliver,
        Stage::Receive,
    ];

    /// The one of that number.
    pub(crate) fn from_number(number: u32) -> Result<Stage> {
        Ok(match number {
            0 => Stage::Post,
            1 => Stage::Segment,
            2 => Stage::Checksum,
            3 => Stage::Wire,
            4 => Stage::Deliver,
            5 => Stage::Receive,
            _ => return Err(EINVAL),
        })
    }
}

/// Why a frame was dropped.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u32)]
pub(crate) enum DropReason {
    /// The other end is down, deleted, or has no open queue.
    NoCarrier = 0,
    /// The receiver does not take the destination address.
    Filtered = 1,
    /// Longer than the receiver takes.
    TooLong = 2,
    /// No Ethernet header.
    TooShort = 3,
    /// The receiver has no buffer, and pause is off.
    NoBuffer = 4,
    /// The receiver has had no buffer for longer than the pause limit.
    PauseExpired = 5,
    /// Left in a TX ring that was closed or exchanged.
    Closed = 6,
    /// Left in an RX ring that was closed or exchanged.
    Unread = 7,
    /// No memory for the received packet.
    NoMemory = 8,
    /// Segmentation was asked for in a way the device has not offered.
    Segmentation = 9,
    /// The stack sent while the queue was closed.
    NotOpen = 10,
    /// One of the receiver's n-tuple rules says so.
    Rule = 11,
}

impl DropReason {
    /// All, by number.
    pub(crate) const ALL: [DropReason; 12] = [
        DropReason::NoCarrier,
        DropReason::Filtered,
        DropReason::TooLong,
        DropReason::TooShort,
        DropReason::NoBuffer,
        DropReason::PauseExpired,
        DropReason::Closed,
        DropReason::Unread,
        DropReason::NoMemory,
        DropReason::Segmentation,
        DropReason::NotOpen,
        DropReason::Rule,
    ];

    /// The one of that number.
    pub(crate) fn from_number(number: u32) -> Result<DropReason> {
        Ok(match number {
            0 => DropReason::NoCarrier,
            1 => DropReason::Filtered,
            2 => DropReason::TooLong,
            3 => DropReason::TooShort,
            4 => DropReason::NoBuffer,
            5 => DropReason::PauseExpired,
            6 => DropReason::Closed,
            7 => DropReason::Unread,
            8 => DropReason::NoMemory,
            9 => DropReason::Segmentation,
            10 => DropReason::NotOpen,
            11 => DropReason::Rule,
            _ => return Err(EINVAL),
        })
    }
}

/// Which packets come to a chain.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u32)]
pub(crate) enum ChainFamily {
    /// Those of IPv4.
    Ip = 0,
    /// Those of IPv6.
    Ip6 = 1,
    /// Both.
    Inet = 2,
    /// All that a device carries.
    Netdev = 3,
}

impl ChainFamily {
    /// All, by number.
    pub(crate) const ALL: [ChainFamily; 4] = [
        ChainFamily::Ip,
        ChainFamily::Ip6,
        ChainFamily::Inet,
        ChainFamily::Netdev,
    ];

    /// The one of that number.
    pub(crate) fn from_number(number: u32) -> Result<ChainFamily> {
        Ok(match number {
            0 => ChainFamily::Ip,
            1 => ChainFamily::Ip6,
            2 => ChainFamily::Inet,
            3 => ChainFamily::Netdev,
            _ => return Err(EINVAL),
        })
    }
}

/// The points of the stack that a chain can be at.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u32)]
pub(crate) enum Hook {
    /// A packet has been received.
    Prerouting = 0,
    /// It is for this machine.
    Input = 1,
    /// It is for another one.
    Forward = 2,
    /// It was made here.
    Output = 3,
    /// It is about to leave.
    Postrouting = 4,
    /// A device has received it.
    Ingress = 5,
    /// It goes to a device's queues.
    Egress = 6,
}

impl Hook {
    /// All, by number.
    pub(crate) const ALL: [Hook; 7] = [
        Hook::Prerouting,
        Hook::Input,
        Hook::Forward,
        Hook::Output,
        Hook::Postrouting,
        Hook::Ingress,
        Hook::Egress,
    ];

    /// The one of that number.
    pub(crate) fn from_number(number: u32) -> Result<Hook> {
        Ok(match number {
            0 => Hook::Prerouting,
            1 => Hook::Input,
            2 => Hook::Forward,
            3 => Hook::Output,
            4 => Hook::Postrouting,
            5 => Hook::Ingress,
            6 => Hook::Egress,
            _ => return Err(EINVAL),
        })
    }
}

/// What becomes of packets that no rule decides on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u32)]
pub(crate) enum ChainPolicy {
    /// They go on.
    Accept = 0,
    /// They are dropped.
    Drop = 1,
}

impl ChainPolicy {
    /// All, by number.
    pub(crate) const ALL: [ChainPolicy; 2] = [ChainPolicy::Accept, ChainPolicy::Drop];

    /// The one of that number.
    pub(crate) fn from_number(number: u32) -> Result<ChainPolicy> {
        Ok(match number {
            0 => ChainPolicy::Accept,
            1 => ChainPolicy::Drop,
            _ => return Err(EINVAL),
        })
    }
}

/// What of a packet a term looks at: a number of up to 128 bits, in the
/// order of its bytes on the wire. A packet that has no such field fulfils
/// no term on it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u32)]
pub(crate) enum Field {
    /// Number of the device it came in by.
    InDevice = 0,
    /// Number of the device it is to leave by.
    OutDevice = 1,
    /// Source of the Ethernet header.
    SourceMac = 2,
    /// Destination of the Ethernet header.
    DestinationMac = 3,
    /// Ethertype, behind all VLAN tags.
    Ethertype = 4,
    /// VLAN id of the outermost tag.
    Vlan = 5,
    /// VLAN id of the tag behind it.
    InnerVlan = 6,
    /// Source of an IPv4 packet.
    SourceIpv4 = 7,
    /// Destination of an IPv4 packet.
    DestinationIpv4 = 8,
    /// Source of an IPv6 packet.
    SourceIpv6 = 9,
    /// Destination of an IPv6 packet.
    DestinationIpv6 = 10,
    /// Protocol of IP's payload, behind all extension headers.
    Protocol = 11,
    /// Source port of TCP, UDP or SCTP.
    SourcePort = 12,
    /// Destination port of TCP, UDP or SCTP.
    DestinationPort = 13,
    /// Flags of TCP, from the lowest bit: FIN, SYN, RST, PSH, ACK, URG, ECE,
    /// CWR, AE.
    TcpFlags = 14,
    /// Type of an ICMP message.
    IcmpType = 15,
    /// Its code.
    IcmpCode = 16,
    /// Type of an ICMPv6 message.
    Icmpv6Type = 17,
    /// Its code.
    Icmpv6Code = 18,
    /// Differentiated services code point.
    Dscp = 19,
    /// Explicit congestion notification.
    Ecn = 20,
    /// Time to live, or hop limit.
    Ttl = 21,
    /// 0 for a whole packet, 1 for the first fragment, 2 for a later one.
    Fragment = 22,
    /// Length in bytes, from the IP header, or at a device from the Ethernet
    /// header on.
    Length = 23,
    /// Mark of the packet.
    Mark = 24,
    /// Whom it is for, as the link layer sees it: 0 this host, 1 broadcast,
    /// 2 multicast, 3 another host, 4 outgoing.
    PacketType = 25,
    /// State of its connection, bits: 0 invalid, 1 established, 2 related, 3
    /// new, 6 untracked; 8 direction of replies, 9 source translated, 10
    /// destination translated. Not there where connection tracking isn't
    /// loaded, or hasn't seen the packet.
    Conntrack = 26,
}

impl Field {
    /// All, by number.
    pub(crate) const ALL: [Field; 27] = [
        Field::InDevice,
        Field::OutDevice,
        Field::SourceMac,
        Field::DestinationMac,
        Field::Ethertype,
        Field::Vlan,
        Field::InnerVlan,
        Field::SourceIpv4,
        Field::DestinationIpv4,
        Field::SourceIpv6,
        Field::DestinationIpv6,
        Field::Protocol,
        Field::SourcePort,
        Field::DestinationPort,
        Field::TcpFlags,
        Field::IcmpType,
        Field::IcmpCode,
        Field::Icmpv6Type,
        Field::Icmpv6Code,
        Field::Dscp,
        Field::Ecn,
        Field::Ttl,
        Field::Fragment,
        Field::Length,
        Field::Mark,
        Field::PacketType,
        Field::Conntrack,
    ];

    /// The one of that number.
    pub(crate) fn from_number(number: u32) -> Result<Field> {
        Ok(match number {
            0 => Field::InDevice,
            1 => Field::OutDevice,
            2 => Field::SourceMac,
            3 => Field::DestinationMac,
            4 => Field::Ethertype,
            5 => Field::Vlan,
            6 => Field::InnerVlan,
            7 => Field::SourceIpv4,
            8 => Field::DestinationIpv4,
            9 => Field::SourceIpv6,
            10 => Field::DestinationIpv6,
            11 => Field::Protocol,
            12 => Field::SourcePort,
            13 => Field::DestinationPort,
            14 => Field::TcpFlags,
            15 => Field::IcmpType,
            16 => Field::IcmpCode,
            17 => Field::Icmpv6Type,
            18 => Field::Icmpv6Code,
            19 => Field::Dscp,
            20 => Field::Ecn,
            21 => Field::Ttl,
            22 => Field::Fragment,
            23 => Field::Length,
            24 => Field::Mark,
            25 => Field::PacketType,
            26 => Field::Conntrack,
            _ => return Err(EINVAL),
        })
    }
}

/// What a field is tested for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u32)]
pub(crate) enum Test {
    /// It is `value`.
    Value = 0,
    /// Its highest `operand` bits are those of `value`.
    Prefix = 1,
    /// Its bits under `operand` are `value`.
    Mask = 2,
    /// It is not below `value` nor above `operand`.
    Range = 3,
}

impl Test {
    /// All, by number.
    pub(crate) const ALL: [Test; 4] = [Test::Value, Test::Prefix, Test::Mask, Test::Range];

    /// The one of that number.
    pub(crate) fn from_number(number: u32) -> Result<Test> {
        Ok(match number {
            0 => Test::Value,
            1 => Test::Prefix,
            2 => Test::Mask,
            3 => Test::Range,
            _ => return Err(EINVAL),
        })
    }
}

/// What a rule does with a packet.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u32)]
pub(crate) enum Action {
    /// It leaves the chain and goes on.
    Accept = 0,
    /// It is dropped.
    Drop = 1,
    /// Nothing; the rule counts.
    Continue = 2,
    /// Its mark's bits under `mark-mask` become `mark`.
    SetMark = 3,
    /// Its DSCP becomes `dscp`.
    SetDscp = 4,
    /// Its ECN becomes `ecn`.
    SetEcn = 5,
    /// It goes to the program that listens on queue `queue`.
    Queue = 6,
    /// Its first `snap` bytes are shown in an event.
    Sample = 7,
    /// So many of its `bits` are flipped, from byte `offset` on.
    Corrupt = 8,
    /// It is cut off behind `length` bytes.
    Truncate = 9,
    /// So many `copies` of it go along.
    Duplicate = 10,
    /// It is held for `delay`, up to `jitter` more or less.
    Delay = 11,
    /// It is held until `gap` others have passed, or `timeout` is over.
    Reorder = 12,
}

impl Action {
    /// All, by number.
    pub(crate) const ALL: [Action; 13] = [
        Action::Accept,
        Action::Drop,
        Action::Continue,
        Action::SetMark,
        Action::SetDscp,
        Action::SetEcn,
        Action::Queue,
        Action::Sample,
        Action::Corrupt,
        Action::Truncate,
        Action::Duplicate,
        Action::Delay,
        Action::Reorder,
    ];

    /// The one of that number.
    pub(crate) fn from_number(number: u32) -> Result<Action> {
        Ok(match number {
            0 => Action::Accept,
            1 => Action::Drop,
            2 => Action::Continue,
            3 => Action::SetMark,
            4 => Action::SetDscp,
            5 => Action::SetEcn,
            6 => Action::Queue,
            7 => Action::Sample,
            8 => Action::Corrupt,
            9 => Action::Truncate,
            10 => Action::Duplicate,
            11 => Action::Delay,
            12 => Action::Reorder,
            _ => return Err(EINVAL),
        })
    }
}

/// What is chosen to be sampled.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u32)]
pub(crate) enum SamplingUnit {
    /// Packets, one by one.
    Packet = 0,
    /// Flows, with all of their packets: what has the same addresses,
    /// protocol and ports.
    Flow = 1,
}

impl SamplingUnit {
    /// All, by number.
    pub(crate) const ALL: [SamplingUnit; 2] = [SamplingUnit::Packet, SamplingUnit::Flow];

    /// The one of that number.
    pub(crate) fn from_number(number: u32) -> Result<SamplingUnit> {
        Ok(match number {
            0 => SamplingUnit::Packet,
            1 => SamplingUnit::Flow,
            _ => return Err(EINVAL),
        })
    }
}

/// Where a sampled packet is, in the order in which it comes by. It is in a
/// stage from when it comes there until it comes to another. Of the first
/// three nothing is known unless the port that sends it is sampled as well.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u32)]
pub(crate) enum LatencyStage {
    /// It was made by the sender, and has come to the first hook at OUTPUT.
    Output = 0,
    /// It has come to the sender's first hook at POSTROUTING.
    Postrouting = 1,
    /// It has come to the egress hook of the port that sends it; behind that
    /// is the queue discipline.
    Egress = 2,
    /// The stack has posted it to a TX ring of the other end: it waits for
    /// the doorbell, or behind others. On the handoff datapath that is the
    /// only ring.
    TxRing = 3,
    /// The engine moves it into the receiver's buffers, for which it may have
    /// to wait.
    Engine = 4,
    /// It is in the RX ring, and waits for the poll.
    RxRing = 5,
    /// The poll has taken it, and makes a packet of it.
    Napi = 6,
    /// GRO has it, then what the stack does before the first hook.
    Gro = 7,
    /// It has come to the ingress hook of the device.
    Ingress = 8,
    /// It has come to the first hook at PREROUTING.
    Prerouting = 9,
    /// It has come to the first hook at INPUT. The stage ends behind the last
    /// one, where its transport protocol takes it.
    Input = 10,
    /// It has come to the first hook at FORWARD: it is to go on to another
    /// host.
    Forward = 11,
    /// It goes on to another host, and has come to the first hook at
    /// POSTROUTING. The stage ends behind the last one.
    Leaving = 12,
    /// The whole way, of those packets that came to the end of `input` or
    /// `leaving`.
    Total = 13,
}

impl LatencyStage {
    /// All, by number.
    pub(crate) const ALL: [LatencyStage; 14] = [
        LatencyStage::Output,
        LatencyStage::Postrouting,
        LatencyStage::Egress,
        LatencyStage::TxRing,
        LatencyStage::Engine,
        LatencyStage::RxRing,
        LatencyStage::Napi,
        LatencyStage::Gro,
        LatencyStage::Ingress,
        LatencyStage::Prerouting,
        LatencyStage::Input,
        LatencyStage::Forward,
        LatencyStage::Leaving,
        LatencyStage::Total,
    ];

    /// The one of that number.
    pub(crate) fn from_number(number: u32) -> Result<LatencyStage> {
        Ok(match number {
            0 => LatencyStage::Output,
            1 => LatencyStage::Postrouting,
            2 => LatencyStage::Egress,
            3 => LatencyStage::TxRing,
            4 => LatencyStage::Engine,
            5 => LatencyStage::RxRing,
            6 => LatencyStage::Napi,
            7 => LatencyStage::Gro,
            8 => LatencyStage::Ingress,
            9 => LatencyStage::Prerouting,
            10 => LatencyStage::Input,
            11 => LatencyStage::Forward,
            12 => LatencyStage::Leaving,
            13 => LatencyStage::Total,
            _ => return Err(EINVAL),
        })
    }
}

/// Numbers of the attributes of `port`.
pub(crate) mod port {
    /// Number of the network device.
    pub(crate) const IFINDEX: u16 = 1;
    /// Generation of the namespace's ports when the message was written.
    pub(crate) const GENERATION: u16 = 2;
    /// Name of the network device.
    pub(crate) const NAME: u16 = 3;
    /// Number of the wire, unique until the module is unloaded.
    pub(crate) const WIRE: u16 = 4;
    /// Which of its ends the port is at.
    pub(crate) const END: u16 = 5;
    /// The wire's datapath.
    pub(crate) const DATAPATH: u16 = 6;
    /// Number of the network device at the other end, in its namespace.
    pub(crate) const PEER_IFINDEX: u16 = 7;
    /// Number that the port's namespace has for the other end's namespace
    /// (see "ip netns list-id"). Not there if that is the same. If the other
    /// end is in a namespace without such a number, the port has neither
    /// this nor `peer-ifindex`.
    pub(crate) const PEER_NETNSID: u16 = 8;
    /// The device is up.
    pub(crate) const UP: u16 = 9;
    /// Both ends are up.
    pub(crate) const CARRIER: u16 = 10;
    /// Largest packet in bytes, as set with ip.
    pub(crate) const MTU: u16 = 11;
    /// Channels in use, as set with "ethtool -L".
    pub(crate) const CHANNELS: u16 = 12;
    /// Channels there can be.
    pub(crate) const CHANNELS_MAX: u16 = 13;
    /// Descriptors of each TX ring, as set with "ethtool -G".
    pub(crate) const TX_RING: u16 = 14;
    /// Descriptors of each RX ring, as set with "ethtool -G".
    pub(crate) const RX_RING: u16 = 15;
    /// For how long a receiver without buffers may hold the port's transmit
    /// queues (see "ethtool -a"), in milliseconds. What finds no buffer
    /// afterwards is dropped and counted as `pause-expired`, until a buffer
    /// is found.
    pub(crate) const PAUSE_LIMIT: u16 = 16;
}

/// Numbers of the attributes of `wire-port`.
pub(crate) mod wire_port {
    /// Which end it is at.
    pub(crate) const END: u16 = 1;
    /// Number of the network device, in its namespace. Not there if that is
    /// one the caller's has no number for.
    pub(crate) const IFINDEX: u16 = 2;
    /// Number that the caller's namespace has for the port's. Not there if
    /// the port is in the caller's own.
    pub(crate) const NETNSID: u16 = 3;
    /// Name of the network device, if it is in the caller's namespace.
    pub(crate) const NAME: u16 = 4;
}

/// Numbers of the attributes of `wire`.
pub(crate) mod wire {
    /// Its number, unique until the module is unloaded.
    pub(crate) const ID: u16 = 1;
    /// As of a port.
    pub(crate) const GENERATION: u16 = 2;
    /// The datapath of the wire.
    pub(crate) const DATAPATH: u16 = 3;
    /// Its ports, end a first.
    pub(crate) const PORT: u16 = 4;
}

/// Numbers of the attributes of `port-change`.
pub(crate) mod port_change {
    /// Number of the network device.
    pub(crate) const IFINDEX: u16 = 1;
    /// For how long a receiver without buffers may hold the port's transmit
    /// queues (see "ethtool -a"), in milliseconds. What finds no buffer
    /// afterwards is dropped and counted as `pause-expired`, until a buffer
    /// is found.
    pub(crate) const PAUSE_LIMIT: u16 = 16;
}

/// Numbers of the attributes of `wire-change`.
pub(crate) mod wire_change {
    /// Its number, unique until the module is unloaded.
    pub(crate) const ID: u16 = 1;
    /// The datapath of the wire.
    pub(crate) const DATAPATH: u16 = 3;
}

/// Numbers of the attributes of `transaction`.
pub(crate) mod transaction {
    /// Generation of the namespace: in the answer to transaction-begin that
    /// at the time, in transaction-commit that which it must be.
    pub(crate) const GENERATION: u16 = 1;
    /// As in port-set.
    pub(crate) const PORT: u16 = 2;
    /// As in wire-set.
    pub(crate) const WIRE: u16 = 3;
    /// Generation of the namespace's chains: as `generation`.
    pub(crate) const CHAIN_GENERATION: u16 = 4;
}

/// Numbers of the attributes of `channel`.
pub(crate) mod channel {
    /// The port.
    pub(crate) const IFINDEX: u16 = 1;
    /// Number of the channel, from 0.
    pub(crate) const INDEX: u16 = 2;
    /// As of a port.
    pub(crate) const GENERATION: u16 = 3;
    /// Its NAPI instance, as the netdev family knows it.
    pub(crate) const NAPI_ID: u16 = 4;
    /// Descriptors of the TX ring.
    pub(crate) const TX_RING: u16 = 5;
    /// Packets posted by the stack that the engine has not sent.
    pub(crate) const TX_QUEUED: u16 = 6;
    /// Packets sent whose completion was not seen by a poll.
    pub(crate) const TX_UNCOMPLETED: u16 = 7;
    /// Descriptors of the RX ring; not there on the handoff datapath.
    pub(crate) const RX_RING: u16 = 8;
    /// Empty buffers that wait for frames.
    pub(crate) const RX_POSTED: u16 = 9;
    /// Buffers with frames that no poll has taken.
    pub(crate) const RX_FILLED: u16 = 10;
    /// Times the vector was raised (a virtual interrupt).
    pub(crate) const RAISES: u16 = 11;
    /// Polls of the NAPI instance.
    pub(crate) const POLLS: u16 = 12;
    /// Frames that polls passed on.
    pub(crate) const FRAMES: u16 = 13;
    /// Polls by how many frames they passed on, `poll-buckets` values: 0, 1,
    /// 2 to 3, 4 to 7, and so on; the last one is for all that is more.
    pub(crate) const POLL_FRAMES: u16 = 14;
    /// Moderation in force, as set with "ethtool -C", microseconds.
    pub(crate) const RX_USECS: u16 = 15;
    /// Moderation in force, frames.
    pub(crate) const RX_FRAMES: u16 = 16;
    /// Moderation of completions in force, microseconds.
    pub(crate) const TX_USECS: u16 = 17;
    /// Moderation of completions in force, packets.
    pub(crate) const TX_FRAMES: u16 = 18;
}

/// Numbers of the attributes of `drop`.
pub(crate) mod drop {
    /// The reason.
    pub(crate) const REASON: u16 = 1;
    /// How many.
    pub(crate) const FRAMES: u16 = 2;
}

/// Numbers of the attributes of `stage`.
pub(crate) mod stage {
    /// The port.
    pub(crate) const IFINDEX: u16 = 1;
    /// The direction.
    pub(crate) const DIRECTION: u16 = 2;
    /// The stage.
    pub(crate) const STAGE: u16 = 3;
    /// As of a port.
    pub(crate) const GENERATION: u16 = 4;
    /// Packets that came to the stage.
    pub(crate) const PACKETS: u16 = 5;
    /// Their bytes.
    pub(crate) const PACKET_BYTES: u16 = 6;
    /// Frames that left the stage.
    pub(crate) const FRAMES: u16 = 7;
    /// Their bytes, without the frame check sequence.
    pub(crate) const BYTES: u16 = 8;
    /// Those to multicast addresses.
    pub(crate) const MULTICAST: u16 = 9;
    /// Those to the broadcast address.
    pub(crate) const BROADCAST: u16 = 10;
    /// Times a transmit queue was stopped.
    pub(crate) const STOPS: u16 = 11;
    /// Times one was let run again by a poll.
    pub(crate) const WAKES: u16 = 12;
    /// Times a frame had to wait for a buffer.
    pub(crate) const WAITS: u16 = 13;
    /// Frames whose checksum was found right.
    pub(crate) const CHECKSUM_GOOD: u16 = 14;
    /// Frames whose checksum was found wrong.
    pub(crate) const CHECKSUM_BAD: u16 = 15;
    /// Frames whose checksum was not looked at.
    pub(crate) const CHECKSUM_NONE: u16 = 16;
    /// Times a receive buffer could not be allocated.
    pub(crate) const ALLOC_FAILS: u16 = 17;
    /// Frames dropped at the stage, by the reasons it can have.
    pub(crate) const DROP: u16 = 18;
}

/// Numbers of the attributes of `chain`.
pub(crate) mod chain {
    /// What it is called in its namespace: printable ASCII characters, without
    /// spaces.
    pub(crate) const NAME: u16 = 1;
    /// Generation of the namespace's chains when the message was written.
    pub(crate) const GENERATION: u16 = 2;
    /// Which packets come to it.
    pub(crate) const FAMILY: u16 = 3;
    /// Where it is.
    pub(crate) const HOOK: u16 = 4;
    /// Where among the hooks of that point: the lowest comes first. What the
    /// kernel does itself is at -400 (defragmentation), -200 (connection
    /// tracking), -100 and 100 (address translation).
    pub(crate) const PRIORITY: u16 = 5;
    /// Number of the network device, for ingress and egress.
    pub(crate) const IFINDEX: u16 = 6;
    /// What becomes of packets that no rule decides on.
    pub(crate) const POLICY: u16 = 7;
    /// How many rules it has.
    pub(crate) const RULES: u16 = 8;
    /// How many different sets of fields, and bits of them, those look at: what
    /// a look-up costs grows with this.
    pub(crate) const SHAPES: u16 = 9;
    /// Packets that no rule decided on.
    pub(crate) const PACKETS: u16 = 10;
    /// Their bytes.
    pub(crate) const BYTES: u16 = 11;
    /// Add this change to the socket's transaction, to be made when that is
    /// committed. It is only looked at then, and has no other answer.
    pub(crate) const TRANSACTION: u16 = 12;
    /// Packets that it holds now, delayed or to be overtaken.
    pub(crate) const HELD: u16 = 13;
    /// Packets that were dropped, as it held as many as it may.
    pub(crate) const OVERFLOWS: u16 = 14;
    /// Packets that went on at once, as they could not have been resumed: a
    /// device is going, or XDP, a VRF or a bridge has a part in them.
    pub(crate) const UNHELD: u16 = 15;
    /// Super frames that went on whole though a rule was for one segment:
    /// they open a connection, or there was no memory.
    pub(crate) const UNCUT: u16 = 16;
    /// At ingress or egress of all devices that the namespace has, and of
    /// those that come.
    pub(crate) const ANY_DEVICE: u16 = 17;
    /// At how many devices it is.
    pub(crate) const DEVICES: u16 = 18;
    /// Devices that have come since, and that it could not be attached to, as
    /// their hook had all the chains that it may have, or memory was short.
    pub(crate) const MISSED: u16 = 19;
    /// Packets that it held, or took apart, and that were dropped then, as the
    /// hook or a device that they need was gone, and copies not made.
    pub(crate) const LOST: u16 = 20;
    /// Bytes that its rules take, as allocated: what a look-up needs, what
    /// users see of them, what all CPUs share of their counters.
    pub(crate) const MEMORY: u16 = 21;
    /// Bytes that the counters of its rules take for the CPUs there can be, as
    /// allocated. Room is made for 256 rules at a time.
    pub(crate) const COUNTER_MEMORY: u16 = 22;
}

/// Numbers of the attributes of `term`.
pub(crate) mod term {
    /// The field.
    pub(crate) const FIELD: u16 = 1;
    /// What it is tested for; `value` if nothing is said.
    pub(crate) const TEST: u16 = 2;
    /// The test must fail.
    pub(crate) const NEGATED: u16 = 3;
    /// First number of the test, the lowest 64 bits.
    pub(crate) const VALUE: u16 = 4;
    /// Its highest 64 bits.
    pub(crate) const VALUE_HIGH: u16 = 5;
    /// Second number of the test, the lowest 64 bits.
    pub(crate) const OPERAND: u16 = 6;
    /// Its highest 64 bits.
    pub(crate) const OPERAND_HIGH: u16 = 7;
}

/// Numbers of the attributes of `rule`.
pub(crate) mod rule {
    /// The chain it is in.
    pub(crate) const CHAIN: u16 = 1;
    /// What it is known by; never given again in the chain.
    pub(crate) const HANDLE: u16 = 2;
    /// As of a chain.
    pub(crate) const GENERATION: u16 = 3;
    /// Number of rules before it.
    pub(crate) const POSITION: u16 = 4;
    /// Handle of the rule it is to come before.
    pub(crate) const BEFORE: u16 = 5;
    /// What a packet has to fulfil, all of it.
    pub(crate) const TERM: u16 = 6;
    /// What it does with them; `continue` if nothing is said.
    pub(crate) const ACTION: u16 = 7;
    /// See the action set-mark.
    pub(crate) const MARK: u16 = 8;
    /// Bits of the mark that change; all if nothing is said.
    pub(crate) const MARK_MASK: u16 = 9;
    /// See the action set-dscp.
    pub(crate) const DSCP: u16 = 10;
    /// See the action set-ecn.
    pub(crate) const ECN: u16 = 11;
    /// See the action queue.
    pub(crate) const QUEUE: u16 = 12;
    /// A packet for a queue that nobody listens on is accepted.
    pub(crate) const BYPASS: u16 = 13;
    /// See the action sample.
    pub(crate) const SNAP: u16 = 14;
    /// See the action corrupt.
    pub(crate) const BITS: u16 = 15;
    /// First byte that the action corrupt may change.
    pub(crate) const OFFSET: u16 = 16;
    /// See the action truncate.
    pub(crate) const LENGTH: u16 = 17;
    /// See the action duplicate; 1 if nothing is said.
    pub(crate) const COPIES: u16 = 18;
    /// See the action delay, nanoseconds.
    pub(crate) const DELAY: u16 = 19;
    /// See the action delay, nanoseconds; at most `delay`, and both together
    /// not more than a minute.
    pub(crate) const JITTER: u16 = 20;
    /// See the action reorder; 1 if nothing is said.
    pub(crate) const GAP: u16 = 21;
    /// See the action reorder, nanoseconds; 100 ms if nothing is said.
    pub(crate) const TIMEOUT: u16 = 22;
    /// It acts for this one of the packets that match, counted from 1.
    pub(crate) const NTH: u16 = 23;
    /// It acts for every one whose number is a multiple of this.
    pub(crate) const EVERY: u16 = 24;
    /// It acts with this probability, in parts of 2^32.
    pub(crate) const PROBABILITY: u16 = 25;
    /// What probability, jitter and corruption are drawn from: the same seed,
    /// the same packets.
    pub(crate) const SEED: u16 = 26;
    /// It acts for at most so many a second.
    pub(crate) const RATE: u16 = 27;
    /// As many can come at once after a pause.
    pub(crate) const BURST: u16 = 28;
    /// The rate counts bytes rather than packets.
    pub(crate) const RATE_BYTES: u16 = 29;
    /// It acts so many times, then never again.
    pub(crate) const AT_MOST: u16 = 30;
    /// A super frame counts as the segments it stands for.
    pub(crate) const SEGMENTS: u16 = 31;
    /// Packets that matched.
    pub(crate) const PACKETS: u16 = 32;
    /// Their bytes.
    pub(crate) const BYTES: u16 = 33;
    /// How often it acted.
    pub(crate) const ACTED: u16 = 34;
    /// Add this change to the socket's transaction, to be made when that is
    /// committed. It is only looked at then, and has no other answer.
    pub(crate) const TRANSACTION: u16 = 35;
    /// An event each time it acts, packet-ntf, that shows so many bytes of the
    /// packet.
    pub(crate) const NOTIFY: u16 = 36;
    /// Why the action drop drops, one of the kernel's reasons as tracing shows
    /// them, such as TCP_CSUM; NETFILTER_DROP if nothing is said.
    pub(crate) const DROP_REASON: u16 = 37;
}

/// Numbers of the attributes of `packet`.
pub(crate) mod packet {
    /// The chain.
    pub(crate) const CHAIN: u16 = 1;
    /// The rule.
    pub(crate) const HANDLE: u16 = 2;
    /// What it did.
    pub(crate) const ACTION: u16 = 3;
    /// Where.
    pub(crate) const HOOK: u16 = 4;
    /// Number of the packet among those that matched, from 1; not there if the
    /// rule doesn't count them.
    pub(crate) const NUMBER: u16 = 5;
    /// When, nanoseconds of CLOCK_MONOTONIC.
    pub(crate) const TIME: u16 = 6;
    /// Number of the device it came in by.
    pub(crate) const IN_DEVICE: u16 = 7;
    /// Number of the device it is to leave by.
    pub(crate) const OUT_DEVICE: u16 = 8;
    /// Its mark, if it has one.
    pub(crate) const MARK: u16 = 9;
    /// What `data` begins with; not there if that is an Ethernet header.
    pub(crate) const ETHERTYPE: u16 = 10;
    /// How long it is in bytes, from where `data` begins.
    pub(crate) const LENGTH: u16 = 11;
    /// Its first bytes.
    pub(crate) const DATA: u16 = 12;
    /// Events of the chain that were not sent until then: at most 1000 a
    /// second are.
    pub(crate) const LEFT_OUT: u16 = 13;
    /// Why it is dropped, if it is, as tracing shows it.
    pub(crate) const DROP_REASON: u16 = 14;
}

/// Numbers of the attributes of `sampling`.
pub(crate) mod sampling {
    /// The port.
    pub(crate) const IFINDEX: u16 = 1;
    /// As of a port.
    pub(crate) const GENERATION: u16 = 2;
    /// One in so many is sampled, in the mean; 0 if none is.
    pub(crate) const ONE_IN: u16 = 3;
    /// What is chosen; packets if nothing is said.
    pub(crate) const UNIT: u16 = 4;
    /// What the choice is drawn from: the same seed, the same packets or
    /// flows; 0 if nothing is said.
    pub(crate) const SEED: u16 = 5;
    /// Packets that were looked at, sampled or not.
    pub(crate) const PACKETS: u16 = 6;
    /// Packets sampled. Of a super frame it is the first frame.
    pub(crate) const SAMPLES: u16 = 7;
    /// Those that were handed to their transport protocol.
    pub(crate) const DELIVERED: u16 = 8;
    /// Those that went on to another host.
    pub(crate) const FORWARDED: u16 = 9;
    /// Those that GRO made part of another packet.
    pub(crate) const MERGED: u16 = 10;
    /// Those that were not seen again: dropped, taken by something else, or
    /// too long on their way.
    pub(crate) const LOST: u16 = 11;
}

/// Numbers of the attributes of `latency-bucket`.
pub(crate) mod latency_bucket {
    /// The shortest time of the bucket, nanoseconds.
    pub(crate) const FROM: u16 = 1;
    /// What is shorter is in it, nanoseconds; not there in the last one.
    pub(crate) const BELOW: u16 = 2;
    /// How many.
    pub(crate) const PACKETS: u16 = 3;
}

/// Numbers of the attributes of `latency`.
pub(crate) mod latency {
    /// The port.
    pub(crate) const IFINDEX: u16 = 1;
    /// The stage.
    pub(crate) const STAGE: u16 = 2;
    /// As of a port.
    pub(crate) const GENERATION: u16 = 3;
    /// Packets that left the stage for another one, or for the end.
    pub(crate) const PACKETS: u16 = 4;
    /// Packets that were last seen in the stage.
    pub(crate) const LOST: u16 = 5;
    /// The time that `packets` were in it, together, nanoseconds.
    pub(crate) const SUM: u16 = 6;
    /// The longest time, nanoseconds.
    pub(crate) const LONGEST: u16 = 7;
    /// `packets` by the time they took, shortest first; without the buckets
    /// that are empty.
    pub(crate) const BUCKET: u16 = 8;
}

/// One of the two ports of a wire, as far as the namespace can see it.
#[derive(Clone, Default)]
pub(crate) struct WirePort<'a> {
    /// Which end it is at.
    pub(crate) end: Option<End>,
    /// Number of the network device, in its namespace. Not there if that is
    /// one the caller's has no number for.
    pub(crate) ifindex: Option<u32>,
    /// Number that the caller's namespace has for the port's. Not there if
    /// the port is in the caller's own.
    pub(crate) netnsid: Option<i32>,
    /// Name of the network device, if it is in the caller's namespace.
    pub(crate) name: Option<&'a CStr>,
}

impl WirePort<'_> {
    /// Nothing is known.
    pub(crate) const NONE: Self = Self {
        end: None,
        ifindex: None,
        netnsid: None,
        name: None,
    };

    /// Writes it.
    ///
    /// # Errors
    ///
    /// `EMSGSIZE` if there is no room.
    pub(crate) fn put(&self, w: &mut Writer<'_>) -> Result {
        if let Some(value) = self.end {
            w.u32(wire_port::END, value as u32)?;
        }
        if let Some(value) = self.ifindex {
            w.u32(wire_port::IFINDEX, value)?;
        }
        if let Some(value) = self.netnsid {
            w.s32(wire_port::NETNSID, value)?;
        }
        if let Some(value) = self.name {
            w.string(wire_port::NAME, value)?;
        }
        Ok(())
    }
}

/// Frames dropped for one reason.
#[derive(Clone, Default)]
pub(crate) struct Drop {
    /// The reason.
    pub(crate) reason: Option<DropReason>,
    /// How many.
    pub(crate) frames: Option<u64>,
}

impl Drop {
    /// Nothing is known.
    pub(crate) const NONE: Self = Self {
        reason: None,
        frames: None,
    };

    /// Writes it.
    ///
    /// # Errors
    ///
    /// `EMSGSIZE` if there is no room.
    pub(crate) fn put(&self, w: &mut Writer<'_>) -> Result {
        if let Some(value) = self.reason {
            w.u32(drop::REASON, value as u32)?;
        }
        if let Some(value) = self.frames {
            w.uint(drop::FRAMES, value)?;
        }
        Ok(())
    }
}

/// A condition on a field.
#[derive(Clone, Default)]
pub(crate) struct Term {
    /// The field.
    pub(crate) field: Option<Field>,
    /// What it is tested for; `value` if nothing is said.
    pub(crate) test: Option<Test>,
    /// The test must fail.
    pub(crate) negated: bool,
    /// First number of the test, the lowest 64 bits.
    pub(crate) value: Option<u64>,
    /// Its highest 64 bits.
    pub(crate) value_high: Option<u64>,
    /// Second number of the test, the lowest 64 bits.
    pub(crate) operand: Option<u64>,
    /// Its highest 64 bits.
    pub(crate) operand_high: Option<u64>,
}

impl Term {
    /// Nothing is known.
    pub(crate) const NONE: Self = Self {
        field: None,
        test: None,
        negated: false,
        value: None,
        value_high: None,
        operand: None,
        operand_high: None,
    };

    /// Writes it.
    ///
    /// # Errors
    ///
    /// `EMSGSIZE` if there is no room.
    pub(crate) fn put(&self, w: &mut Writer<'_>) -> Result {
        if let Some(value) = self.field {
            w.u32(term::FIELD, value as u32)?;
        }
        if let Some(value) = self.test {
            w.u32(term::TEST, value as u32)?;
        }
        if self.negated {
            w.flag(term::NEGATED)?;
        }
        if let Some(value) = self.value {
            w.uint(term::VALUE, value)?;
        }
        if let Some(value) = self.value_high {
            w.uint(term::VALUE_HIGH, value)?;
        }
        if let Some(value) = self.operand {
            w.uint(term::OPERAND, value)?;
        }
        if let Some(value) = self.operand_high {
            w.uint(term::OPERAND_HIGH, value)?;
        }
        Ok(())
    }
}

/// Packets that took about as long.
#[derive(Clone, Default)]
pub(crate) struct LatencyBucket {
    /// The shortest time of the bucket, nanoseconds.
    pub(crate) from: Option<u64>,
    /// What is shorter is in it, nanoseconds; not there in the last one.
    pub(crate) below: Option<u64>,
    /// How many.
    pub(crate) packets: Option<u64>,
}

impl LatencyBucket {
    /// Nothing is known.
    pub(crate) const NONE: Self = Self {
        from: None,
        below: None,
        packets: None,
    };

    /// Writes it.
    ///
    /// # Errors
    ///
    /// `EMSGSIZE` if there is no room.
    pub(crate) fn put(&self, w: &mut Writer<'_>) -> Result {
        if let Some(value) = self.from {
            w.uint(latency_bucket::FROM, value)?;
        }
        if let Some(value) = self.below {
            w.uint(latency_bucket::BELOW, value)?;
        }
        if let Some(value) = self.packets {
            w.uint(latency_bucket::PACKETS, value)?;
        }
        Ok(())
    }
}

/// A rule with `notify`, or with the action sample, has acted on a packet.
#[derive(Clone, Default)]
pub(crate) struct PacketNtf<'a> {
    /// The chain.
    pub(crate) chain: Option<&'a CStr>,
    /// The rule.
    pub(crate) handle: Option<u32>,
    /// What it did.
    pub(crate) action: Option<Action>,
    /// Where.
    pub(crate) hook: Option<Hook>,
    /// Number of the packet among those that matched, from 1; not there if the
    /// rule doesn't count them.
    pub(crate) number: Option<u64>,
    /// When, nanoseconds of CLOCK_MONOTONIC.
    pub(crate) time: Option<u64>,
    /// Number of the device it came in by.
    pub(crate) in_device: Option<u32>,
    /// Number of the device it is to leave by.
    pub(crate) out_device: Option<u32>,
    /// Its mark, if it has one.
    pub(crate) mark: Option<u32>,
    /// What `data` begins with; not there if that is an Ethernet header.
    pub(crate) ethertype: Option<u32>,
    /// How long it is in bytes, from where `data` begins.
    pub(crate) length: Option<u32>,
    /// Its first bytes.
    pub(crate) data: Option<Fill<'a>>,
    /// Why it is dropped, if it is, as tracing shows it.
    pub(crate) drop_reason: Option<&'a CStr>,
    /// Events of the chain that were not sent until then: at most 1000 a
    /// second are.
    pub(crate) left_out: Option<u64>,
}

impl PacketNtf<'_> {
    /// Nothing is known.
    pub(crate) const NONE: Self = Self {
        chain: None,
        handle: None,
        action: None,
        hook: None,
        number: None,
        time: None,
        in_device: None,
        out_device: None,
        mark: None,
        ethertype: None,
        length: None,
        data: None,
        drop_reason: None,
        left_out: None,
    };

    /// Writes it.
    ///
    /// # Errors
    ///
    /// `EMSGSIZE` if there is no room.
    pub(crate) fn put(&self, w: &mut Writer<'_>) -> Result {
        if let Some(value) = self.chain {
            w.string(packet::CHAIN, value)?;
        }
        if let Some(value) = self.handle {
            w.u32(packet::HANDLE, value)?;
        }
        if let Some(value) = self.action {
            w.u32(packet::ACTION, value as u32)?;
        }
        if let Some(value) = self.hook {
            w.u32(packet::HOOK, value as u32)?;
        }
        if let Some(value) = self.number {
            w.uint(packet::NUMBER, value)?;
        }
        if let Some(value) = self.time {
            w.uint(packet::TIME, value)?;
        }
        if let Some(value) = self.in_device {
            w.u32(packet::IN_DEVICE, value)?;
        }
        if let Some(value) = self.out_device {
            w.u32(packet::OUT_DEVICE, value)?;
        }
        if let Some(value) = self.mark {
            w.u32(packet::MARK, value)?;
        }
        if let Some(value) = self.ethertype {
            w.u32(packet::ETHERTYPE, value)?;
        }
        if let Some(value) = self.length {
            w.u32(packet::LENGTH, value)?;
        }
        if let Some(value) = self.data {
            w.fill(packet::DATA, value)?;
        }
        if let Some(value) = self.drop_reason {
            w.string(packet::DROP_REASON, value)?;
        }
        if let Some(value) = self.left_out {
            w.uint(packet::LEFT_OUT, value)?;
        }
        Ok(())
    }
}

/// A change of a port. What is not sent stays as it is.
pub(crate) struct PortChangeItem<'a> {
    /// The attribute that holds it.
    pub(crate) nest: Attribute<'a>,
    /// Number of the network device.
    pub(crate) ifindex: Option<u32>,
    /// For how long a receiver without buffers may hold the port's transmit
    /// queues (see "ethtool -a"), in milliseconds. What finds no buffer
    /// afterwards is dropped and counted as `pause-expired`, until a buffer
    /// is found.
    pub(crate) pause_limit: Option<u32>,
}

impl<'a> Item<'a> for PortChangeItem<'a> {
    fn parse(nest: Attribute<'a>, extack: &ExtAck<'a>) -> Result<Self> {
        let mut item = PortChangeItem {
            nest,
            ifindex: None,
            pause_limit: None,
        };
        for attribute in nest.attributes() {
            match attribute.kind() {
                port_change::IFINDEX => {
                    once(&mut item.ifindex, attribute.u32()?, &attribute, extack)?
                }
                port_change::PAUSE_LIMIT => {
                    once(&mut item.pause_limit, attribute.u32()?, &attribute, extack)?
                }
                _ => (),
            }
        }
        Ok(item)
    }

    fn nest(&self) -> Attribute<'a> {
        self.nest
    }
}

/// A change of a wire. What is not sent stays as it is.
pub(crate) struct WireChangeItem<'a> {
    /// The attribute that holds it.
    pub(crate) nest: Attribute<'a>,
    /// Its number, unique until the module is unloaded.
    pub(crate) id: Option<u32>,
    /// The datapath of the wire.
    pub(crate) datapath: Option<Datapath>,
}

impl<'a> Item<'a> for WireChangeItem<'a> {
    fn parse(nest: Attribute<'a>, extack: &ExtAck<'a>) -> Result<Self> {
        let mut item = WireChangeItem {
            nest,
            id: None,
            datapath: None,
        };
        for attribute in nest.attributes() {
            match attribute.kind() {
                wire_change::ID => once(&mut item.id, attribute.u32()?, &attribute, extack)?,
                wire_change::DATAPATH => once(
                    &mut item.datapath,
                    Datapath::from_number(attribute.u32()?)?,
                    &attribute,
                    extack,
                )?,
                _ => (),
            }
        }
        Ok(item)
    }

    fn nest(&self) -> Attribute<'a> {
        self.nest
    }
}

/// A condition on a field.
pub(crate) struct TermItem<'a> {
    /// The attribute that holds it.
    pub(crate) nest: Attribute<'a>,
    /// The field.
    pub(crate) field: Option<Field>,
    /// What it is tested for; `value` if nothing is said.
    pub(crate) test: Option<Test>,
    /// The test must fail.
    pub(crate) negated: Option<()>,
    /// First number of the test, the lowest 64 bits.
    pub(crate) value: Option<u64>,
    /// Its highest 64 bits.
    pub(crate) value_high: Option<u64>,
    /// Second number of the test, the lowest 64 bits.
    pub(crate) operand: Option<u64>,
    /// Its highest 64 bits.
    pub(crate) operand_high: Option<u64>,
}

impl<'a> Item<'a> for TermItem<'a> {
    fn parse(nest: Attribute<'a>, extack: &ExtAck<'a>) -> Result<Self> {
        let mut item = TermItem {
            nest,
            field: None,
            test: None,
            negated: None,
            value: None,
            value_high: None,
            operand: None,
            operand_high: None,
        };
        for attribute in nest.attributes() {
            match attribute.kind() {
                term::FIELD => once(
                    &mut item.field,
                    Field::from_number(attribute.u32()?)?,
                    &attribute,
                    extack,
                )?,
                term::TEST => once(
                    &mut item.test,
                    Test::from_number(attribute.u32()?)?,
                    &attribute,
                    extack,
                )?,
                term::NEGATED => once(&mut item.negated, (), &attribute, extack)?,
                term::VALUE => once(&mut item.value, attribute.uint()?, &attribute, extack)?,
                term::VALUE_HIGH => {
                    once(&mut item.value_high, attribute.uint()?, &attribute, extack)?
                }
                term::OPERAND => once(&mut item.operand, attribute.uint()?, &attribute, extack)?,
                term::OPERAND_HIGH => once(
                    &mut item.operand_high,
                    attribute.uint()?,
                    &attribute,
                    extack,
                )?,
                _ => (),
            }
        }
        Ok(item)
    }

    fn nest(&self) -> Attribute<'a> {
        self.nest
    }
}

/// An answer to `port-get`, and what notifications of it say.
#[derive(Clone, Default)]
pub(crate) struct PortGetReply<'a> {
    /// Number of the network device.
    pub(crate) ifindex: Option<u32>,
    /// Generation of the namespace's ports when the message was written.
    pub(crate) generation: Option<u64>,
    /// Name of the network device.
    pub(crate) name: Option<&'a CStr>,
    /// Number of the wire, unique until the module is unloaded.
    pub(crate) wire: Option<u32>,
    /// Which of its ends the port is at.
    pub(crate) end: Option<End>,
    /// The wire's datapath.
    pub(crate) datapath: Option<Datapath>,
    /// Number of the network device at the other end, in its namespace.
    pub(crate) peer_ifindex: Option<u32>,
    /// Number that the port's namespace has for the other end's namespace
    /// (see "ip netns list-id"). Not there if that is the same. If the other
    /// end is in a namespace without such a number, the port has neither
    /// this nor `peer-ifindex`.
    pub(crate) peer_netnsid: Option<i32>,
    /// The device is up.
    pub(crate) up: bool,
    /// Both ends are up.
    pub(crate) carrier: bool,
    /// Largest packet in bytes, as set with ip.
    pub(crate) mtu: Option<u32>,
    /// Channels in use, as set with "ethtool -L".
    pub(crate) channels: Option<u32>,
    /// Channels there can be.
    pub(crate) channels_max: Option<u32>,
    /// Descriptors of each TX ring, as set with "ethtool -G".
    pub(crate) tx_ring: Option<u32>,
    /// Descriptors of each RX ring, as set with "ethtool -G".
    pub(crate) rx_ring: Option<u32>,
    /// For how long a receiver without buffers may hold the port's transmit
    /// queues (see "ethtool -a"), in milliseconds. What finds no buffer
    /// afterwards is dropped and counted as `pause-expired`, until a buffer
    /// is found.
    pub(crate) pause_limit: Option<u32>,
}

impl PortGetReply<'_> {
    /// Nothing is known.
    pub(crate) const NONE: Self = Self {
        ifindex: None,
        generation: None,
        name: None,
        wire: None,
        end: None,
        datapath: None,
        peer_ifindex: None,
        peer_netnsid: None,
        up: false,
        carrier: false,
        mtu: None,
        channels: None,
        channels_max: None,
        tx_ring: None,
        rx_ring: None,
        pause_limit: None,
    };

    /// Writes it.
    ///
    /// # Errors
    ///
    /// `EMSGSIZE` if there is no room.
    pub(crate) fn put(&self, w: &mut Writer<'_>) -> Result {
        if let Some(value) = self.ifindex {
            w.u32(port::IFINDEX, value)?;
        }
        if let Some(value) = self.generation {
            w.uint(port::GENERATION, value)?;
        }
        if let Some(value) = self.name {
            w.string(port::NAME, value)?;
        }
        if let Some(value) = self.wire {
            w.u32(port::WIRE, value)?;
        }
        if let Some(value) = self.end {
            w.u32(port::END, value as u32)?;
        }
        if let Some(value) = self.datapath {
            w.u32(port::DATAPATH, value as u32)?;
        }
        if let Some(value) = self.peer_ifindex {
            w.u32(port::PEER_IFINDEX, value)?;
        }
        if let Some(value) = self.peer_netnsid {
            w.s32(port::PEER_NETNSID, value)?;
        }
        if self.up {
            w.flag(port::UP)?;
        }
        if self.carrier {
            w.flag(port::CARRIER)?;
        }
        if let Some(value) = self.mtu {
            w.u32(port::MTU, value)?;
        }
        if let Some(value) = self.channels {
            w.u32(port::CHANNELS, value)?;
        }
        if let Some(value) = self.channels_max {
            w.u32(port::CHANNELS_MAX, value)?;
        }
        if let Some(value) = self.tx_ring {
            w.u32(port::TX_RING, value)?;
        }
        if let Some(value) = self.rx_ring {
            w.u32(port::RX_RING, value)?;
        }
        if let Some(value) = self.pause_limit {
            w.u32(port::PAUSE_LIMIT, value)?;
        }
        Ok(())
    }
}

/// A request of `port-get`.
pub(crate) struct PortGetDoRequest {
    /// Number of the network device.
    pub(crate) ifindex: Option<u32>,
}

/// Get a port, or dump all of them by ascending ifindex.
pub(crate) struct PortGetDo;

impl Spec for PortGetDo {
    type Family = Ferronic;
    type Request<'a> = PortGetDoRequest;
    const COMMAND: u8 = 1;
    const PERMISSION: Permission = Permission::Any;
    const POLICY: &'static [Policy] = &[Policy::UNSPEC, Policy::u32_in(&PORT_IFINDEX_RANGE)];

    fn parse<'a>(context: &Context<'a, Ferronic>) -> Result<Self::Request<'a>> {
        let attributes = context.attributes();
        Ok(PortGetDoRequest {
            ifindex: attributes
                .get(usize::from(port::IFINDEX))
                .map(|a| a.u32())
                .transpose()?,
        })
    }
}

/// A request of `port-get` for a dump.
pub(crate) struct PortGetDumpRequest;

/// Get a port, or dump all of them by ascending ifindex.
pub(crate) struct PortGetDump;

impl Spec for PortGetDump {
    type Family = Ferronic;
    type Request<'a> = PortGetDumpRequest;
    const COMMAND: u8 = 1;
    const PERMISSION: Permission = Permission::Any;
    const POLICY: &'static [Policy] = &[];

    fn parse<'a>(_: &Context<'a, Ferronic>) -> Result<Self::Request<'a>> {
        Ok(PortGetDumpRequest)
    }
}

/// A request of `port-set`.
pub(crate) struct PortSetDoRequest {
    /// Number of the network device.
    pub(crate) ifindex: Option<u32>,
    /// For how long a receiver without buffers may hold the port's transmit
    /// queues (see "ethtool -a"), in milliseconds. What finds no buffer
    /// afterwards is dropped and counted as `pause-expired`, until a buffer
    /// is found.
    pub(crate) pause_limit: Option<u32>,
}

/// Change a port. What is not sent stays as it is. All changes are made, or
/// none.
pub(crate) struct PortSetDo;

impl Spec for PortSetDo {
    type Family = Ferronic;
    type Request<'a> = PortSetDoRequest;
    const COMMAND: u8 = 2;
    const PERMISSION: Permission = Permission::NamespaceAdmin;
    const POLICY: &'static [Policy] = &[
        Policy::UNSPEC,
        Policy::u32_in(&PORT_IFINDEX_RANGE),
        Policy::UNSPEC,
        Policy::UNSPEC,
        Policy::UNSPEC,
        Policy::UNSPEC,
        Policy::UNSPEC,
        Policy::UNSPEC,
        Policy::UNSPEC,
        Policy::UNSPEC,
        Policy::UNSPEC,
        Policy::UNSPEC,
        Policy::UNSPEC,
        Policy::UNSPEC,
        Policy::UNSPEC,
        Policy::UNSPEC,
        Policy::u32_in(&PORT_PAUSE_LIMIT_RANGE),
    ];

    fn parse<'a>(context: &Context<'a, Ferronic>) -> Result<Self::Request<'a>> {
        let attributes = context.attributes();
        Ok(PortSetDoRequest {
            ifindex: attributes
                .get(usize::from(port::IFINDEX))
                .map(|a| a.u32())
                .transpose()?,
            pause_limit: attributes
                .get(usize::from(port::PAUSE_LIMIT))
                .map(|a| a.u32())
                .transpose()?,
        })
    }
}

/// An answer to `wire-get`, and what notifications of it say.
#[derive(Clone, Default)]
pub(crate) struct WireGetReply<'a> {
    /// Its number, unique until the module is unloaded.
    pub(crate) id: Option<u32>,
    /// As of a port.
    pub(crate) generation: Option<u64>,
    /// The datapath of the wire.
    pub(crate) datapath: Option<Datapath>,
    /// Its ports, end a first.
    pub(crate) port: &'a [WirePort<'a>],
}

impl WireGetReply<'_> {
    /// Nothing is known.
    pub(crate) const NONE: Self = Self {
        id: None,
        generation: None,
        datapath: None,
        port: &[],
    };

    /// Writes it.
    ///
    /// # Errors
    ///
    /// `EMSGSIZE` if there is no room.
    pub(crate) fn put(&self, w: &mut Writer<'_>) -> Result {
        if let Some(value) = self.id {
            w.u32(wire::ID, value)?;
        }
        if let Some(value) = self.generation {
            w.uint(wire::GENERATION, value)?;
        }
        if let Some(value) = self.datapath {
            w.u32(wire::DATAPATH, value as u32)?;
        }
        for value in self.port {
            let mut nest = w.nest(wire::PORT)?;
            value.put(&mut nest)?;
            nest.end();
        }
        Ok(())
    }
}

/// A request of `wire-get`.
pub(crate) struct WireGetDoRequest {
    /// Its number, unique until the module is unloaded.
    pub(crate) id: Option<u32>,
}

/// Get a wire, or dump all that have a port in the namespace.
pub(crate) struct WireGetDo;

impl Spec for WireGetDo {
    type Family = Ferronic;
    type Request<'a> = WireGetDoRequest;
    const COMMAND: u8 = 6;
    const PERMISSION: Permission = Permission::Any;
    const POLICY: &'static [Policy] = &[Policy::UNSPEC, Policy::U32];

    fn parse<'a>(context: &Context<'a, Ferronic>) -> Result<Self::Request<'a>> {
        let attributes = context.attributes();
        Ok(WireGetDoRequest {
            id: attributes
                .get(usize::from(wire::ID))
                .map(|a| a.u32())
                .transpose()?,
        })
    }
}

/// A request of `wire-get` for a dump.
pub(crate) struct WireGetDumpRequest;

/// Get a wire, or dump all that have a port in the namespace.
pub(crate) struct WireGetDump;

impl Spec for WireGetDump {
    type Family = Ferronic;
    type Request<'a> = WireGetDumpRequest;
    const COMMAND: u8 = 6;
    const PERMISSION: Permission = Permission::Any;
    const POLICY: &'static [Policy] = &[];

    fn parse<'a>(_: &Context<'a, Ferronic>) -> Result<Self::Request<'a>> {
        Ok(WireGetDumpRequest)
    }
}

/// An answer to `channel-get`, and what notifications of it say.
#[derive(Clone, Default)]
pub(crate) struct ChannelGetReply<'a> {
    /// The port.
    pub(crate) ifindex: Option<u32>,
    /// Number of the channel, from 0.
    pub(crate) index: Option<u32>,
    /// As of a port.
    pub(crate) generation: Option<u64>,
    /// Its NAPI instance, as the netdev family knows it.
    pub(crate) napi_id: Option<u32>,
    /// Descriptors of the TX ring.
    pub(crate) tx_ring: Option<u32>,
    /// Packets posted by the stack that the engine has not sent.
    pub(crate) tx_queued: Option<u32>,
    /// Packets sent whose completion was not seen by a poll.
    pub(crate) tx_uncompleted: Option<u32>,
    /// Descriptors of the RX ring; not there on the handoff datapath.
    pub(crate) rx_ring: Option<u32>,
    /// Empty buffers that wait for frames.
    pub(crate) rx_posted: Option<u32>,
    /// Buffers with frames that no poll has taken.
    pub(crate) rx_filled: Option<u32>,
    /// Times the vector was raised (a virtual interrupt).
    pub(crate) raises: Option<u64>,
    /// Polls of the NAPI instance.
    pub(crate) polls: Option<u64>,
    /// Frames that polls passed on.
    pub(crate) frames: Option<u64>,
    /// Polls by how many frames they passed on, `poll-buckets` values: 0, 1,
    /// 2 to 3, 4 to 7, and so on; the last one is for all that is more.
    pub(crate) poll_frames: &'a [u64],
    /// Moderation in force, as set with "ethtool -C", microseconds.
    pub(crate) rx_usecs: Option<u32>,
    /// Moderation in force, frames.
    pub(crate) rx_frames: Option<u32>,
    /// Moderation of completions in force, microseconds.
    pub(crate) tx_usecs: Option<u32>,
    /// Moderation of completions in force, packets.
    pub(crate) tx_frames: Option<u32>,
}

impl ChannelGetReply<'_> {
    /// Nothing is known.
    pub(crate) const NONE: Self = Self {
        ifindex: None,
        index: None,
        generation: None,
        napi_id: None,
        tx_ring: None,
        tx_queued: None,
        tx_uncompleted: None,
        rx_ring: None,
        rx_posted: None,
        rx_filled: None,
        raises: None,
        polls: None,
        frames: None,
        poll_frames: &[],
        rx_usecs: None,
        rx_frames: None,
        tx_usecs: None,
        tx_frames: None,
    };

    /// Writes it.
    ///
    /// # Errors
    ///
    /// `EMSGSIZE` if there is no room.
    pub(crate) fn put(&self, w: &mut Writer<'_>) -> Result {
        if let Some(value) = self.ifindex {
            w.u32(channel::IFINDEX, value)?;
        }
        if let Some(value) = self.index {
            w.u32(channel::INDEX, value)?;
        }
        if let Some(value) = self.generation {
            w.uint(channel::GENERATION, value)?;
        }
        if let Some(value) = self.napi_id {
            w.u32(channel::NAPI_ID, value)?;
        }
        if let Some(value) = self.tx_ring {
            w.u32(channel::TX_RING, value)?;
        }
        if let Some(value) = self.tx_queued {
            w.u32(channel::TX_QUEUED, value)?;
        }
        if let Some(value) = self.tx_uncompleted {
            w.u32(channel::TX_UNCOMPLETED, value)?;
        }
        if let Some(value) = self.rx_ring {
            w.u32(channel::RX_RING, value)?;
        }
        if let Some(value) = self.rx_posted {
            w.u32(channel::RX_POSTED, value)?;
        }
        if let Some(value) = self.rx_filled {
            w.u32(channel::RX_FILLED, value)?;
        }
        if let Some(value) = self.raises {
            w.uint(channel::RAISES, value)?;
        }
        if let Some(value) = self.polls {
            w.uint(channel::POLLS, value)?;
        }
        if let Some(value) = self.frames {
            w.uint(channel::FRAMES, value)?;
        }
        for value in self.poll_frames {
            w.uint(channel::POLL_FRAMES, *value)?;
        }
        if let Some(value) = self.rx_usecs {
            w.u32(channel::RX_USECS, value)?;
        }
        if let Some(value) = self.rx_frames {
            w.u32(channel::RX_FRAMES, value)?;
        }
        if let Some(value) = self.tx_usecs {
            w.u32(channel::TX_USECS, value)?;
        }
        if let Some(value) = self.tx_frames {
            w.u32(channel::TX_FRAMES, value)?;
        }
        Ok(())
    }
}

/// A request of `channel-get`.
pub(crate) struct ChannelGetDoRequest {
    /// The port.
    pub(crate) ifindex: Option<u32>,
    /// Number of the channel, from 0.
    pub(crate) index: Option<u32>,
}

/// Get a channel of a port that is up, or dump those of one port or of all
/// ports.
pub(crate) struct ChannelGetDo;

impl Spec for ChannelGetDo {
    type Family = Ferronic;
    type Request<'a> = ChannelGetDoRequest;
    const COMMAND: u8 = 7;
    const PERMISSION: Permission = Permission::Any;
    const POLICY: &'static [Policy] = &[
        Policy::UNSPEC,
        Policy::u32_in(&CHANNEL_IFINDEX_RANGE),
        Policy::u32_in(&CHANNEL_INDEX_RANGE),
    ];

    fn parse<'a>(context: &Context<'a, Ferronic>) -> Result<Self::Request<'a>> {
        let attributes = context.attributes();
        Ok(ChannelGetDoRequest {
            ifindex: attributes
                .get(usize::from(channel::IFINDEX))
                .map(|a| a.u32())
                .transpose()?,
            index: attributes
                .get(usize::from(channel::INDEX))
                .map(|a| a.u32())
                .transpose()?,
        })
    }
}

/// A request of `channel-get` for a dump.
pub(crate) struct ChannelGetDumpRequest {
    /// The port.
    pub(crate) ifindex: Option<u32>,
}

/// Get a channel of a port that is up, or dump those of one port or of all
/// ports.
pub(crate) struct ChannelGetDump;

impl Spec for ChannelGetDump {
    type Family = Ferronic;
    type Request<'a> = ChannelGetDumpRequest;
    const COMMAND: u8 = 7;
    const PERMISSION: Permission = Permission::Any;
    const POLICY: &'static [Policy] = &[Policy::UNSPEC, Policy::u32_in(&CHANNEL_IFINDEX_RANGE)];

    fn parse<'a>(context: &Context<'a, Ferronic>) -> Result<Self::Request<'a>> {
        let attributes = context.attributes();
        Ok(ChannelGetDumpRequest {
            ifindex: attributes
                .get(usize::from(channel::IFINDEX))
                .map(|a| a.u32())
                .transpose()?,
        })
    }
}

/// An answer to `stage-get`, and what notifications of it say.
#[derive(Clone, Default)]
pub(crate) struct StageGetReply<'a> {
    /// The port.
    pub(crate) ifindex: Option<u32>,
    /// The direction.
    pub(crate) direction: Option<Direction>,
    /// The stage.
    pub(crate) stage: Option<Stage>,
    /// As of a port.
    pub(crate) generation: Option<u64>,
    /// Packets that came to the stage.
    pub(crate) packets: Option<u64>,
    /// Their bytes.
    pub(crate) packet_bytes: Option<u64>,
    /// Frames that left the stage.
    pub(crate) frames: Option<u64>,
    /// Their bytes, without the frame check sequence.
    pub(crate) bytes: Option<u64>,
    /// Those to multicast addresses.
    pub(crate) multicast: Option<u64>,
    /// Those to the broadcast address.
    pub(crate) broadcast: Option<u64>,
    /// Times a transmit queue was stopped.
    pub(crate) stops: Option<u64>,
    /// Times one was let run again by a poll.
    pub(crate) wakes: Option<u64>,
    /// Times a frame had to wait for a buffer.
    pub(crate) waits: Option<u64>,
    /// Frames whose checksum was found right.
    pub(crate) checksum_good: Option<u64>,
    /// Frames whose checksum was found wrong.
    pub(crate) checksum_bad: Option<u64>,
    /// Frames whose checksum was not looked at.
    pub(crate) checksum_none: Option<u64>,
    /// Times a receive buffer could not be allocated.
    pub(crate) alloc_fails: Option<u64>,
    /// Frames dropped at the stage, by the reasons it can have.
    pub(crate) drop: &'a [Drop],
}

impl StageGetReply<'_> {
    /// Nothing is known.
    pub(crate) const NONE: Self = Self {
        ifindex: None,
        direction: None,
        stage: None,
        generation: None,
        packets: None,
        packet_bytes: None,
        frames: None,
        bytes: None,
        multicast: None,
        broadcast: None,
        stops: None,
        wakes: None,
        waits: None,
        checksum_good: None,
        checksum_bad: None,
        checksum_none: None,
        alloc_fails: None,
        drop: &[],
    };

    /// Writes it.
    ///
    /// # Errors
    ///
    /// `EMSGSIZE` if there is no room.
    pub(crate) fn put(&self, w: &mut Writer<'_>) -> Result {
        if let Some(value) = self.ifindex {
            w.u32(stage::IFINDEX, value)?;
        }
        if let Some(value) = self.direction {
            w.u32(stage::DIRECTION, value as u32)?;
        }
        if let Some(value) = self.stage {
            w.u32(stage::STAGE, value as u32)?;
        }
        if let Some(value) = self.generation {
            w.uint(stage::GENERATION, value)?;
        }
        if let Some(value) = self.packets {
            w.uint(stage::PACKETS, value)?;
        }
        if let Some(value) = self.packet_bytes {
            w.uint(stage::PACKET_BYTES, value)?;
        }
        if let Some(value) = self.frames {
            w.uint(stage::FRAMES, value)?;
        }
        if let Some(value) = self.bytes {
            w.uint(stage::BYTES, value)?;
        }
        if let Some(value) = self.multicast {
            w.uint(stage::MULTICAST, value)?;
        }
        if let Some(value) = self.broadcast {
            w.uint(stage::BROADCAST, value)?;
        }
        if let Some(value) = self.stops {
            w.uint(stage::STOPS, value)?;
        }
        if let Some(value) = self.wakes {
            w.uint(stage::WAKES, value)?;
        }
        if let Some(value) = self.waits {
            w.uint(stage::WAITS, value)?;
        }
        if let Some(value) = self.checksum_good {
            w.uint(stage::CHECKSUM_GOOD, value)?;
        }
        if let Some(value) = self.checksum_bad {
            w.uint(stage::CHECKSUM_BAD, value)?;
        }
        if let Some(value) = self.checksum_none {
            w.uint(stage::CHECKSUM_NONE, value)?;
        }
        if let Some(value) = self.alloc_fails {
            w.uint(stage::ALLOC_FAILS, value)?;
        }
        for value in self.drop {
            let mut nest = w.nest(stage::DROP)?;
            value.put(&mut nest)?;
            nest.end();
        }
        Ok(())
    }
}

/// A request of `stage-get`.
pub(crate) struct StageGetDoRequest {
    /// The port.
    pub(crate) ifindex: Option<u32>,
    /// The direction.
    pub(crate) direction: Option<Direction>,
    /// The stage.
    pub(crate) stage: Option<Stage>,
}

/// Get what a stage has counted since the pair was made or since
/// stats-reset, or dump that of all stages of one port or of all ports.
pub(crate) struct StageGetDo;

impl Spec for StageGetDo {
    type Family = Ferronic;
    type Request<'a> = StageGetDoRequest;
    const COMMAND: u8 = 8;
    const PERMISSION: Permission = Permission::Any;
    const POLICY: &'static [Policy] = &[
        Policy::UNSPEC,
        Policy::u32_in(&STAGE_IFINDEX_RANGE),
        Policy::u32_in(&STAGE_DIRECTION_RANGE),
        Policy::u32_in(&STAGE_STAGE_RANGE),
    ];

    fn parse<'a>(context: &Context<'a, Ferronic>) -> Result<Self::Request<'a>> {
        let attributes = context.attributes();
        Ok(StageGetDoRequest {
            ifindex: attributes
                .get(usize::from(stage::IFINDEX))
                .map(|a| a.u32())
                .transpose()?,
            direction: attributes
                .get(usize::from(stage::DIRECTION))
                .map(|a| Direction::from_number(a.u32()?))
                .transpose()?,
            stage: attributes
                .get(usize::from(stage::STAGE))
                .map(|a| Stage::from_number(a.u32()?))
                .transpose()?,
        })
    }
}

/// A request of `stage-get` for a dump.
pub(crate) struct StageGetDumpRequest {
    /// The port.
    pub(crate) ifindex: Option<u32>,
}

/// Get what a stage has counted since the pair was made or since
/// stats-reset, or dump that of all stages of one port or of all ports.
pub(crate) struct StageGetDump;

impl Spec for StageGetDump {
    type Family = Ferronic;
    type Request<'a> = StageGetDumpRequest;
    const COMMAND: u8 = 8;
    const PERMISSION: Permission = Permission::Any;
    const POLICY: &'static [Policy] = &[Policy::UNSPEC, Policy::u32_in(&STAGE_IFINDEX_RANGE)];

    fn parse<'a>(context: &Context<'a, Ferronic>) -> Result<Self::Request<'a>> {
        let attributes = context.attributes();
        Ok(StageGetDumpRequest {
            ifindex: attributes
                .get(usize::from(stage::IFINDEX))
                .map(|a| a.u32())
                .transpose()?,
        })
    }
}

/// A request of `stats-reset`.
pub(crate) struct StatsResetDoRequest {
    /// Number of the network device.
    pub(crate) ifindex: Option<u32>,
}

/// Let channel-get and stage-get count a port's events from now on. The
/// counters of ip, ethtool and the netdev family go on as they are, and
/// so do those of the other end.
pub(crate) struct StatsResetDo;

impl Spec for StatsResetDo {
    type Family = Ferronic;
    type Request<'a> = StatsResetDoRequest;
    const COMMAND: u8 = 9;
    const PERMISSION: Permission = Permission::NamespaceAdmin;
    const POLICY: &'static [Policy] = &[Policy::UNSPEC, Policy::u32_in(&PORT_IFINDEX_RANGE)];

    fn parse<'a>(context: &Context<'a, Ferronic>) -> Result<Self::Request<'a>> {
        let attributes = context.attributes();
        Ok(StatsResetDoRequest {
            ifindex: attributes
                .get(usize::from(port::IFINDEX))
                .map(|a| a.u32())
                .transpose()?,
        })
    }
}

/// A request of `wire-set`.
pub(crate) struct WireSetDoRequest {
    /// Its number, unique until the module is unloaded.
    pub(crate) id: Option<u32>,
    /// The datapath of the wire.
    pub(crate) datapath: Option<Datapath>,
}

/// Change a wire. Ports that are up stay up: packets that were not sent
/// yet go the new way. What is not sent of the request stays as it is.
/// Needs the right to change both ends, wherever they are.
pub(crate) struct WireSetDo;

impl Spec for WireSetDo {
    type Family = Ferronic;
    type Request<'a> = WireSetDoRequest;
    const COMMAND: u8 = 10;
    const PERMISSION: Permission = Permission::NamespaceAdmin;
    const POLICY: &'static [Policy] = &[
        Policy::UNSPEC,
        Policy::U32,
        Policy::UNSPEC,
        Policy::u32_in(&WIRE_DATAPATH_RANGE),
    ];

    fn parse<'a>(context: &Context<'a, Ferronic>) -> Result<Self::Request<'a>> {
        let attributes = context.attributes();
        Ok(WireSetDoRequest {
            id: attributes
                .get(usize::from(wire::ID))
                .map(|a| a.u32())
                .transpose()?,
            datapath: attributes
                .get(usize::from(wire::DATAPATH))
                .map(|a| Datapath::from_number(a.u32()?))
                .transpose()?,
        })
    }
}

/// An answer to `transaction-begin`, and what notifications of it say.
#[derive(Clone, Default)]
pub(crate) struct TransactionBeginReply {
    /// Generation of the namespace: in the answer to transaction-begin that
    /// at the time, in transaction-commit that which it must be.
    pub(crate) generation: Option<u64>,
    /// Generation of the namespace's chains: as `generation`.
    pub(crate) chain_generation: Option<u64>,
}

impl TransactionBeginReply {
    /// Nothing is known.
    pub(crate) const NONE: Self = Self {
        generation: None,
        chain_generation: None,
    };

    /// Writes it.
    ///
    /// # Errors
    ///
    /// `EMSGSIZE` if there is no room.
    pub(crate) fn put(&self, w: &mut Writer<'_>) -> Result {
        if let Some(value) = self.generation {
            w.uint(transaction::GENERATION, value)?;
        }
        if let Some(value) = self.chain_generation {
            w.uint(transaction::CHAIN_GENERATION, value)?;
        }
        Ok(())
    }
}

/// A request of `transaction-begin`.
pub(crate) struct TransactionBeginDoRequest;

/// Begin a transaction. It belongs to the socket, which can have one, and
/// goes with it. Nothing is changed until transaction-commit.
pub(crate) struct TransactionBeginDo;

impl Spec for TransactionBeginDo {
    type Family = Ferronic;
    type Request<'a> = TransactionBeginDoRequest;
    const COMMAND: u8 = 11;
    const PERMISSION: Permission = Permission::NamespaceAdmin;
    const POLICY: &'static [Policy] = &[];

    fn parse<'a>(_: &Context<'a, Ferronic>) -> Result<Self::Request<'a>> {
        Ok(TransactionBeginDoRequest)
    }
}

/// A request of `transaction-add`.
pub(crate) struct TransactionAddDoRequest<'a> {
    /// As in port-set.
    pub(crate) port: Nests<'a, PortChangeItem<'a>>,
    /// As in wire-set.
    pub(crate) wire: Nests<'a, WireChangeItem<'a>>,
}

/// Add changes to the socket's transaction: all that the message holds, or
/// none. Changes of chains and rules are added by their own commands, with
/// the flag `transaction`.
pub(crate) struct TransactionAddDo;

impl Spec for TransactionAddDo {
    type Family = Ferronic;
    type Request<'a> = TransactionAddDoRequest<'a>;
    const COMMAND: u8 = 12;
    const PERMISSION: Permission = Permission::NamespaceAdmin;
    const POLICY: &'static [Policy] = &[
        Policy::UNSPEC,
        Policy::UNSPEC,
        Policy::nested(PORT_CHANGE_POLICY),
        Policy::nested(WIRE_CHANGE_POLICY),
    ];
    const MULTI: &'static [u16] = &[transaction::PORT, transaction::WIRE];

    fn parse<'a>(context: &Context<'a, Ferronic>) -> Result<Self::Request<'a>> {
        Ok(TransactionAddDoRequest {
            port: context.nests(transaction::PORT),
            wire: context.nests(transaction::WIRE),
        })
    }
}

/// A request of `transaction-commit`.
pub(crate) struct TransactionCommitDoRequest {
    /// Generation of the namespace: in the answer to transaction-begin that
    /// at the time, in transaction-commit that which it must be.
    pub(crate) generation: Option<u64>,
    /// Generation of the namespace's chains: as `generation`.
    pub(crate) chain_generation: Option<u64>,
}

/// Make all changes of the socket's transaction, or none; it is over either
/// way. With `generation` or `chain-generation`, only if the namespace is
/// still of those.
pub(crate) struct TransactionCommitDo;

impl Spec for TransactionCommitDo {
    type Family = Ferronic;
    type Request<'a> = TransactionCommitDoRequest;
    const COMMAND: u8 = 13;
    const PERMISSION: Permission = Permission::NamespaceAdmin;
    const POLICY: &'static [Policy] = &[
        Policy::UNSPEC,
        Policy::UINT,
        Policy::UNSPEC,
        Policy::UNSPEC,
        Policy::UINT,
    ];

    fn parse<'a>(context: &Context<'a, Ferronic>) -> Result<Self::Request<'a>> {
        let attributes = context.attributes();
        Ok(TransactionCommitDoRequest {
            generation: attributes
                .get(usize::from(transaction::GENERATION))
                .map(|a| a.uint())
                .transpose()?,
            chain_generation: attributes
                .get(usize::from(transaction::CHAIN_GENERATION))
                .map(|a| a.uint())
                .transpose()?,
        })
    }
}

/// A request of `transaction-abort`.
pub(crate) struct TransactionAbortDoRequest;

/// Forget the socket's transaction.
pub(crate) struct TransactionAbortDo;

impl Spec for TransactionAbortDo {
    type Family = Ferronic;
    type Request<'a> = TransactionAbortDoRequest;
    const COMMAND: u8 = 14;
    const PERMISSION: Permission = Permission::NamespaceAdmin;
    const POLICY: &'static [Policy] = &[];

    fn parse<'a>(_: &Context<'a, Ferronic>) -> Result<Self::Request<'a>> {
        Ok(TransactionAbortDoRequest)
    }
}

/// An answer to `chain-get`, and what notifications of it say.
#[derive(Clone, Default)]
pub(crate) struct ChainGetReply<'a> {
    /// What it is called in its namespace: printable ASCII characters, without
    /// spaces.
    pub(crate) name: Option<&'a CStr>,
    /// Generation of the namespace's chains when the message was written.
    pub(crate) generation: Option<u64>,
    /// Which packets come to it.
    pub(crate) family: Option<ChainFamily>,
    /// Where it is.
    pub(crate) hook: Option<Hook>,
    /// Where among the hooks of that point: the lowest comes first. What the
    /// kernel does itself is at -400 (defragmentation), -200 (connection
    /// tracking), -100 and 100 (address translation).
    pub(crate) priority: Option<i32>,
    /// Number of the network device, for ingress and egress.
    pub(crate) ifindex: Option<u32>,
    /// What becomes of packets that no rule decides on.
    pub(crate) policy: Option<ChainPolicy>,
    /// How many rules it has.
    pub(crate) rules: Option<u32>,
    /// How many different sets of fields, and bits of them, those look at: what
    /// a look-up costs grows with this.
    pub(crate) shapes: Option<u32>,
    /// Packets that no rule decided on.
    pub(crate) packets: Option<u64>,
    /// Their bytes.
    pub(crate) bytes: Option<u64>,
    /// Packets that it holds now, delayed or to be overtaken.
    pub(crate) held: Option<u32>,
    /// Packets that were dropped, as it held as many as it may.
    pub(crate) overflows: Option<u64>,
    /// Packets that went on at once, as they could not have been resumed: a
    /// device is going, or XDP, a VRF or a bridge has a part in them.
    pub(crate) unheld: Option<u64>,
    /// Super frames that went on whole though a rule was for one segment:
    /// they open a connection, or there was no memory.
    pub(crate) uncut: Option<u64>,
    /// At ingress or egress of all devices that the namespace has, and of
    /// those that come.
    pub(crate) any_device: bool,
    /// At how many devices it is.
    pub(crate) devices: Option<u32>,
    /// Devices that have come since, and that it could not be attached to, as
    /// their hook had all the chains that it may have, or memory was short.
    pub(crate) missed: Option<u64>,
    /// Packets that it held, or took apart, and that were dropped then, as the
    /// hook or a device that they need was gone, and copies not made.
    pub(crate) lost: Option<u64>,
    /// Bytes that its rules take, as allocated: what a look-up needs, what
    /// users see of them, what all CPUs share of their counters.
    pub(crate) memory: Option<u64>,
    /// Bytes that the counters of its rules take for the CPUs there can be, as
    /// allocated. Room is made for 256 rules at a time.
    pub(crate) counter_memory: Option<u64>,
}

impl ChainGetReply<'_> {
    /// Nothing is known.
    pub(crate) const NONE: Self = Self {
        name: None,
        generation: None,
        family: None,
        hook: None,
        priority: None,
        ifindex: None,
        policy: None,
        rules: None,
        shapes: None,
        packets: None,
        bytes: None,
        held: None,
        overflows: None,
        unheld: None,
        uncut: None,
        any_device: false,
        devices: None,
        missed: None,
        lost: None,
        memory: None,
        counter_memory: None,
    };

    /// Writes it.
    ///
    /// # Errors
    ///
    /// `EMSGSIZE` if there is no room.
    pub(crate) fn put(&self, w: &mut Writer<'_>) -> Result {
        if let Some(value) = self.name {
            w.string(chain::NAME, value)?;
        }
        if let Some(value) = self.generation {
            w.uint(chain::GENERATION, value)?;
        }
        if let Some(value) = self.family {
            w.u32(chain::FAMILY, value as u32)?;
        }
        if let Some(value) = self.hook {
            w.u32(chain::HOOK, value as u32)?;
        }
        if let Some(value) = self.priority {
            w.s32(chain::PRIORITY, value)?;
        }
        if let Some(value) = self.ifindex {
            w.u32(chain::IFINDEX, value)?;
        }
        if let Some(value) = self.policy {
            w.u32(chain::POLICY, value as u32)?;
        }
        if let Some(value) = self.rules {
            w.u32(chain::RULES, value)?;
        }
        if let Some(value) = self.shapes {
            w.u32(chain::SHAPES, value)?;
        }
        if let Some(value) = self.packets {
            w.uint(chain::PACKETS, value)?;
        }
        if let Some(value) = self.bytes {
            w.uint(chain::BYTES, value)?;
        }
        if let Some(value) = self.held {
            w.u32(chain::HELD, value)?;
        }
        if let Some(value) = self.overflows {
            w.uint(chain::OVERFLOWS, value)?;
        }
        if let Some(value) = self.unheld {
            w.uint(chain::UNHELD, value)?;
        }
        if let Some(value) = self.uncut {
            w.uint(chain::UNCUT, value)?;
        }
        if self.any_device {
            w.flag(chain::ANY_DEVICE)?;
        }
        if let Some(value) = self.devices {
            w.u32(chain::DEVICES, value)?;
        }
        if let Some(value) = self.missed {
            w.uint(chain::MISSED, value)?;
        }
        if let Some(value) = self.lost {
            w.uint(chain::LOST, value)?;
        }
        if let Some(value) = self.memory {
            w.uint(chain::MEMORY, value)?;
        }
        if let Some(value) = self.counter_memory {
            w.uint(chain::COUNTER_MEMORY, value)?;
        }
        Ok(())
    }
}

/// A request of `chain-get`.
pub(crate) struct ChainGetDoRequest<'a> {
    /// What it is called in its namespace: printable ASCII characters, without
    /// spaces.
    pub(crate) name: Option<&'a CStr>,
}

/// Get a chain, or dump all of the namespace.
pub(crate) struct ChainGetDo;

impl Spec for ChainGetDo {
    type Family = Ferronic;
    type Request<'a> = ChainGetDoRequest<'a>;
    const COMMAND: u8 = 15;
    const PERMISSION: Permission = Permission::NamespaceAdmin;
    const POLICY: &'static [Policy] = &[Policy::UNSPEC, Policy::string(31)];

    fn parse<'a>(context: &Context<'a, Ferronic>) -> Result<Self::Request<'a>> {
        let attributes = context.attributes();
        Ok(ChainGetDoRequest {
            name: attributes
                .get(usize::from(chain::NAME))
                .map(|a| a.string())
                .transpose()?,
        })
    }
}

/// A request of `chain-get` for a dump.
pub(crate) struct ChainGetDumpRequest;

/// Get a chain, or dump all of the namespace.
pub(crate) struct ChainGetDump;

impl Spec for ChainGetDump {
    type Family = Ferronic;
    type Request<'a> = ChainGetDumpRequest;
    const COMMAND: u8 = 15;
    const PERMISSION: Permission = Permission::NamespaceAdmin;
    const POLICY: &'static [Policy] = &[];

    fn parse<'a>(_: &Context<'a, Ferronic>) -> Result<Self::Request<'a>> {
        Ok(ChainGetDumpRequest)
    }
}

/// A request of `chain-add`.
pub(crate) struct ChainAddDoRequest<'a> {
    /// What it is called in its namespace: printable ASCII characters, without
    /// spaces.
    pub(crate) name: Option<&'a CStr>,
    /// Which packets come to it.
    pub(crate) family: Option<ChainFamily>,
    /// Where it is.
    pub(crate) hook: Option<Hook>,
    /// Where among the hooks of that point: the lowest comes first. What the
    /// kernel does itself is at -400 (defragmentation), -200 (connection
    /// tracking), -100 and 100 (address translation).
    pub(crate) priority: Option<i32>,
    /// Number of the network device, for ingress and egress.
    pub(crate) ifindex: Option<u32>,
    /// At ingress or egress of all devices that the namespace has, and of
    /// those that come.
    pub(crate) any_device: bool,
    /// What becomes of packets that no rule decides on.
    pub(crate) policy: Option<ChainPolicy>,
    /// Add this change to the socket's transaction, to be made when that is
    /// committed. It is only looked at then, and has no other answer.
    pub(crate) transaction: bool,
}

/// Attach a new chain, without rules, to a hook. At a device it goes when
/// that goes, or moves to another namespace; with `any-device` it stays.
pub(crate) struct ChainAddDo;

impl Spec for ChainAddDo {
    type Family = Ferronic;
    type Request<'a> = ChainAddDoRequest<'a>;
    const COMMAND: u8 = 16;
    const PERMISSION: Permission = Permission::NamespaceAdmin;
    const POLICY: &'static [Policy] = &[
        Policy::UNSPEC,
        Policy::string(31),
        Policy::UNSPEC,
        Policy::u32_in(&CHAIN_FAMILY_RANGE),
        Policy::u32_in(&CHAIN_HOOK_RANGE),
        Policy::S32,
        Policy::u32_in(&CHAIN_IFINDEX_RANGE),
        Policy::u32_in(&CHAIN_POLICY_RANGE),
        Policy::UNSPEC,
        Policy::UNSPEC,
        Policy::UNSPEC,
        Policy::UNSPEC,
        Policy::FLAG,
        Policy::UNSPEC,
        Policy::UNSPEC,
        Policy::UNSPEC,
        Policy::UNSPEC,
        Policy::FLAG,
    ];

    fn parse<'a>(context: &Context<'a, Ferronic>) -> Result<Self::Request<'a>> {
        let attributes = context.attributes();
        Ok(ChainAddDoRequest {
            name: attributes
                .get(usize::from(chain::NAME))
                .map(|a| a.string())
                .transpose()?,
            family: attributes
                .get(usize::from(chain::FAMILY))
                .map(|a| ChainFamily::from_number(a.u32()?))
                .transpose()?,
            hook: attributes
                .get(usize::from(chain::HOOK))
                .map(|a| Hook::from_number(a.u32()?))
                .transpose()?,
            priority: attributes
                .get(usize::from(chain::PRIORITY))
                .map(|a| a.s32())
                .transpose()?,
            ifindex: attributes
                .get(usize::from(chain::IFINDEX))
                .map(|a| a.u32())
                .transpose()?,
            any_device: attributes.get(usize::from(chain::ANY_DEVICE)).is_some(),
            policy: attributes
                .get(usize::from(chain::POLICY))
                .map(|a| ChainPolicy::from_number(a.u32()?))
                .transpose()?,
            transaction: attributes.get(usize::from(chain::TRANSACTION)).is_some(),
        })
    }
}

/// A request of `chain-set`.
pub(crate) struct ChainSetDoRequest<'a> {
    /// What it is called in its namespace: printable ASCII characters, without
    /// spaces.
    pub(crate) name: Option<&'a CStr>,
    /// What becomes of packets that no rule decides on.
    pub(crate) policy: Option<ChainPolicy>,
    /// Add this change to the socket's transaction, to be made when that is
    /// committed. It is only looked at then, and has no other answer.
    pub(crate) transaction: bool,
}

/// Change a chain's policy.
pub(crate) struct ChainSetDo;

impl Spec for ChainSetDo {
    type Family = Ferronic;
    type Request<'a> = ChainSetDoRequest<'a>;
    const COMMAND: u8 = 17;
    const PERMISSION: Permission = Permission::NamespaceAdmin;
    const POLICY: &'static [Policy] = &[
        Policy::UNSPEC,
        Policy::string(31),
        Policy::UNSPEC,
        Policy::UNSPEC,
        Policy::UNSPEC,
        Policy::UNSPEC,
        Policy::UNSPEC,
        Policy::u32_in(&CHAIN_POLICY_RANGE),
        Policy::UNSPEC,
        Policy::UNSPEC,
        Policy::UNSPEC,
        Policy::UNSPEC,
        Policy::FLAG,
    ];

    fn parse<'a>(context: &Context<'a, Ferronic>) -> Result<Self::Request<'a>> {
        let attributes = context.attributes();
        Ok(ChainSetDoRequest {
            name: attributes
                .get(usize::from(chain::NAME))
                .map(|a| a.string())
                .transpose()?,
            policy: attributes
                .get(usize::from(chain::POLICY))
                .map(|a| ChainPolicy::from_number(a.u32()?))
                .transpose()?,
            transaction: attributes.get(usize::from(chain::TRANSACTION)).is_some(),
        })
    }
}

/// A request of `chain-del`.
pub(crate) struct ChainDelDoRequest<'a> {
    /// What it is called in its namespace: printable ASCII characters, without
    /// spaces.
    pub(crate) name: Option<&'a CStr>,
    /// Add this change to the socket's transaction, to be made when that is
    /// committed. It is only looked at then, and has no other answer.
    pub(crate) transaction: bool,
}

/// Detach a chain; its rules go with it.
pub(crate) struct ChainDelDo;

impl Spec for ChainDelDo {
    type Family = Ferronic;
    type Request<'a> = ChainDelDoRequest<'a>;
    const COMMAND: u8 = 18;
    const PERMISSION: Permission = Permission::NamespaceAdmin;
    const POLICY: &'static [Policy] = &[
        Policy::UNSPEC,
        Policy::string(31),
        Policy::UNSPEC,
        Policy::UNSPEC,
        Policy::UNSPEC,
        Policy::UNSPEC,
        Policy::UNSPEC,
        Policy::UNSPEC,
        Policy::UNSPEC,
        Policy::UNSPEC,
        Policy::UNSPEC,
        Policy::UNSPEC,
        Policy::FLAG,
    ];

    fn parse<'a>(context: &Context<'a, Ferronic>) -> Result<Self::Request<'a>> {
        let attributes = context.attributes();
        Ok(ChainDelDoRequest {
            name: attributes
                .get(usize::from(chain::NAME))
                .map(|a| a.string())
                .transpose()?,
            transaction: attributes.get(usize::from(chain::TRANSACTION)).is_some(),
        })
    }
}

/// An answer to `rule-get`, and what notifications of it say.
#[derive(Clone, Default)]
pub(crate) struct RuleGetReply<'a> {
    /// The chain it is in.
    pub(crate) chain: Option<&'a CStr>,
    /// What it is known by; never given again in the chain.
    pub(crate) handle: Option<u32>,
    /// As of a chain.
    pub(crate) generation: Option<u64>,
    /// Number of rules before it.
    pub(crate) position: Option<u32>,
    /// What a packet has to fulfil, all of it.
    pub(crate) term: &'a [Term],
    /// What it does with them; `continue` if nothing is said.
    pub(crate) action: Option<Action>,
    /// See the action set-mark.
    pub(crate) mark: Option<u32>,
    /// Bits of the mark that change; all if nothing is said.
    pub(crate) mark_mask: Option<u32>,
    /// See the action set-dscp.
    pub(crate) dscp: Option<u32>,
    /// See the action set-ecn.
    pub(crate) ecn: Option<u32>,
    /// See the action queue.
    pub(crate) queue: Option<u32>,
    /// A packet for a queue that nobody listens on is accepted.
    pub(crate) bypass: bool,
    /// See the action sample.
    pub(crate) snap: Option<u32>,
    /// See the action corrupt.
    pub(crate) bits: Option<u32>,
    /// First byte that the action corrupt may change.
    pub(crate) offset: Option<u32>,
    /// See the action truncate.
    pub(crate) length: Option<u32>,
    /// See the action duplicate; 1 if nothing is said.
    pub(crate) copies: Option<u32>,
    /// See the action delay, nanoseconds.
    pub(crate) delay: Option<u64>,
    /// See the action delay, nanoseconds; at most `delay`, and both together
    /// not more than a minute.
    pub(crate) jitter: Option<u64>,
    /// See the action reorder; 1 if nothing is said.
    pub(crate) gap: Option<u32>,
    /// See the action reorder, nanoseconds; 100 ms if nothing is said.
    pub(crate) timeout: Option<u64>,
    /// It acts for this one of the packets that match, counted from 1.
    pub(crate) nth: Option<u32>,
    /// It acts for every one whose number is a multiple of this.
    pub(crate) every: Option<u32>,
    /// It acts with this probability, in parts of 2^32.
    pub(crate) probability: Option<u32>,
    /// What probability, jitter and corruption are drawn from: the same seed,
    /// the same packets.
    pub(crate) seed: Option<u64>,
    /// It acts for at most so many a second.
    pub(crate) rate: Option<u64>,
    /// As many can come at once after a pause.
    pub(crate) burst: Option<u32>,
    /// The rate counts bytes rather than packets.
    pub(crate) rate_bytes: bool,
    /// It acts so many times, then never again.
    pub(crate) at_most: Option<u32>,
    /// A super frame counts as the segments it stands for.
    pub(crate) segments: bool,
    /// An event each time it acts, packet-ntf, that shows so many bytes of the
    /// packet.
    pub(crate) notify: Option<u32>,
    /// Why the action drop drops, one of the kernel's reasons as tracing shows
    /// them, such as TCP_CSUM; NETFILTER_DROP if nothing is said.
    pub(crate) drop_reason: Option<&'a CStr>,
    /// Packets that matched.
    pub(crate) packets: Option<u64>,
    /// Their bytes.
    pub(crate) bytes: Option<u64>,
    /// How often it acted.
    pub(crate) acted: Option<u64>,
}

impl RuleGetReply<'_> {
    /// Nothing is known.
    pub(crate) const NONE: Self = Self {
        chain: None,
        handle: None,
        generation: None,
        position: None,
        term: &[],
        action: None,
        mark: None,
        mark_mask: None,
        dscp: None,
        ecn: None,
        queue: None,
        bypass: false,
        snap: None,
        bits: None,
        offset: None,
        length: None,
        copies: None,
        delay: None,
        jitter: None,
        gap: None,
        timeout: None,
        nth: None,
        every: None,
        probability: None,
        seed: None,
        rate: None,
        burst: None,
        rate_bytes: false,
        at_most: None,
        segments: false,
        notify: None,
        drop_reason: None,
        packets: None,
        bytes: None,
        acted: None,
    };

    /// Writes it.
    ///
    /// # Errors
    ///
    /// `EMSGSIZE` if there is no room.
    pub(crate) fn put(&self, w: &mut Writer<'_>) -> Result {
        if let Some(value) = self.chain {
            w.string(rule::CHAIN, value)?;
        }
        if let Some(value) = self.handle {
            w.u32(rule::HANDLE, value)?;
        }
        if let Some(value) = self.generation {
            w.uint(rule::GENERATION, value)?;
        }
        if let Some(value) = self.position {
            w.u32(rule::POSITION, value)?;
        }
        for value in self.term {
            let mut nest = w.nest(rule::TERM)?;
            value.put(&mut nest)?;
            nest.end();
        }
        if let Some(value) = self.action {
            w.u32(rule::ACTION, value as u32)?;
        }
        if let Some(value) = self.mark {
            w.u32(rule::MARK, value)?;
        }
        if let Some(value) = self.mark_mask {
            w.u32(rule::MARK_MASK, value)?;
        }
        if let Some(value) = self.dscp {
            w.u32(rule::DSCP, value)?;
        }
        if let Some(value) = self.ecn {
            w.u32(rule::ECN, value)?;
        }
        if let Some(value) = self.queue {
            w.u32(rule::QUEUE, value)?;
        }
        if self.bypass {
            w.flag(rule::BYPASS)?;
        }
        if let Some(value) = self.snap {
            w.u32(rule::SNAP, value)?;
        }
        if let Some(value) = self.bits {
            w.u32(rule::BITS, value)?;
        }
        if let Some(value) = self.offset {
            w.u32(rule::OFFSET, value)?;
        }
        if let Some(value) = self.length {
            w.u32(rule::LENGTH, value)?;
        }
        if let Some(value) = self.copies {
            w.u32(rule::COPIES, value)?;
        }
        if let Some(value) = self.delay {
            w.uint(rule::DELAY, value)?;
        }
        if let Some(value) = self.jitter {
            w.uint(rule::JITTER, value)?;
        }
        if let Some(value) = self.gap {
            w.u32(rule::GAP, value)?;
        }
        if let Some(value) = self.timeout {
            w.uint(rule::TIMEOUT, value)?;
        }
        if let Some(value) = self.nth {
            w.u32(rule::NTH, value)?;
        }
        if let Some(value) = self.every {
            w.u32(rule::EVERY, value)?;
        }
        if let Some(value) = self.probability {
            w.u32(rule::PROBABILITY, value)?;
        }
        if let Some(value) = self.seed {
            w.uint(rule::SEED, value)?;
        }
        if let Some(value) = self.rate {
            w.uint(rule::RATE, value)?;
        }
        if let Some(value) = self.burst {
            w.u32(rule::BURST, value)?;
        }
        if self.rate_bytes {
            w.flag(rule::RATE_BYTES)?;
        }
        if let Some(value) = self.at_most {
            w.u32(rule::AT_MOST, value)?;
        }
        if self.segments {
            w.flag(rule::SEGMENTS)?;
        }
        if let Some(value) = self.notify {
            w.u32(rule::NOTIFY, value)?;
        }
        if let Some(value) = self.drop_reason {
            w.string(rule::DROP_REASON, value)?;
        }
        if let Some(value) = self.packets {
            w.uint(rule::PACKETS, value)?;
        }
        if let Some(value) = self.bytes {
            w.uint(rule::BYTES, value)?;
        }
        if let Some(value) = self.acted {
            w.uint(rule::ACTED, value)?;
        }
        Ok(())
    }
}

/// A request of `rule-get`.
pub(crate) struct RuleGetDoRequest<'a> {
    /// The chain it is in.
    pub(crate) chain: Option<&'a CStr>,
    /// What it is known by; never given again in the chain.
    pub(crate) handle: Option<u32>,
}

/// Get a rule and what it has counted, or dump those of a chain, or of all
/// chains, in their order.
pub(crate) struct RuleGetDo;

impl Spec for RuleGetDo {
    type Family = Ferronic;
    type Request<'a> = RuleGetDoRequest<'a>;
    const COMMAND: u8 = 19;
    const PERMISSION: Permission = Permission::NamespaceAdmin;
    const POLICY: &'static [Policy] = &[Policy::UNSPEC, Policy::string(31), Policy::U32];

    fn parse<'a>(context: &Context<'a, Ferronic>) -> Result<Self::Request<'a>> {
        let attributes = context.attributes();
        Ok(RuleGetDoRequest {
            chain: attributes
                .get(usize::from(rule::CHAIN))
                .map(|a| a.string())
                .transpose()?,
            handle: attributes
                .get(usize::from(rule::HANDLE))
                .map(|a| a.u32())
                .transpose()?,
        })
    }
}

/// A request of `rule-get` for a dump.
pub(crate) struct RuleGetDumpRequest<'a> {
    /// The chain it is in.
    pub(crate) chain: Option<&'a CStr>,
}

/// Get a rule and what it has counted, or dump those of a chain, or of all
/// chains, in their order.
pub(crate) struct RuleGetDump;

impl Spec for RuleGetDump {
    type Family = Ferronic;
    type Request<'a> = RuleGetDumpRequest<'a>;
    const COMMAND: u8 = 19;
    const PERMISSION: Permission = Permission::NamespaceAdmin;
    const POLICY: &'static [Policy] = &[Policy::UNSPEC, Policy::string(31)];

    fn parse<'a>(context: &Context<'a, Ferronic>) -> Result<Self::Request<'a>> {
        let attributes = context.attributes();
        Ok(RuleGetDumpRequest {
            chain: attributes
                .get(usize::from(rule::CHAIN))
                .map(|a| a.string())
                .transpose()?,
        })
    }
}

/// An answer to `rule-add`, and what notifications of it say.
#[derive(Clone, Default)]
pub(crate) struct RuleAddReply<'a> {
    /// The chain it is in.
    pub(crate) chain: Option<&'a CStr>,
    /// What it is known by; never given again in the chain.
    pub(crate) handle: Option<u32>,
    /// As of a chain.
    pub(crate) generation: Option<u64>,
}

impl RuleAddReply<'_> {
    /// Nothing is known.
    pub(crate) const NONE: Self = Self {
        chain: None,
        handle: None,
        generation: None,
    };

    /// Writes it.
    ///
    /// # Errors
    ///
    /// `EMSGSIZE` if there is no room.
    pub(crate) fn put(&self, w: &mut Writer<'_>) -> Result {
        if let Some(value) = self.chain {
            w.string(rule::CHAIN, value)?;
        }
        if let Some(value) = self.handle {
            w.u32(rule::HANDLE, value)?;
        }
        if let Some(value) = self.generation {
            w.uint(rule::GENERATION, value)?;
        }
        Ok(())
    }
}

/// A request of `rule-add`.
pub(crate) struct RuleAddDoRequest<'a> {
    /// The chain it is in.
    pub(crate) chain: Option<&'a CStr>,
    /// Number of rules before it.
    pub(crate) position: Option<u32>,
    /// Handle of the rule it is to come before.
    pub(crate) before: Option<u32>,
    /// What a packet has to fulfil, all of it.
    pub(crate) term: Nests<'a, TermItem<'a>>,
    /// What it does with them; `continue` if nothing is said.
    pub(crate) action: Option<Action>,
    /// See the action set-mark.
    pub(crate) mark: Option<u32>,
    /// Bits of the mark that change; all if nothing is said.
    pub(crate) mark_mask: Option<u32>,
    /// See the action set-dscp.
    pub(crate) dscp: Option<u32>,
    /// See the action set-ecn.
    pub(crate) ecn: Option<u32>,
    /// See the action queue.
    pub(crate) queue: Option<u32>,
    /// A packet for a queue that nobody listens on is accepted.
    pub(crate) bypass: bool,
    /// See the action sample.
    pub(crate) snap: Option<u32>,
    /// See the action corrupt.
    pub(crate) bits: Option<u32>,
    /// First byte that the action corrupt may change.
    pub(crate) offset: Option<u32>,
    /// See the action truncate.
    pub(crate) length: Option<u32>,
    /// See the action duplicate; 1 if nothing is said.
    pub(crate) copies: Option<u32>,
    /// See the action delay, nanoseconds.
    pub(crate) delay: Option<u64>,
    /// See the action delay, nanoseconds; at most `delay`, and both together
    /// not more than a minute.
    pub(crate) jitter: Option<u64>,
    /// See the action reorder; 1 if nothing is said.
    pub(crate) gap: Option<u32>,
    /// See the action reorder, nanoseconds; 100 ms if nothing is said.
    pub(crate) timeout: Option<u64>,
    /// It acts for this one of the packets that match, counted from 1.
    pub(crate) nth: Option<u32>,
    /// It acts for every one whose number is a multiple of this.
    pub(crate) every: Option<u32>,
    /// It acts with this probability, in parts of 2^32.
    pub(crate) probability: Option<u32>,
    /// What probability, jitter and corruption are drawn from: the same seed,
    /// the same packets.
    pub(crate) seed: Option<u64>,
    /// It acts for at most so many a second.
    pub(crate) rate: Option<u64>,
    /// As many can come at once after a pause.
    pub(crate) burst: Option<u32>,
    /// The rate counts bytes rather than packets.
    pub(crate) rate_bytes: bool,
    /// It acts so many times, then never again.
    pub(crate) at_most: Option<u32>,
    /// A super frame counts as the segments it stands for.
    pub(crate) segments: bool,
    /// An event each time it acts, packet-ntf, that shows so many bytes of the
    /// packet.
    pub(crate) notify: Option<u32>,
    /// Why the action drop drops, one of the kernel's reasons as tracing shows
    /// them, such as TCP_CSUM; NETFILTER_DROP if nothing is said.
    pub(crate) drop_reason: Option<&'a CStr>,
    /// Add this change to the socket's transaction, to be made when that is
    /// committed. It is only looked at then, and has no other answer.
    pub(crate) transaction: bool,
}

/// Add a rule to a chain: behind all others, or where `position` or `before`
/// say. The answer says which handle it has.
pub(crate) struct RuleAddDo;

impl Spec for RuleAddDo {
    type Family = Ferronic;
    type Request<'a> = RuleAddDoRequest<'a>;
    const COMMAND: u8 = 20;
    const PERMISSION: Permission = Permission::NamespaceAdmin;
    const POLICY: &'static [Policy] = &[
        Policy::UNSPEC,
        Policy::string(31),
        Policy::UNSPEC,
        Policy::UNSPEC,
        Policy::U32,
        Policy::U32,
        Policy::nested(TERM_POLICY),
        Policy::u32_in(&RULE_ACTION_RANGE),
        Policy::U32,
        Policy::U32,
        Policy::u32_in(&RULE_DSCP_RANGE),
        Policy::u32_in(&RULE_ECN_RANGE),
        Policy::u32_in(&RULE_QUEUE_RANGE),
        Policy::FLAG,
        Policy::u32_in(&RULE_SNAP_RANGE),
        Policy::u32_in(&RULE_BITS_RANGE),
        Policy::u32_in(&RULE_OFFSET_RANGE),
        Policy::U32,
        Policy::u32_in(&RULE_COPIES_RANGE),
        Policy::uint_in(&RULE_DELAY_RANGE),
        Policy::uint_in(&RULE_JITTER_RANGE),
        Policy::u32_in(&RULE_GAP_RANGE),
        Policy::uint_in(&RULE_TIMEOUT_RANGE),
        Policy::u32_in(&RULE_NTH_RANGE),
        Policy::u32_in(&RULE_EVERY_RANGE),
        Policy::u32_in(&RULE_PROBABILITY_RANGE),
        Policy::UINT,
        Policy::uint_in(&RULE_RATE_RANGE),
        Policy::u32_in(&RULE_BURST_RANGE),
        Policy::FLAG,
        Policy::u32_in(&RULE_AT_MOST_RANGE),
        Policy::FLAG,
        Policy::UNSPEC,
        Policy::UNSPEC,
        Policy::UNSPEC,
        Policy::FLAG,
        Policy::u32_in(&RULE_NOTIFY_RANGE),
        Policy::string(63),
    ];
    const MULTI: &'static [u16] = &[rule::TERM];

    fn parse<'a>(context: &Context<'a, Ferronic>) -> Result<Self::Request<'a>> {
        let attributes = context.attributes();
        Ok(RuleAddDoRequest {
            chain: attributes
                .get(usize::from(rule::CHAIN))
                .map(|a| a.string())
                .transpose()?,
            position: attributes
                .get(usize::from(rule::POSITION))
                .map(|a| a.u32())
                .transpose()?,
            before: attributes
                .get(usize::from(rule::BEFORE))
                .map(|a| a.u32())
                .transpose()?,
            term: context.nests(rule::TERM),
            action: attributes
                .get(usize::from(rule::ACTION))
                .map(|a| Action::from_number(a.u32()?))
                .transpose()?,
            mark: attributes
                .get(usize::from(rule::MARK))
                .map(|a| a.u32())
                .transpose()?,
            mark_mask: attributes
                .get(usize::from(rule::MARK_MASK))
                .map(|a| a.u32())
                .transpose()?,
            dscp: attributes
                .get(usize::from(rule::DSCP))
                .map(|a| a.u32())
                .transpose()?,
            ecn: attributes
                .get(usize::from(rule::ECN))
                .map(|a| a.u32())
                .transpose()?,
            queue: attributes
                .get(usize::from(rule::QUEUE))
                .map(|a| a.u32())
                .transpose()?,
            bypass: attributes.get(usize::from(rule::BYPASS)).is_some(),
            snap: attributes
                .get(usize::from(rule::SNAP))
                .map(|a| a.u32())
                .transpose()?,
            bits: attributes
                .get(usize::from(rule::BITS))
                .map(|a| a.u32())
                .transpose()?,
            offset: attributes
                .get(usize::from(rule::OFFSET))
                .map(|a| a.u32())
                .transpose()?,
            length: attributes
                .get(usize::from(rule::LENGTH))
                .map(|a| a.u32())
                .transpose()?,
            copies: attributes
                .get(usize::from(rule::COPIES))
                .map(|a| a.u32())
                .transpose()?,
            delay: attributes
                .get(usize::from(rule::DELAY))
                .map(|a| a.uint())
                .transpose()?,
            jitter: attributes
                .get(usize::from(rule::JITTER))
                .map(|a| a.uint())
                .transpose()?,
            gap: attributes
                .get(usize::from(rule::GAP))
                .map(|a| a.u32())
                .transpose()?,
            timeout: attributes
                .get(usize::from(rule::TIMEOUT))
                .map(|a| a.uint())
                .transpose()?,
            nth: attributes
                .get(usize::from(rule::NTH))
                .map(|a| a.u32())
                .transpose()?,
            every: attributes
                .get(usize::from(rule::EVERY))
                .map(|a| a.u32())
                .transpose()?,
            probability: attributes
                .get(usize::from(rule::PROBABILITY))
                .map(|a| a.u32())
                .transpose()?,
            seed: attributes
                .get(usize::from(rule::SEED))
                .map(|a| a.uint())
                .transpose()?,
            rate: attributes
                .get(usize::from(rule::RATE))
                .map(|a| a.uint())
                .transpose()?,
            burst: attributes
                .get(usize::from(rule::BURST))
                .map(|a| a.u32())
                .transpose()?,
            rate_bytes: attributes.get(usize::from(rule::RATE_BYTES)).is_some(),
            at_most: attributes
                .get(usize::from(rule::AT_MOST))
                .map(|a| a.u32())
                .transpose()?,
            segments: attributes.get(usize::from(rule::SEGMENTS)).is_some(),
            notify: attributes
                .get(usize::from(rule::NOTIFY))
                .map(|a| a.u32())
                .transpose()?,
            drop_reason: attributes
                .get(usize::from(rule::DROP_REASON))
                .map(|a| a.string())
                .transpose()?,
            transaction: attributes.get(usize::from(rule::TRANSACTION)).is_some(),
        })
    }
}

/// A request of `rule-replace`.
pub(crate) struct RuleReplaceDoRequest<'a> {
    /// The chain it is in.
    pub(crate) chain: Option<&'a CStr>,
    /// What it is known by; never given again in the chain.
    pub(crate) handle: Option<u32>,
    /// What a packet has to fulfil, all of it.
    pub(crate) term: Nests<'a, TermItem<'a>>,
    /// What it does with them; `continue` if nothing is said.
    pub(crate) action: Option<Action>,
    /// See the action set-mark.
    pub(crate) mark: Option<u32>,
    /// Bits of the mark that change; all if nothing is said.
    pub(crate) mark_mask: Option<u32>,
    /// See the action set-dscp.
    pub(crate) dscp: Option<u32>,
    /// See the action set-ecn.
    pub(crate) ecn: Option<u32>,
    /// See the action queue.
    pub(crate) queue: Option<u32>,
    /// A packet for a queue that nobody listens on is accepted.
    pub(crate) bypass: bool,
    /// See the action sample.
    pub(crate) snap: Option<u32>,
    /// See the action corrupt.
    pub(crate) bits: Option<u32>,
    /// First byte that the action corrupt may change.
    pub(crate) offset: Option<u32>,
    /// See the action truncate.
    pub(crate) length: Option<u32>,
    /// See the action duplicate; 1 if nothing is said.
    pub(crate) copies: Option<u32>,
    /// See the action delay, nanoseconds.
    pub(crate) delay: Option<u64>,
    /// See the action delay, nanoseconds; at most `delay`, and both together
    /// not more than a minute.
    pub(crate) jitter: Option<u64>,
    /// See the action reorder; 1 if nothing is said.
    pub(crate) gap: Option<u32>,
    /// See the action reorder, nanoseconds; 100 ms if nothing is said.
    pub(crate) timeout: Option<u64>,
    /// It acts for this one of the packets that match, counted from 1.
    pub(crate) nth: Option<u32>,
    /// It acts for every one whose number is a multiple of this.
    pub(crate) every: Option<u32>,
    /// It acts with this probability, in parts of 2^32.
    pub(crate) probability: Option<u32>,
    /// What probability, jitter and corruption are drawn from: the same seed,
    /// the same packets.
    pub(crate) seed: Option<u64>,
    /// It acts for at most so many a second.
    pub(crate) rate: Option<u64>,
    /// As many can come at once after a pause.
    pub(crate) burst: Option<u32>,
    /// The rate counts bytes rather than packets.
    pub(crate) rate_bytes: bool,
    /// It acts so many times, then never again.
    pub(crate) at_most: Option<u32>,
    /// A super frame counts as the segments it stands for.
    pub(crate) segments: bool,
    /// An event each time it acts, packet-ntf, that shows so many bytes of the
    /// packet.
    pub(crate) notify: Option<u32>,
    /// Why the action drop drops, one of the kernel's reasons as tracing shows
    /// them, such as TCP_CSUM; NETFILTER_DROP if nothing is said.
    pub(crate) drop_reason: Option<&'a CStr>,
    /// Add this change to the socket's transaction, to be made when that is
    /// committed. It is only looked at then, and has no other answer.
    pub(crate) transaction: bool,
}

/// Put another rule in the place of one, under the same handle. It begins to
/// count anew.
pub(crate) struct RuleReplaceDo;

impl Spec for RuleReplaceDo {
    type Family = Ferronic;
    type Request<'a> = RuleReplaceDoRequest<'a>;
    const COMMAND: u8 = 21;
    const PERMISSION: Permission = Permission::NamespaceAdmin;
    const POLICY: &'static [Policy] = &[
        Policy::UNSPEC,
        Policy::string(31),
        Policy::U32,
        Policy::UNSPEC,
        Policy::UNSPEC,
        Policy::UNSPEC,
        Policy::nested(TERM_POLICY),
        Policy::u32_in(&RULE_ACTION_RANGE),
        Policy::U32,
        Policy::U32,
        Policy::u32_in(&RULE_DSCP_RANGE),
        Policy::u32_in(&RULE_ECN_RANGE),
        Policy::u32_in(&RULE_QUEUE_RANGE),
        Policy::FLAG,
        Policy::u32_in(&RULE_SNAP_RANGE),
        Policy::u32_in(&RULE_BITS_RANGE),
        Policy::u32_in(&RULE_OFFSET_RANGE),
        Policy::U32,
        Policy::u32_in(&RULE_COPIES_RANGE),
        Policy::uint_in(&RULE_DELAY_RANGE),
        Policy::uint_in(&RULE_JITTER_RANGE),
        Policy::u32_in(&RULE_GAP_RANGE),
        Policy::uint_in(&RULE_TIMEOUT_RANGE),
        Policy::u32_in(&RULE_NTH_RANGE),
        Policy::u32_in(&RULE_EVERY_RANGE),
        Policy::u32_in(&RULE_PROBABILITY_RANGE),
        Policy::UINT,
        Policy::uint_in(&RULE_RATE_RANGE),
        Policy::u32_in(&RULE_BURST_RANGE),
        Policy::FLAG,
        Policy::u32_in(&RULE_AT_MOST_RANGE),
        Policy::FLAG,
        Policy::UNSPEC,
        Policy::UNSPEC,
        Policy::UNSPEC,
        Policy::FLAG,
        Policy::u32_in(&RULE_NOTIFY_RANGE),
        Policy::string(63),
    ];
    const MULTI: &'static [u16] = &[rule::TERM];

    fn parse<'a>(context: &Context<'a, Ferronic>) -> Result<Self::Request<'a>> {
        let attributes = context.attributes();
        Ok(RuleReplaceDoRequest {
            chain: attributes
                .get(usize::from(rule::CHAIN))
                .map(|a| a.string())
                .transpose()?,
            handle: attributes
                .get(usize::from(rule::HANDLE))
                .map(|a| a.u32())
                .transpose()?,
            term: context.nests(rule::TERM),
            action: attributes
                .get(usize::from(rule::ACTION))
                .map(|a| Action::from_number(a.u32()?))
                .transpose()?,
            mark: attributes
                .get(usize::from(rule::MARK))
                .map(|a| a.u32())
                .transpose()?,
            mark_mask: attributes
                .get(usize::from(rule::MARK_MASK))
                .map(|a| a.u32())
                .transpose()?,
            dscp: attributes
                .get(usize::from(rule::DSCP))
                .map(|a| a.u32())
                .transpose()?,
            ecn: attributes
                .get(usize::from(rule::ECN))
                .map(|a| a.u32())
                .transpose()?,
            queue: attributes
                .get(usize::from(rule::QUEUE))
                .map(|a| a.u32())
                .transpose()?,
            bypass: attributes.get(usize::from(rule::BYPASS)).is_some(),
            snap: attributes
                .get(usize::from(rule::SNAP))
                .map(|a| a.u32())
                .transpose()?,
            bits: attributes
                .get(usize::from(rule::BITS))
                .map(|a| a.u32())
                .transpose()?,
            offset: attributes
                .get(usize::from(rule::OFFSET))
                .map(|a| a.u32())
                .transpose()?,
            length: attributes
                .get(usize::from(rule::LENGTH))
                .map(|a| a.u32())
                .transpose()?,
            copies: attributes
                .get(usize::from(rule::COPIES))
                .map(|a| a.u32())
                .transpose()?,
            delay: attributes
                .get(usize::from(rule::DELAY))
                .map(|a| a.uint())
                .transpose()?,
            jitter: attributes
                .get(usize::from(rule::JITTER))
                .map(|a| a.uint())
                .transpose()?,
            gap: attributes
                .get(usize::from(rule::GAP))
                .map(|a| a.u32())
                .transpose()?,
            timeout: attributes
                .get(usize::from(rule::TIMEOUT))
                .map(|a| a.uint())
                .transpose()?,
            nth: attributes
                .get(usize::from(rule::NTH))
                .map(|a| a.u32())
                .transpose()?,
            every: attributes
                .get(usize::from(rule::EVERY))
                .map(|a| a.u32())
                .transpose()?,
            probability: attributes
                .get(usize::from(rule::PROBABILITY))
                .map(|a| a.u32())
                .transpose()?,
            seed: attributes
                .get(usize::from(rule::SEED))
                .map(|a| a.uint())
                .transpose()?,
            rate: attributes
                .get(usize::from(rule::RATE))
                .map(|a| a.uint())
                .transpose()?,
            burst: attributes
                .get(usize::from(rule::BURST))
                .map(|a| a.u32())
                .transpose()?,
            rate_bytes: attributes.get(usize::from(rule::RATE_BYTES)).is_some(),
            at_most: attributes
                .get(usize::from(rule::AT_MOST))
                .map(|a| a.u32())
                .transpose()?,
            segments: attributes.get(usize::from(rule::SEGMENTS)).is_some(),
            notify: attributes
                .get(usize::from(rule::NOTIFY))
                .map(|a| a.u32())
                .transpose()?,
            drop_reason: attributes
                .get(usize::from(rule::DROP_REASON))
                .map(|a| a.string())
                .transpose()?,
            transaction: attributes.get(usize::from(rule::TRANSACTION)).is_some(),
        })
    }
}

/// A request of `rule-del`.
pub(crate) struct RuleDelDoRequest<'a> {
    /// The chain it is in.
    pub(crate) chain: Option<&'a CStr>,
    /// What it is known by; never given again in the chain.
    pub(crate) handle: Option<u32>,
    /// Add this change to the socket's transaction, to be made when that is
    /// committed. It is only looked at then, and has no other answer.
    pub(crate) transaction: bool,
}

/// Remove a rule, or all of a chain if no handle is given.
pub(crate) struct RuleDelDo;

impl Spec for RuleDelDo {
    type Family = Ferronic;
    type Request<'a> = RuleDelDoRequest<'a>;
    const COMMAND: u8 = 22;
    const PERMISSION: Permission = Permission::NamespaceAdmin;
    const POLICY: &'static [Policy] = &[
        Policy::UNSPEC,
        Policy::string(31),
        Policy::U32,
        Policy::UNSPEC,
        Policy::UNSPEC,
        Policy::UNSPEC,
        Policy::UNSPEC,
        Policy::UNSPEC,
        Policy::UNSPEC,
        Policy::UNSPEC,
        Policy::UNSPEC,
        Policy::UNSPEC,
        Policy::UNSPEC,
        Policy::UNSPEC,
        Policy::UNSPEC,
        Policy::UNSPEC,
        Policy::UNSPEC,
        Policy::UNSPEC,
        Policy::UNSPEC,
        Policy::UNSPEC,
        Policy::UNSPEC,
        Policy::UNSPEC,
        Policy::UNSPEC,
        Policy::UNSPEC,
        Policy::UNSPEC,
        Policy::UNSPEC,
        Policy::UNSPEC,
        Policy::UNSPEC,
        Policy::UNSPEC,
        Policy::UNSPEC,
        Policy::UNSPEC,
        Policy::UNSPEC,
        Policy::UNSPEC,
        Policy::UNSPEC,
        Policy::UNSPEC,
        Policy::FLAG,
    ];

    fn parse<'a>(context: &Context<'a, Ferronic>) -> Result<Self::Request<'a>> {
        let attributes = context.attributes();
        Ok(RuleDelDoRequest {
            chain: attributes
                .get(usize::from(rule::CHAIN))
                .map(|a| a.string())
                .transpose()?,
            handle: attributes
                .get(usize::from(rule::HANDLE))
                .map(|a| a.u32())
                .transpose()?,
            transaction: attributes.get(usize::from(rule::TRANSACTION)).is_some(),
        })
    }
}

/// A request of `rule-reset`.
pub(crate) struct RuleResetDoRequest<'a> {
    /// The chain it is in.
    pub(crate) chain: Option<&'a CStr>,
    /// What it is known by; never given again in the chain.
    pub(crate) handle: Option<u32>,
    /// Add this change to the socket's transaction, to be made when that is
    /// committed. It is only looked at then, and has no other answer.
    pub(crate) transaction: bool,
}

/// Let a rule count anew, or all of a chain and its policy if no handle is
/// given. What was done at most so many times, or for the n-th packet, can
/// be done again.
pub(crate) struct RuleResetDo;

impl Spec for RuleResetDo {
    type Family = Ferronic;
    type Request<'a> = RuleResetDoRequest<'a>;
    const COMMAND: u8 = 23;
    const PERMISSION: Permission = Permission::NamespaceAdmin;
    const POLICY: &'static [Policy] = &[
        Policy::UNSPEC,
        Policy::string(31),
        Policy::U32,
        Policy::UNSPEC,
        Policy::UNSPEC,
        Policy::UNSPEC,
        Policy::UNSPEC,
        Policy::UNSPEC,
        Policy::UNSPEC,
        Policy::UNSPEC,
        Policy::UNSPEC,
        Policy::UNSPEC,
        Policy::UNSPEC,
        Policy::UNSPEC,
        Policy::UNSPEC,
        Policy::UNSPEC,
        Policy::UNSPEC,
        Policy::UNSPEC,
        Policy::UNSPEC,
        Policy::UNSPEC,
        Policy::UNSPEC,
        Policy::UNSPEC,
        Policy::UNSPEC,
        Policy::UNSPEC,
        Policy::UNSPEC,
        Policy::UNSPEC,
        Policy::UNSPEC,
        Policy::UNSPEC,
        Policy::UNSPEC,
        Policy::UNSPEC,
        Policy::UNSPEC,
        Policy::UNSPEC,
        Policy::UNSPEC,
        Policy::UNSPEC,
        Policy::UNSPEC,
        Policy::FLAG,
    ];

    fn parse<'a>(context: &Context<'a, Ferronic>) -> Result<Self::Request<'a>> {
        let attributes = context.attributes();
        Ok(RuleResetDoRequest {
            chain: attributes
                .get(usize::from(rule::CHAIN))
                .map(|a| a.string())
                .transpose()?,
            handle: attributes
                .get(usize::from(rule::HANDLE))
                .map(|a| a.u32())
                .transpose()?,
            transaction: attributes.get(usize::from(rule::TRANSACTION)).is_some(),
        })
    }
}

/// An answer to `sampling-get`, and what notifications of it say.
#[derive(Clone, Default)]
pub(crate) struct SamplingGetReply {
    /// The port.
    pub(crate) ifindex: Option<u32>,
    /// As of a port.
    pub(crate) generation: Option<u64>,
    /// One in so many is sampled, in the mean; 0 if none is.
    pub(crate) one_in: Option<u32>,
    /// What is chosen; packets if nothing is said.
    pub(crate) unit: Option<SamplingUnit>,
    /// What the choice is drawn from: the same seed, the same packets or
    /// flows; 0 if nothing is said.
    pub(crate) seed: Option<u32>,
    /// Packets that were looked at, sampled or not.
    pub(crate) packets: Option<u64>,
    /// Packets sampled. Of a super frame it is the first frame.
    pub(crate) samples: Option<u64>,
    /// Those that were handed to their transport protocol.
    pub(crate) delivered: Option<u64>,
    /// Those that went on to another host.
    pub(crate) forwarded: Option<u64>,
    /// Those that GRO made part of another packet.
    pub(crate) merged: Option<u64>,
    /// Those that were not seen again: dropped, taken by something else, or
    /// too long on their way.
    pub(crate) lost: Option<u64>,
}

impl SamplingGetReply {
    /// Nothing is known.
    pub(crate) const NONE: Self = Self {
        ifindex: None,
        generation: None,
        one_in: None,
        unit: None,
        seed: None,
        packets: None,
        samples: None,
        delivered: None,
        forwarded: None,
        merged: None,
        lost: None,
    };

    /// Writes it.
    ///
    /// # Errors
    ///
    /// `EMSGSIZE` if there is no room.
    pub(crate) fn put(&self, w: &mut Writer<'_>) -> Result {
        if let Some(value) = self.ifindex {
            w.u32(sampling::IFINDEX, value)?;
        }
        if let Some(value) = self.generation {
            w.uint(sampling::GENERATION, value)?;
        }
        if let Some(value) = self.one_in {
            w.u32(sampling::ONE_IN, value)?;
        }
        if let Some(value) = self.unit {
            w.u32(sampling::UNIT, value as u32)?;
        }
        if let Some(value) = self.seed {
            w.u32(sampling::SEED, value)?;
        }
        if let Some(value) = self.packets {
            w.uint(sampling::PACKETS, value)?;
        }
        if let Some(value) = self.samples {
            w.uint(sampling::SAMPLES, value)?;
        }
        if let Some(value) = self.delivered {
            w.uint(sampling::DELIVERED, value)?;
        }
        if let Some(value) = self.forwarded {
            w.uint(sampling::FORWARDED, value)?;
        }
        if let Some(value) = self.merged {
            w.uint(sampling::MERGED, value)?;
        }
        if let Some(value) = self.lost {
            w.uint(sampling::LOST, value)?;
        }
        Ok(())
    }
}

/// A request of `sampling-get`.
pub(crate) struct SamplingGetDoRequest {
    /// The port.
    pub(crate) ifindex: Option<u32>,
}

/// Get the sampling of what comes to a port, or dump that of all ports.
pub(crate) struct SamplingGetDo;

impl Spec for SamplingGetDo {
    type Family = Ferronic;
    type Request<'a> = SamplingGetDoRequest;
    const COMMAND: u8 = 32;
    const PERMISSION: Permission = Permission::Any;
    const POLICY: &'static [Policy] = &[Policy::UNSPEC, Policy::u32_in(&SAMPLING_IFINDEX_RANGE)];

    fn parse<'a>(context: &Context<'a, Ferronic>) -> Result<Self::Request<'a>> {
        let attributes = context.attributes();
        Ok(SamplingGetDoRequest {
            ifindex: attributes
                .get(usize::from(sampling::IFINDEX))
                .map(|a| a.u32())
                .transpose()?,
        })
    }
}

/// A request of `sampling-get` for a dump.
pub(crate) struct SamplingGetDumpRequest;

/// Get the sampling of what comes to a port, or dump that of all ports.
pub(crate) struct SamplingGetDump;

impl Spec for SamplingGetDump {
    type Family = Ferronic;
    type Request<'a> = SamplingGetDumpRequest;
    const COMMAND: u8 = 32;
    const PERMISSION: Permission = Permission::Any;
    const POLICY: &'static [Policy] = &[];

    fn parse<'a>(_: &Context<'a, Ferronic>) -> Result<Self::Request<'a>> {
        Ok(SamplingGetDumpRequest)
    }
}

/// A request of `sampling-set`.
pub(crate) struct SamplingSetDoRequest {
    /// The port.
    pub(crate) ifindex: Option<u32>,
    /// One in so many is sampled, in the mean; 0 if none is.
    pub(crate) one_in: Option<u32>,
    /// What is chosen; packets if nothing is said.
    pub(crate) unit: Option<SamplingUnit>,
    /// What the choice is drawn from: the same seed, the same packets or
    /// flows; 0 if nothing is said.
    pub(crate) seed: Option<u32>,
}

/// Begin to sample what comes to a port, anew if it is sampled already; or
/// end it, with `one-in` 0, which leaves what was counted to be read. It
/// ends by itself, and its counts go, when the port moves to another
/// namespace.
pub(crate) struct SamplingSetDo;

impl Spec for SamplingSetDo {
    type Family = Ferronic;
    type Request<'a> = SamplingSetDoRequest;
    const COMMAND: u8 = 33;
    const PERMISSION: Permission = Permission::NamespaceAdmin;
    const POLICY: &'static [Policy] = &[
        Policy::UNSPEC,
        Policy::u32_in(&SAMPLING_IFINDEX_RANGE),
        Policy::UNSPEC,
        Policy::U32,
        Policy::u32_in(&SAMPLING_UNIT_RANGE),
        Policy::U32,
    ];

    fn parse<'a>(context: &Context<'a, Ferronic>) -> Result<Self::Request<'a>> {
        let attributes = context.attributes();
        Ok(SamplingSetDoRequest {
            ifindex: attributes
                .get(usize::from(sampling::IFINDEX))
                .map(|a| a.u32())
                .transpose()?,
            one_in: attributes
                .get(usize::from(sampling::ONE_IN))
                .map(|a| a.u32())
                .transpose()?,
            unit: attributes
                .get(usize::from(sampling::UNIT))
                .map(|a| SamplingUnit::from_number(a.u32()?))
                .transpose()?,
            seed: attributes
                .get(usize::from(sampling::SEED))
                .map(|a| a.u32())
                .transpose()?,
        })
    }
}

/// An answer to `latency-get`, and what notifications of it say.
#[derive(Clone, Default)]
pub(crate) struct LatencyGetReply<'a> {
    /// The port.
    pub(crate) ifindex: Option<u32>,
    /// The stage.
    pub(crate) stage: Option<LatencyStage>,
    /// As of a port.
    pub(crate) generation: Option<u64>,
    /// Packets that left the stage for another one, or for the end.
    pub(crate) packets: Option<u64>,
    /// Packets that were last seen in the stage.
    pub(crate) lost: Option<u64>,
    /// The time that `packets` were in it, together, nanoseconds.
    pub(crate) sum: Option<u64>,
    /// The longest time, nanoseconds.
    pub(crate) longest: Option<u64>,
    /// `packets` by the time they took, shortest first; without the buckets
    /// that are empty.
    pub(crate) bucket: &'a [LatencyBucket],
}

impl LatencyGetReply<'_> {
    /// Nothing is known.
    pub(crate) const NONE: Self = Self {
        ifindex: None,
        stage: None,
        generation: None,
        packets: None,
        lost: None,
        sum: None,
        longest: None,
        bucket: &[],
    };

    /// Writes it.
    ///
    /// # Errors
    ///
    /// `EMSGSIZE` if there is no room.
    pub(crate) fn put(&self, w: &mut Writer<'_>) -> Result {
        if let Some(value) = self.ifindex {
            w.u32(latency::IFINDEX, value)?;
        }
        if let Some(value) = self.stage {
            w.u32(latency::STAGE, value as u32)?;
        }
        if let Some(value) = self.generation {
            w.uint(latency::GENERATION, value)?;
        }
        if let Some(value) = self.packets {
            w.uint(latency::PACKETS, value)?;
        }
        if let Some(value) = self.lost {
            w.uint(latency::LOST, value)?;
        }
        if let Some(value) = self.sum {
            w.uint(latency::SUM, value)?;
        }
        if let Some(value) = self.longest {
            w.uint(latency::LONGEST, value)?;
        }
        for value in self.bucket {
            let mut nest = w.nest(latency::BUCKET)?;
            value.put(&mut nest)?;
            nest.end();
        }
        Ok(())
    }
}

/// A request of `latency-get`.
pub(crate) struct LatencyGetDoRequest {
    /// The port.
    pub(crate) ifindex: Option<u32>,
    /// The stage.
    pub(crate) stage: Option<LatencyStage>,
}

/// Get how long sampled packets were in a stage, or dump all stages of one
/// port, or of all that were ever sampled.
pub(crate) struct LatencyGetDo;

impl Spec for LatencyGetDo {
    type Family = Ferronic;
    type Request<'a> = LatencyGetDoRequest;
    const COMMAND: u8 = 34;
    const PERMISSION: Permission = Permission::Any;
    const POLICY: &'static [Policy] = &[
        Policy::UNSPEC,
        Policy::u32_in(&LATENCY_IFINDEX_RANGE),
        Policy::u32_in(&LATENCY_STAGE_RANGE),
    ];

    fn parse<'a>(context: &Context<'a, Ferronic>) -> Result<Self::Request<'a>> {
        let attributes = context.attributes();
        Ok(LatencyGetDoRequest {
            ifindex: attributes
                .get(usize::from(latency::IFINDEX))
                .map(|a| a.u32())
                .transpose()?,
            stage: attributes
                .get(usize::from(latency::STAGE))
                .map(|a| LatencyStage::from_number(a.u32()?))
                .transpose()?,
        })
    }
}

/// A request of `latency-get` for a dump.
pub(crate) struct LatencyGetDumpRequest {
    /// The port.
    pub(crate) ifindex: Option<u32>,
}

/// Get how long sampled packets were in a stage, or dump all stages of one
/// port, or of all that were ever sampled.
pub(crate) struct LatencyGetDump;

impl Spec for LatencyGetDump {
    type Family = Ferronic;
    type Request<'a> = LatencyGetDumpRequest;
    const COMMAND: u8 = 34;
    const PERMISSION: Permission = Permission::Any;
    const POLICY: &'static [Policy] = &[Policy::UNSPEC, Policy::u32_in(&LATENCY_IFINDEX_RANGE)];

    fn parse<'a>(context: &Context<'a, Ferronic>) -> Result<Self::Request<'a>> {
        let attributes = context.attributes();
        Ok(LatencyGetDumpRequest {
            ifindex: attributes
                .get(usize::from(latency::IFINDEX))
                .map(|a| a.u32())
                .transpose()?,
        })
    }
}

/// A request of `latency-reset`.
pub(crate) struct LatencyResetDoRequest {
    /// The port.
    pub(crate) ifindex: Option<u32>,
}

/// Let sampling-get and latency-get count anew.
pub(crate) struct LatencyResetDo;

impl Spec for LatencyResetDo {
    type Family = Ferronic;
    type Request<'a> = LatencyResetDoRequest;
    const COMMAND: u8 = 35;
    const PERMISSION: Permission = Permission::NamespaceAdmin;
    const POLICY: &'static [Policy] = &[Policy::UNSPEC, Policy::u32_in(&SAMPLING_IFINDEX_RANGE)];

    fn parse<'a>(context: &Context<'a, Ferronic>) -> Result<Self::Request<'a>> {
        let attributes = context.attributes();
        Ok(LatencyResetDoRequest {
            ifindex: attributes
                .get(usize::from(sampling::IFINDEX))
                .map(|a| a.u32())
                .transpose()?,
        })
    }
}

const PORT_CHANGE_IFINDEX_RANGE: Range = Range::new(1, 2147483647);
const PORT_CHANGE_PAUSE_LIMIT_RANGE: Range = Range::new(1, 4000);
const PORT_CHANGE_POLICY: &[Policy] = &[
    Policy::UNSPEC,
    Policy::u32_in(&PORT_CHANGE_IFINDEX_RANGE),
    Policy::UNSPEC,
    Policy::UNSPEC,
    Policy::UNSPEC,
    Policy::UNSPEC,
    Policy::UNSPEC,
    Policy::UNSPEC,
    Policy::UNSPEC,
    Policy::UNSPEC,
    Policy::UNSPEC,
    Policy::UNSPEC,
    Policy::UNSPEC,
    Policy::UNSPEC,
    Policy::UNSPEC,
    Policy::UNSPEC,
    Policy::u32_in(&PORT_CHANGE_PAUSE_LIMIT_RANGE),
];
const WIRE_CHANGE_DATAPATH_RANGE: Range = Range::new(0, 1);
const WIRE_CHANGE_POLICY: &[Policy] = &[
    Policy::UNSPEC,
    Policy::U32,
    Policy::UNSPEC,
    Policy::u32_in(&WIRE_CHANGE_DATAPATH_RANGE),
];
const TERM_FIELD_RANGE: Range = Range::new(0, 26);
const TERM_TEST_RANGE: Range = Range::new(0, 3);
const TERM_POLICY: &[Policy] = &[
    Policy::UNSPEC,
    Policy::u32_in(&TERM_FIELD_RANGE),
    Policy::u32_in(&TERM_TEST_RANGE),
    Policy::FLAG,
    Policy::UINT,
    Policy::UINT,
    Policy::UINT,
    Policy::UINT,
];
const PORT_IFINDEX_RANGE: Range = Range::new(1, 2147483647);
const PORT_PAUSE_LIMIT_RANGE: Range = Range::new(1, 4000);
const CHANNEL_IFINDEX_RANGE: Range = Range::new(1, 2147483647);
const CHANNEL_INDEX_RANGE: Range = Range::new(0, 255);
const STAGE_IFINDEX_RANGE: Range = Range::new(1, 2147483647);
const STAGE_DIRECTION_RANGE: Range = Range::new(0, 1);
const STAGE_STAGE_RANGE: Range = Range::new(0, 5);
const WIRE_DATAPATH_RANGE: Range = Range::new(0, 1);
const CHAIN_FAMILY_RANGE: Range = Range::new(0, 3);
const CHAIN_HOOK_RANGE: Range = Range::new(0, 6);
const CHAIN_IFINDEX_RANGE: Range = Range::new(1, 2147483647);
const CHAIN_POLICY_RANGE: Range = Range::new(0, 1);
const RULE_ACTION_RANGE: Range = Range::new(0, 12);
const RULE_DSCP_RANGE: Range = Range::new(0, 63);
const RULE_ECN_RANGE: Range = Range::new(0, 3);
const RULE_QUEUE_RANGE: Range = Range::new(0, 65535);
const RULE_SNAP_RANGE: Range = Range::new(1, 2048);
const RULE_BITS_RANGE: Range = Range::new(1, 1024);
const RULE_OFFSET_RANGE: Range = Range::new(0, 65535);
const RULE_COPIES_RANGE: Range = Range::new(1, 16);
const RULE_DELAY_RANGE: Range = Range::new(1, 60000000000);
const RULE_JITTER_RANGE: Range = Range::new(0, 60000000000);
const RULE_GAP_RANGE: Range = Range::new(1, 1024);
const RULE_TIMEOUT_RANGE: Range = Range::new(1, 60000000000);
const RULE_NTH_RANGE: Range = Range::new(1, 4294967295);
const RULE_EVERY_RANGE: Range = Range::new(1, 4294967295);
const RULE_PROBABILITY_RANGE: Range = Range::new(1, 4294967295);
const RULE_RATE_RANGE: Range = Range::new(1, 10000000000);
const RULE_BURST_RANGE: Range = Range::new(1, 4294967295);
const RULE_AT_MOST_RANGE: Range = Range::new(1, 4294967295);
const RULE_NOTIFY_RANGE: Range = Range::new(0, 2048);
const SAMPLING_IFINDEX_RANGE: Range = Range::new(1, 2147483647);
const SAMPLING_UNIT_RANGE: Range = Range::new(0, 1);
const LATENCY_IFINDEX_RANGE: Range = Range::new(1, 2147483647);
const LATENCY_STAGE_RANGE: Range = Range::new(0, 13);
