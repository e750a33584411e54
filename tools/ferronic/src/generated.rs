// SPDX-License-Identifier: GPL-2.0
// Written by tools/spec/generate from Documentation/netlink/specs/ferronic.yaml. Do not edit.

//! What the netlink specification says: names, numbers and types.

// It says more than the command needs.
#![allow(dead_code)]

use crate::spec::{Attribute, Command, Kind, Space, Value};

/// Name of the family.
pub const FAMILY: &str = "ferronic";

/// Version of its protocol.
pub const VERSION: u8 = 1;

/// The multicast group `mgmt`.
pub const GROUP_MGMT: &str = "mgmt";

/// The multicast group `packets`.
pub const GROUP_PACKETS: &str = "packets";

/// The multicast group `hooks`.
pub const GROUP_HOOKS: &str = "hooks";

/// How packets get from one end of a wire to the other.
pub const VALUES_DATAPATH: &[Value] = &[
    Value {
        name: "nic",
        number: 0,
    },
    Value {
        name: "handoff",
        number: 1,
    },
];

/// Which end of a wire.
pub const VALUES_END: &[Value] = &[
    Value {
        name: "a",
        number: 0,
    },
    Value {
        name: "b",
        number: 1,
    },
];

/// Which way frames go, seen from the port.
pub const VALUES_DIRECTION: &[Value] = &[
    Value {
        name: "tx",
        number: 0,
    },
    Value {
        name: "rx",
        number: 1,
    },
];

/// A step on a frame's way, in the order in which it is taken.
pub const VALUES_STAGE: &[Value] = &[
    Value {
        name: "post",
        number: 0,
    },
    Value {
        name: "segment",
        number: 1,
    },
    Value {
        name: "checksum",
        number: 2,
    },
    Value {
        name: "wire",
        number: 3,
    },
    Value {
        name: "deliver",
        number: 4,
    },
    Value {
        name: "receive",
        number: 5,
    },
];

/// Why a frame was dropped.
pub const VALUES_DROP_REASON: &[Value] = &[
    Value {
        name: "no-carrier",
        number: 0,
    },
    Value {
        name: "filtered",
        number: 1,
    },
    Value {
        name: "too-long",
        number: 2,
    },
    Value {
        name: "too-short",
        number: 3,
    },
    Value {
        name: "no-buffer",
        number: 4,
    },
    Value {
        name: "pause-expired",
        number: 5,
    },
    Value {
        name: "closed",
        number: 6,
    },
    Value {
        name: "unread",
        number: 7,
    },
    Value {
        name: "no-memory",
        number: 8,
    },
    Value {
        name: "segmentation",
        number: 9,
    },
    Value {
        name: "not-open",
        number: 10,
    },
    Value {
        name: "rule",
        number: 11,
    },
];

/// Which packets come to a chain.
pub const VALUES_CHAIN_FAMILY: &[Value] = &[
    Value {
        name: "ip",
        number: 0,
    },
    Value {
        name: "ip6",
        number: 1,
    },
    Value {
        name: "inet",
        number: 2,
    },
    Value {
        name: "netdev",
        number: 3,
    },
];

/// The points of the stack that a chain can be at.
pub const VALUES_HOOK: &[Value] = &[
    Value {
        name: "prerouting",
        number: 0,
    },
    Value {
        name: "input",
        number: 1,
    },
    Value {
        name: "forward",
        number: 2,
    },
    Value {
        name: "output",
        number: 3,
    },
    Value {
        name: "postrouting",
        number: 4,
    },
    Value {
        name: "ingress",
        number: 5,
    },
    Value {
        name: "egress",
        number: 6,
    },
];

/// What becomes of packets that no rule decides on.
pub const VALUES_CHAIN_POLICY: &[Value] = &[
    Value {
        name: "accept",
        number: 0,
    },
    Value {
        name: "drop",
        number: 1,
    },
];

/// What of a packet a term looks at: a number of up to 128 bits, in the
/// order of its bytes on the wire. A packet that has no such field fulfils
/// no term on it.
pub const VALUES_FIELD: &[Value] = &[
    Value {
        name: "in-device",
        number: 0,
    },
    Value {
        name: "out-device",
        number: 1,
    },
    Value {
        name: "source-mac",
        number: 2,
    },
    Value {
        name: "destination-mac",
        number: 3,
    },
    Value {
        name: "ethertype",
        number: 4,
    },
    Value {
        name: "vlan",
        number: 5,
    },
    Value {
        name: "inner-vlan",
        number: 6,
    },
    Value {
        name: "source-ipv4",
        number: 7,
    },
    Value {
        name: "destination-ipv4",
        number: 8,
    },
    Value {
        name: "source-ipv6",
        number: 9,
    },
    Value {
        name: "destination-ipv6",
        number: 10,
    },
    Value {
        name: "protocol",
        number: 11,
    },
    Value {
        name: "source-port",
        number: 12,
    },
    Value {
        name: "destination-port",
        number: 13,
    },
    Value {
        name: "tcp-flags",
        number: 14,
    },
    Value {
        name: "icmp-type",
        number: 15,
    },
    Value {
        name: "icmp-code",
        number: 16,
    },
    Value {
        name: "icmpv6-type",
        number: 17,
    },
    Value {
        name: "icmpv6-code",
        number: 18,
    },
    Value {
        name: "dscp",
        number: 19,
    },
    Value {
        name: "ecn",
        number: 20,
    },
    Value {
        name: "ttl",
        number: 21,
    },
    Value {
        name: "fragment",
        number: 22,
    },
    Value {
        name: "length",
        number: 23,
    },
    Value {
        name: "mark",
        number: 24,
    },
    Value {
        name: "packet-type",
        number: 25,
    },
    Value {
        name: "conntrack",
        number: 26,
    },
];

/// What a field is tested for.
pub const VALUES_TEST: &[Value] = &[
    Value {
        name: "value",
        number: 0,
    },
    Value {
        name: "prefix",
        number: 1,
    },
    Value {
        name: "mask",
        number: 2,
    },
    Value {
        name: "range",
        number: 3,
    },
];

/// What a rule does with a packet.
pub const VALUES_ACTION: &[Value] = &[
    Value {
        name: "accept",
        number: 0,
    },
    Value {
        name: "drop",
        number: 1,
    },
    Value {
        name: "continue",
        number: 2,
    },
    Value {
        name: "set-mark",
        number: 3,
    },
    Value {
        name: "set-dscp",
        number: 4,
    },
    Value {
        name: "set-ecn",
        number: 5,
    },
    Value {
        name: "queue",
        number: 6,
    },
    Value {
        name: "sample",
        number: 7,
    },
    Value {
        name: "corrupt",
        number: 8,
    },
    Value {
        name: "truncate",
        number: 9,
    },
    Value {
        name: "duplicate",
        number: 10,
    },
    Value {
        name: "delay",
        number: 11,
    },
    Value {
        name: "reorder",
        number: 12,
    },
];

/// What is chosen to be sampled.
pub const VALUES_SAMPLING_UNIT: &[Value] = &[
    Value {
        name: "packet",
        number: 0,
    },
    Value {
        name: "flow",
        number: 1,
    },
];

/// Where a sampled packet is, in the order in which it comes by. It is in a
/// stage from when it comes there until it comes to another. Of the first
/// three nothing is known unless the port that sends it is sampled as well.
pub const VALUES_LATENCY_STAGE: &[Value] = &[
    Value {
        name: "output",
        number: 0,
    },
    Value {
        name: "postrouting",
        number: 1,
    },
    Value {
        name: "egress",
        number: 2,
    },
    Value {
        name: "tx-ring",
        number: 3,
    },
    Value {
        name: "engine",
        number: 4,
    },
    Value {
        name: "rx-ring",
        number: 5,
    },
    Value {
        name: "napi",
        number: 6,
    },
    Value {
        name: "gro",
        number: 7,
    },
    Value {
        name: "ingress",
        number: 8,
    },
    Value {
        name: "prerouting",
        number: 9,
    },
    Value {
        name: "input",
        number: 10,
    },
    Value {
        name: "forward",
        number: 11,
    },
    Value {
        name: "leaving",
        number: 12,
    },
    Value {
        name: "total",
        number: 13,
    },
];

/// A port.
pub const PORT: Space = Space {
attributes: &[
Attribute { name: "ifindex", number: 1, kind: Kind::U32, many: false, help: "Number of the network device." },
Attribute { name: "generation", number: 2, kind: Kind::Uint, many: false, help: "Generation of the namespace's ports when the message was written." },
Attribute { name: "name", number: 3, kind: Kind::Text, many: false, help: "Name of the network device." },
Attribute { name: "wire", number: 4, kind: Kind::U32, many: false, help: "Number of the wire, unique until the module is unloaded." },
Attribute { name: "end", number: 5, kind: Kind::Enum(VALUES_END), many: false, help: "Which of its ends the port is at." },
Attribute { name: "datapath", number: 6, kind: Kind::Enum(VALUES_DATAPATH), many: false, help: "The wire's datapath." },
Attribute { name: "peer-ifindex", number: 7, kind: Kind::U32, many: false, help: "Number of the network device at the other end, in its namespace." },
Attribute { name: "peer-netnsid", number: 8, kind: Kind::S32, many: false, help: "Number that the port's namespace has for the other end's namespace (see \"ip netns list-id\"). Not there if that is the same. If the other end is in a namespace without such a number, the port has neither this nor peer-ifindex." },
Attribute { name: "up", number: 9, kind: Kind::Flag, many: false, help: "The device is up." },
Attribute { name: "carrier", number: 10, kind: Kind::Flag, many: false, help: "Both ends are up." },
Attribute { name: "mtu", number: 11, kind: Kind::U32, many: false, help: "Largest packet in bytes, as set with ip." },
Attribute { name: "channels", number: 12, kind: Kind::U32, many: false, help: "Channels in use, as set with \"ethtool -L\"." },
Attribute { name: "channels-max", number: 13, kind: Kind::U32, many: false, help: "Channels there can be." },
Attribute { name: "tx-ring", number: 14, kind: Kind::U32, many: false, help: "Descriptors of each TX ring, as set with \"ethtool -G\"." },
Attribute { name: "rx-ring", number: 15, kind: Kind::U32, many: false, help: "Descriptors of each RX ring, as set with \"ethtool -G\"." },
Attribute { name: "pause-limit", number: 16, kind: Kind::U32, many: false, help: "For how long a receiver without buffers may hold the port's transmit queues (see \"ethtool -a\"), in milliseconds. What finds no buffer afterwards is dropped and counted as pause-expired, until a buffer is found." },
]};

/// One of the two ports of a wire, as far as the namespace can see it.
pub const WIRE_PORT: Space = Space {
attributes: &[
Attribute { name: "end", number: 1, kind: Kind::Enum(VALUES_END), many: false, help: "Which end it is at." },
Attribute { name: "ifindex", number: 2, kind: Kind::U32, many: false, help: "Number of the network device, in its namespace. Not there if that is one the caller's has no number for." },
Attribute { name: "netnsid", number: 3, kind: Kind::S32, many: false, help: "Number that the caller's namespace has for the port's. Not there if the port is in the caller's own." },
Attribute { name: "name", number: 4, kind: Kind::Text, many: false, help: "Name of the network device, if it is in the caller's namespace." },
]};

/// A wire. A namespace sees those that have a port in it.
pub const WIRE: Space = Space {
    attributes: &[
        Attribute {
            name: "id",
            number: 1,
            kind: Kind::U32,
            many: false,
            help: "Its number, unique until the module is unloaded.",
        },
        Attribute {
            name: "generation",
            number: 2,
            kind: Kind::Uint,
            many: false,
            help: "As of a port.",
        },
        Attribute {
            name: "datapath",
            number: 3,
            kind: Kind::Enum(VALUES_DATAPATH),
            many: false,
            help: "The datapath of the wire.",
        },
        Attribute {
            name: "port",
            number: 4,
            kind: Kind::Nest(&WIRE_PORT),
            many: true,
            help: "Its ports, end a first.",
        },
    ],
};

/// A change of a port. What is not sent stays as it is.
pub const PORT_CHANGE: Space = Space {
attributes: &[
Attribute { name: "ifindex", number: 1, kind: Kind::U32, many: false, help: "Number of the network device." },
Attribute { name: "pause-limit", number: 16, kind: Kind::U32, many: false, help: "For how long a receiver without buffers may hold the port's transmit queues (see \"ethtool -a\"), in milliseconds. What finds no buffer afterwards is dropped and counted as pause-expired, until a buffer is found." },
]};

/// A change of a wire. What is not sent stays as it is.
pub const WIRE_CHANGE: Space = Space {
    attributes: &[
        Attribute {
            name: "id",
            number: 1,
            kind: Kind::U32,
            many: false,
            help: "Its number, unique until the module is unloaded.",
        },
        Attribute {
            name: "datapath",
            number: 3,
            kind: Kind::Enum(VALUES_DATAPATH),
            many: false,
            help: "The datapath of the wire.",
        },
    ],
};

/// Changes that are made together. Those of one kind are made in the order
/// in which they were added.
pub const TRANSACTION: Space = Space {
attributes: &[
Attribute { name: "generation", number: 1, kind: Kind::Uint, many: false, help: "Generation of the namespace: in the answer to transaction-begin that at the time, in transaction-commit that which it must be." },
Attribute { name: "port", number: 2, kind: Kind::Nest(&PORT_CHANGE), many: true, help: "As in port-set." },
Attribute { name: "wire", number: 3, kind: Kind::Nest(&WIRE_CHANGE), many: true, help: "As in wire-set." },
Attribute { name: "chain-generation", number: 4, kind: Kind::Uint, many: false, help: "Generation of the namespace's chains: as generation." },
]};

/// A channel of a port that is up.
pub const CHANNEL: Space = Space {
attributes: &[
Attribute { name: "ifindex", number: 1, kind: Kind::U32, many: false, help: "The port." },
Attribute { name: "index", number: 2, kind: Kind::U32, many: false, help: "Number of the channel, from 0." },
Attribute { name: "generation", number: 3, kind: Kind::Uint, many: false, help: "As of a port." },
Attribute { name: "napi-id", number: 4, kind: Kind::U32, many: false, help: "Its NAPI instance, as the netdev family knows it." },
Attribute { name: "tx-ring", number: 5, kind: Kind::U32, many: false, help: "Descriptors of the TX ring." },
Attribute { name: "tx-queued", number: 6, kind: Kind::U32, many: false, help: "Packets posted by the stack that the engine has not sent." },
Attribute { name: "tx-uncompleted", number: 7, kind: Kind::U32, many: false, help: "Packets sent whose completion was not seen by a poll." },
Attribute { name: "rx-ring", number: 8, kind: Kind::U32, many: false, help: "Descriptors of the RX ring; not there on the handoff datapath." },
Attribute { name: "rx-posted", number: 9, kind: Kind::U32, many: false, help: "Empty buffers that wait for frames." },
Attribute { name: "rx-filled", number: 10, kind: Kind::U32, many: false, help: "Buffers with frames that no poll has taken." },
Attribute { name: "raises", number: 11, kind: Kind::Uint, many: false, help: "Times the vector was raised (a virtual interrupt)." },
Attribute { name: "polls", number: 12, kind: Kind::Uint, many: false, help: "Polls of the NAPI instance." },
Attribute { name: "frames", number: 13, kind: Kind::Uint, many: false, help: "Frames that polls passed on." },
Attribute { name: "poll-frames", number: 14, kind: Kind::Uint, many: true, help: "Polls by how many frames they passed on, poll-buckets values: 0, 1, 2 to 3, 4 to 7, and so on; the last one is for all that is more." },
Attribute { name: "rx-usecs", number: 15, kind: Kind::U32, many: false, help: "Moderation in force, as set with \"ethtool -C\", microseconds." },
Attribute { name: "rx-frames", number: 16, kind: Kind::U32, many: false, help: "Moderation in force, frames." },
Attribute { name: "tx-usecs", number: 17, kind: Kind::U32, many: false, help: "Moderation of completions in force, microseconds." },
Attribute { name: "tx-frames", number: 18, kind: Kind::U32, many: false, help: "Moderation of completions in force, packets." },
]};

/// Frames dropped for one reason.
pub const DROP: Space = Space {
    attributes: &[
        Attribute {
            name: "reason",
            number: 1,
            kind: Kind::Enum(VALUES_DROP_REASON),
            many: false,
            help: "The reason.",
        },
        Attribute {
            name: "frames",
            number: 2,
            kind: Kind::Uint,
            many: false,
            help: "How many.",
        },
    ],
};

/// What a stage of one port and direction has counted. What a stage doesn't
/// count is not there.
pub const STAGE: Space = Space {
    attributes: &[
        Attribute {
            name: "ifindex",
            number: 1,
            kind: Kind::U32,
            many: false,
            help: "The port.",
        },
        Attribute {
            name: "direction",
            number: 2,
            kind: Kind::Enum(VALUES_DIRECTION),
            many: false,
            help: "The direction.",
        },
        Attribute {
            name: "stage",
            number: 3,
            kind: Kind::Enum(VALUES_STAGE),
            many: false,
            help: "The stage.",
        },
        Attribute {
            name: "generation",
            number: 4,
            kind: Kind::Uint,
            many: false,
            help: "As of a port.",
        },
        Attribute {
            name: "packets",
            number: 5,
            kind: Kind::Uint,
            many: false,
            help: "Packets that came to the stage.",
        },
        Attribute {
            name: "packet-bytes",
            number: 6,
            kind: Kind::Uint,
            many: false,
            help: "Their bytes.",
        },
        Attribute {
            name: "frames",
            number: 7,
            kind: Kind::Uint,
            many: false,
            help: "Frames that left the stage.",
        },
        Attribute {
            name: "bytes",
            number: 8,
            kind: Kind::Uint,
            many: false,
            help: "Their bytes, without the frame check sequence.",
        },
        Attribute {
            name: "multicast",
            number: 9,
            kind: Kind::Uint,
            many: false,
            help: "Those to multicast addresses.",
        },
        Attribute {
            name: "broadcast",
            number: 10,
            kind: Kind::Uint,
            many: false,
            help: "Those to the broadcast address.",
        },
        Attribute {
            name: "stops",
            number: 11,
            kind: Kind::Uint,
            many: false,
            help: "Times a transmit queue was stopped.",
        },
        Attribute {
            name: "wakes",
            number: 12,
            kind: Kind::Uint,
            many: false,
            help: "Times one was let run again by a poll.",
        },
        Attribute {
            name: "waits",
            number: 13,
            kind: Kind::Uint,
            many: false,
            help: "Times a frame had to wait for a buffer.",
        },
        Attribute {
            name: "checksum-good",
            number: 14,
            kind: Kind::Uint,
            many: false,
            help: "Frames whose checksum was found right.",
        },
        Attribute {
            name: "checksum-bad",
            number: 15,
            kind: Kind::Uint,
            many: false,
            help: "Frames whose checksum was found wrong.",
        },
        Attribute {
            name: "checksum-none",
            number: 16,
            kind: Kind::Uint,
            many: false,
            help: "Frames whose checksum was not looked at.",
        },
        Attribute {
            name: "alloc-fails",
            number: 17,
            kind: Kind::Uint,
            many: false,
            help: "Times a receive buffer could not be allocated.",
        },
        Attribute {
            name: "drop",
            number: 18,
            kind: Kind::Nest(&DROP),
            many: true,
            help: "Frames dropped at the stage, by the reasons it can have.",
        },
    ],
};

/// A chain of rules.
pub const CHAIN: Space = Space {
attributes: &[
Attribute { name: "name", number: 1, kind: Kind::Text, many: false, help: "What it is called in its namespace: printable ASCII characters, without spaces." },
Attribute { name: "generation", number: 2, kind: Kind::Uint, many: false, help: "Generation of the namespace's chains when the message was written." },
Attribute { name: "family", number: 3, kind: Kind::Enum(VALUES_CHAIN_FAMILY), many: false, help: "Which packets come to it." },
Attribute { name: "hook", number: 4, kind: Kind::Enum(VALUES_HOOK), many: false, help: "Where it is." },
Attribute { name: "priority", number: 5, kind: Kind::S32, many: false, help: "Where among the hooks of that point: the lowest comes first. What the kernel does itself is at -400 (defragmentation), -200 (connection tracking), -100 and 100 (address translation)." },
Attribute { name: "ifindex", number: 6, kind: Kind::U32, many: false, help: "Number of the network device, for ingress and egress." },
Attribute { name: "policy", number: 7, kind: Kind::Enum(VALUES_CHAIN_POLICY), many: false, help: "What becomes of packets that no rule decides on." },
Attribute { name: "rules", number: 8, kind: Kind::U32, many: false, help: "How many rules it has." },
Attribute { name: "shapes", number: 9, kind: Kind::U32, many: false, help: "How many different sets of fields, and bits of them, those look at: what a look-up costs grows with this." },
Attribute { name: "packets", number: 10, kind: Kind::Uint, many: false, help: "Packets that no rule decided on." },
Attribute { name: "bytes", number: 11, kind: Kind::Uint, many: false, help: "Their bytes." },
Attribute { name: "transaction", number: 12, kind: Kind::Flag, many: false, help: "Add this change to the socket's transaction, to be made when that is committed. It is only looked at then, and has no other answer." },
Attribute { name: "held", number: 13, kind: Kind::U32, many: false, help: "Packets that it holds now, delayed or to be overtaken." },
Attribute { name: "overflows", number: 14, kind: Kind::Uint, many: false, help: "Packets that were dropped, as it held as many as it may." },
Attribute { name: "unheld", number: 15, kind: Kind::Uint, many: false, help: "Packets that went on at once, as they could not have been resumed: a device is going, or XDP, a VRF or a bridge has a part in them." },
Attribute { name: "uncut", number: 16, kind: Kind::Uint, many: false, help: "Super frames that went on whole though a rule was for one segment: they open a connection, or there was no memory." },
Attribute { name: "any-device", number: 17, kind: Kind::Flag, many: false, help: "At ingress or egress of all devices that the namespace has, and of those that come." },
Attribute { name: "devices", number: 18, kind: Kind::U32, many: false, help: "At how many devices it is." },
Attribute { name: "missed", number: 19, kind: Kind::Uint, many: false, help: "Devices that have come since, and that it could not be attached to, as their hook had all the chains that it may have, or memory was short." },
Attribute { name: "lost", number: 20, kind: Kind::Uint, many: false, help: "Packets that it held, or took apart, and that were dropped then, as the hook or a device that they need was gone, and copies not made." },
Attribute { name: "memory", number: 21, kind: Kind::Uint, many: false, help: "Bytes that its rules take, as allocated: what a look-up needs, what users see of them, what all CPUs share of their counters." },
Attribute { name: "counter-memory", number: 22, kind: Kind::Uint, many: false, help: "Bytes that the counters of its rules take for the CPUs there can be, as allocated. Room is made for 256 rules at a time." },
]};

/// A condition on a field.
pub const TERM: Space = Space {
    attributes: &[
        Attribute {
            name: "field",
            number: 1,
            kind: Kind::Enum(VALUES_FIELD),
            many: false,
            help: "The field.",
        },
        Attribute {
            name: "test",
            number: 2,
            kind: Kind::Enum(VALUES_TEST),
            many: false,
            help: "What it is tested for; value if nothing is said.",
        },
        Attribute {
            name: "negated",
            number: 3,
            kind: Kind::Flag,
            many: false,
            help: "The test must fail.",
        },
        Attribute {
            name: "value",
            number: 4,
            kind: Kind::Uint,
            many: false,
            help: "First number of the test, the lowest 64 bits.",
        },
        Attribute {
            name: "value-high",
            number: 5,
            kind: Kind::Uint,
            many: false,
            help: "Its highest 64 bits.",
        },
        Attribute {
            name: "operand",
            number: 6,
            kind: Kind::Uint,
            many: false,
            help: "Second number of the test, the lowest 64 bits.",
        },
        Attribute {
            name: "operand-high",
            number: 7,
            kind: Kind::Uint,
            many: false,
            help: "Its highest 64 bits.",
        },
    ],
};

/// A rule.
pub const RULE: Space = Space {
attributes: &[
Attribute { name: "chain", number: 1, kind: Kind::Text, many: false, help: "The chain it is in." },
Attribute { name: "handle", number: 2, kind: Kind::U32, many: false, help: "What it is known by; never given again in the chain." },
Attribute { name: "generation", number: 3, kind: Kind::Uint, many: false, help: "As of a chain." },
Attribute { name: "position", number: 4, kind: Kind::U32, many: false, help: "Number of rules before it." },
Attribute { name: "before", number: 5, kind: Kind::U32, many: false, help: "Handle of the rule it is to come before." },
Attribute { name: "term", number: 6, kind: Kind::Nest(&TERM), many: true, help: "What a packet has to fulfil, all of it." },
Attribute { name: "action", number: 7, kind: Kind::Enum(VALUES_ACTION), many: false, help: "What it does with them; continue if nothing is said." },
Attribute { name: "mark", number: 8, kind: Kind::U32, many: false, help: "See the action set-mark." },
Attribute { name: "mark-mask", number: 9, kind: Kind::U32, many: false, help: "Bits of the mark that change; all if nothing is said." },
Attribute { name: "dscp", number: 10, kind: Kind::U32, many: false, help: "See the action set-dscp." },
Attribute { name: "ecn", number: 11, kind: Kind::U32, many: false, help: "See the action set-ecn." },
Attribute { name: "queue", number: 12, kind: Kind::U32, many: false, help: "See the action queue." },
Attribute { name: "bypass", number: 13, kind: Kind::Flag, many: false, help: "A packet for a queue that nobody listens on is accepted." },
Attribute { name: "snap", number: 14, kind: Kind::U32, many: false, help: "See the action sample." },
Attribute { name: "bits", number: 15, kind: Kind::U32, many: false, help: "See the action corrupt." },
Attribute { name: "offset", number: 16, kind: Kind::U32, many: false, help: "First byte that the action corrupt may change." },
Attribute { name: "length", number: 17, kind: Kind::U32, many: false, help: "See the action truncate." },
Attribute { name: "copies", number: 18, kind: Kind::U32, many: false, help: "See the action duplicate; 1 if nothing is said." },
Attribute { name: "delay", number: 19, kind: Kind::Uint, many: false, help: "See the action delay, nanoseconds." },
Attribute { name: "jitter", number: 20, kind: Kind::Uint, many: false, help: "See the action delay, nanoseconds; at most delay, and both together not more than a minute." },
Attribute { name: "gap", number: 21, kind: Kind::U32, many: false, help: "See the action reorder; 1 if nothing is said." },
Attribute { name: "timeout", number: 22, kind: Kind::Uint, many: false, help: "See the action reorder, nanoseconds; 100 ms if nothing is said." },
Attribute { name: "nth", number: 23, kind: Kind::U32, many: false, help: "It acts for this one of the packets that match, counted from 1." },
Attribute { name: "every", number: 24, kind: Kind::U32, many: false, help: "It acts for every one whose number is a multiple of this." },
Attribute { name: "probability", number: 25, kind: Kind::U32, many: false, help: "It acts with this probability, in parts of 2^32." },
Attribute { name: "seed", number: 26, kind: Kind::Uint, many: false, help: "What probability, jitter and corruption are drawn from: the same seed, the same packets." },
Attribute { name: "rate", number: 27, kind: Kind::Uint, many: false, help: "It acts for at most so many a second." },
Attribute { name: "burst", number: 28, kind: Kind::U32, many: false, help: "As many can come at once after a pause." },
Attribute { name: "rate-bytes", number: 29, kind: Kind::Flag, many: false, help: "The rate counts bytes rather than packets." },
Attribute { name: "at-most", number: 30, kind: Kind::U32, many: false, help: "It acts so many times, then never again." },
Attribute { name: "segments", number: 31, kind: Kind::Flag, many: false, help: "A super frame counts as the segments it stands for." },
Attribute { name: "packets", number: 32, kind: Kind::Uint, many: false, help: "Packets that matched." },
Attribute { name: "bytes", number: 33, kind: Kind::Uint, many: false, help: "Their bytes." },
Attribute { name: "acted", number: 34, kind: Kind::Uint, many: false, help: "How often it acted." },
Attribute { name: "transaction", number: 35, kind: Kind::Flag, many: false, help: "Add this change to the socket's transaction, to be made when that is committed. It is only looked at then, and has no other answer." },
Attribute { name: "notify", number: 36, kind: Kind::U32, many: false, help: "An event each time it acts, packet-ntf, that shows so many bytes of the packet." },
Attribute { name: "drop-reason", number: 37, kind: Kind::Text, many: false, help: "Why the action drop drops, one of the kernel's reasons as tracing shows them, such as TCP_CSUM; NETFILTER_DROP if nothing is said." },
]};

/// A packet that a rule acted on.
pub const PACKET: Space = Space {
attributes: &[
Attribute { name: "chain", number: 1, kind: Kind::Text, many: false, help: "The chain." },
Attribute { name: "handle", number: 2, kind: Kind::U32, many: false, help: "The rule." },
Attribute { name: "action", number: 3, kind: Kind::Enum(VALUES_ACTION), many: false, help: "What it did." },
Attribute { name: "hook", number: 4, kind: Kind::Enum(VALUES_HOOK), many: false, help: "Where." },
Attribute { name: "number", number: 5, kind: Kind::Uint, many: false, help: "Number of the packet among those that matched, from 1; not there if the rule doesn't count them." },
Attribute { name: "time", number: 6, kind: Kind::Uint, many: false, help: "When, nanoseconds of CLOCK_MONOTONIC." },
Attribute { name: "in-device", number: 7, kind: Kind::U32, many: false, help: "Number of the device it came in by." },
Attribute { name: "out-device", number: 8, kind: Kind::U32, many: false, help: "Number of the device it is to leave by." },
Attribute { name: "mark", number: 9, kind: Kind::U32, many: false, help: "Its mark, if it has one." },
Attribute { name: "ethertype", number: 10, kind: Kind::U32, many: false, help: "What data begins with; not there if that is an Ethernet header." },
Attribute { name: "length", number: 11, kind: Kind::U32, many: false, help: "How long it is in bytes, from where data begins." },
Attribute { name: "data", number: 12, kind: Kind::Bytes, many: false, help: "Its first bytes." },
Attribute { name: "left-out", number: 13, kind: Kind::Uint, many: false, help: "Events of the chain that were not sent until then: at most 1000 a second are." },
Attribute { name: "drop-reason", number: 14, kind: Kind::Text, many: false, help: "Why it is dropped, if it is, as tracing shows it." },
]};

/// Sampling of what comes to a port, and what became of the packets sampled.
/// Those that are not among `delivered`, `forwarded`, `merged` and `lost` are on
/// their way.
pub const SAMPLING: Space = Space {
attributes: &[
Attribute { name: "ifindex", number: 1, kind: Kind::U32, many: false, help: "The port." },
Attribute { name: "generation", number: 2, kind: Kind::Uint, many: false, help: "As of a port." },
Attribute { name: "one-in", number: 3, kind: Kind::U32, many: false, help: "One in so many is sampled, in the mean; 0 if none is." },
Attribute { name: "unit", number: 4, kind: Kind::Enum(VALUES_SAMPLING_UNIT), many: false, help: "What is chosen; packets if nothing is said." },
Attribute { name: "seed", number: 5, kind: Kind::U32, many: false, help: "What the choice is drawn from: the same seed, the same packets or flows; 0 if nothing is said." },
Attribute { name: "packets", number: 6, kind: Kind::Uint, many: false, help: "Packets that were looked at, sampled or not." },
Attribute { name: "samples", number: 7, kind: Kind::Uint, many: false, help: "Packets sampled. Of a super frame it is the first frame." },
Attribute { name: "delivered", number: 8, kind: Kind::Uint, many: false, help: "Those that were handed to their transport protocol." },
Attribute { name: "forwarded", number: 9, kind: Kind::Uint, many: false, help: "Those that went on to another host." },
Attribute { name: "merged", number: 10, kind: Kind::Uint, many: false, help: "Those that GRO made part of another packet." },
Attribute { name: "lost", number: 11, kind: Kind::Uint, many: false, help: "Those that were not seen again: dropped, taken by something else, or too long on their way." },
]};

/// Packets that took about as long.
pub const LATENCY_BUCKET: Space = Space {
    attributes: &[
        Attribute {
            name: "from",
            number: 1,
            kind: Kind::Uint,
            many: false,
            help: "The shortest time of the bucket, nanoseconds.",
        },
        Attribute {
            name: "below",
            number: 2,
            kind: Kind::Uint,
            many: false,
            help: "What is shorter is in it, nanoseconds; not there in the last one.",
        },
        Attribute {
            name: "packets",
            number: 3,
            kind: Kind::Uint,
            many: false,
            help: "How many.",
        },
    ],
};

/// How long sampled packets were in a stage, on their way to a port.
pub const LATENCY: Space = Space {
    attributes: &[
        Attribute {
            name: "ifindex",
            number: 1,
            kind: Kind::U32,
            many: false,
            help: "The port.",
        },
        Attribute {
            name: "stage",
            number: 2,
            kind: Kind::Enum(VALUES_LATENCY_STAGE),
            many: false,
            help: "The stage.",
        },
        Attribute {
            name: "generation",
            number: 3,
            kind: Kind::Uint,
            many: false,
            help: "As of a port.",
        },
        Attribute {
            name: "packets",
            number: 4,
            kind: Kind::Uint,
            many: false,
            help: "Packets that left the stage for another one, or for the end.",
        },
        Attribute {
            name: "lost",
            number: 5,
            kind: Kind::Uint,
            many: false,
            help: "Packets that were last seen in the stage.",
        },
        Attribute {
            name: "sum",
            number: 6,
            kind: Kind::Uint,
            many: false,
            help: "The time that packets were in it, together, nanoseconds.",
        },
        Attribute {
            name: "longest",
            number: 7,
            kind: Kind::Uint,
            many: false,
            help: "The longest time, nanoseconds.",
        },
        Attribute {
            name: "bucket",
            number: 8,
            kind: Kind::Nest(&LATENCY_BUCKET),
            many: true,
            help:
                "packets by the time they took, shortest first; without the buckets that are empty.",
        },
    ],
};

/// Get a port, or dump all of them by ascending ifindex.
pub const PORT_GET: Command = Command {
    name: "port-get",
    number: 1,
    space: &PORT,
    help: "Get a port, or dump all of them by ascending ifindex.",
    request: &["ifindex"],
    dump: Some(&[]),
};

/// Change a port. What is not sent stays as it is. All changes are made, or
/// none.
pub const PORT_SET: Command = Command {
    name: "port-set",
    number: 2,
    space: &PORT,
    help: "Change a port. What is not sent stays as it is. All changes are made, or none.",
    request: &["ifindex", "pause-limit"],
    dump: None,
};

/// Get a wire, or dump all that have a port in the namespace.
pub const WIRE_GET: Command = Command {
    name: "wire-get",
    number: 6,
    space: &WIRE,
    help: "Get a wire, or dump all that have a port in the namespace.",
    request: &["id"],
    dump: Some(&[]),
};

/// Get a channel of a port that is up, or dump those of one port or of all
/// ports.
pub const CHANNEL_GET: Command = Command {
    name: "channel-get",
    number: 7,
    space: &CHANNEL,
    help: "Get a channel of a port that is up, or dump those of one port or of all ports.",
    request: &["ifindex", "index"],
    dump: Some(&["ifindex"]),
};

/// Get what a stage has counted since the pair was made or since
/// stats-reset, or dump that of all stages of one port or of all ports.
pub const STAGE_GET: Command = Command {
name: "stage-get", number: 8, space: &STAGE,
help: "Get what a stage has counted since the pair was made or since stats-reset, or dump that of all stages of one port or of all ports.",
request: &["ifindex", "direction", "stage"],
dump: Some(&["ifindex"]) };

/// Let channel-get and stage-get count a port's events from now on. The
/// counters of ip, ethtool and the netdev family go on as they are, and
/// so do those of the other end.
pub const STATS_RESET: Command = Command {
name: "stats-reset", number: 9, space: &PORT,
help: "Let channel-get and stage-get count a port's events from now on. The counters of ip, ethtool and the netdev family go on as they are, and so do those of the other end.",
request: &["ifindex"],
dump: None };

/// Change a wire. Ports that are up stay up: packets that were not sent
/// yet go the new way. What is not sent of the request stays as it is.
/// Needs the right to change both ends, wherever they are.
pub const WIRE_SET: Command = Command {
name: "wire-set", number: 10, space: &WIRE,
help: "Change a wire. Ports that are up stay up: packets that were not sent yet go the new way. What is not sent of the request stays as it is. Needs the right to change both ends, wherever they are.",
request: &["id", "datapath"],
dump: None };

/// Begin a transaction. It belongs to the socket, which can have one, and
/// goes with it. Nothing is changed until transaction-commit.
pub const TRANSACTION_BEGIN: Command = Command {
name: "transaction-begin", number: 11, space: &TRANSACTION,
help: "Begin a transaction. It belongs to the socket, which can have one, and goes with it. Nothing is changed until transaction-commit.",
request: &[],
dump: None };

/// Add changes to the socket's transaction: all that the message holds, or
/// none. Changes of chains and rules are added by their own commands, with
/// the flag `transaction`.
pub const TRANSACTION_ADD: Command = Command {
name: "transaction-add", number: 12, space: &TRANSACTION,
help: "Add changes to the socket's transaction: all that the message holds, or none. Changes of chains and rules are added by their own commands, with the flag transaction.",
request: &["port", "wire"],
dump: None };

/// Make all changes of the socket's transaction, or none; it is over either
/// way. With `generation` or `chain-generation`, only if the namespace is
/// still of those.
pub const TRANSACTION_COMMIT: Command = Command {
name: "transaction-commit", number: 13, space: &TRANSACTION,
help: "Make all changes of the socket's transaction, or none; it is over either way. With generation or chain-generation, only if the namespace is still of those.",
request: &["generation", "chain-generation"],
dump: None };

/// Forget the socket's transaction.
pub const TRANSACTION_ABORT: Command = Command {
    name: "transaction-abort",
    number: 14,
    space: &TRANSACTION,
    help: "Forget the socket's transaction.",
    request: &[],
    dump: None,
};

/// Get a chain, or dump all of the namespace.
pub const CHAIN_GET: Command = Command {
    name: "chain-get",
    number: 15,
    space: &CHAIN,
    help: "Get a chain, or dump all of the namespace.",
    request: &["name"],
    dump: Some(&[]),
};

/// Attach a new chain, without rules, to a hook. At a device it goes when
/// that goes, or moves to another namespace; with `any-device` it stays.
pub const CHAIN_ADD: Command = Command {
name: "chain-add", number: 16, space: &CHAIN,
help: "Attach a new chain, without rules, to a hook. At a device it goes when that goes, or moves to another namespace; with any-device it stays.",
request: &["name", "family", "hook", "priority", "ifindex", "any-device", "policy", "transaction"],
dump: None };

/// Change a chain's policy.
pub const CHAIN_SET: Command = Command {
    name: "chain-set",
    number: 17,
    space: &CHAIN,
    help: "Change a chain's policy.",
    request: &["name", "policy", "transaction"],
    dump: None,
};

/// Detach a chain; its rules go with it.
pub const CHAIN_DEL: Command = Command {
    name: "chain-del",
    number: 18,
    space: &CHAIN,
    help: "Detach a chain; its rules go with it.",
    request: &["name", "transaction"],
    dump: None,
};

/// Get a rule and what it has counted, or dump those of a chain, or of all
/// chains, in their order.
pub const RULE_GET: Command = Command {
name: "rule-get", number: 19, space: &RULE,
help: "Get a rule and what it has counted, or dump those of a chain, or of all chains, in their order.",
request: &["chain", "handle"],
dump: Some(&["chain"]) };

/// Add a rule to a chain: behind all others, or where `position` or `before`
/// say. The answer says which handle it has.
pub const RULE_ADD: Command = Command {
name: "rule-add", number: 20, space: &RULE,
help: "Add a rule to a chain: behind all others, or where position or before say. The answer says which handle it has.",
request: &["chain", "position", "before", "term", "action", "mark", "mark-mask", "dscp", "ecn", "queue", "bypass", "snap", "bits", "offset", "length", "copies", "delay", "jitter", "gap", "timeout", "nth", "every", "probability", "seed", "rate", "burst", "rate-bytes", "at-most", "segments", "notify", "drop-reason", "transaction"],
dump: None };

/// Put another rule in the place of one, under the same handle. It begins to
/// count anew.
pub const RULE_REPLACE: Command = Command {
    name: "rule-replace",
    number: 21,
    space: &RULE,
    help: "Put another rule in the place of one, under the same handle. It begins to count anew.",
    request: &[
        "chain",
        "handle",
        "term",
        "action",
        "mark",
        "mark-mask",
        "dscp",
        "ecn",
        "queue",
        "bypass",
        "snap",
        "bits",
        "offset",
        "length",
        "copies",
        "delay",
        "jitter",
        "gap",
        "timeout",
        "nth",
        "every",
        "probability",
        "seed",
        "rate",
        "burst",
        "rate-bytes",
        "at-most",
        "segments",
        "notify",
        "drop-reason",
        "transaction",
    ],
    dump: None,
};

/// Remove a rule, or all of a chain if no handle is given.
pub const RULE_DEL: Command = Command {
    name: "rule-del",
    number: 22,
    space: &RULE,
    help: "Remove a rule, or all of a chain if no handle is given.",
    request: &["chain", "handle", "transaction"],
    dump: None,
};

/// Let a rule count anew, or all of a chain and its policy if no handle is
/// given. What was done at most so many times, or for the n-th packet, can
/// be done again.
pub const RULE_RESET: Command = Command {
name: "rule-reset", number: 23, space: &RULE,
help: "Let a rule count anew, or all of a chain and its policy if no handle is given. What was done at most so many times, or for the n-th packet, can be done again.",
request: &["chain", "handle", "transaction"],
dump: None };

/// Get the sampling of what comes to a port, or dump that of all ports.
pub const SAMPLING_GET: Command = Command {
    name: "sampling-get",
    number: 32,
    space: &SAMPLING,
    help: "Get the sampling of what comes to a port, or dump that of all ports.",
    request: &["ifindex"],
    dump: Some(&[]),
};

/// Begin to sample what comes to a port, anew if it is sampled already; or
/// end it, with `one-in` 0, which leaves what was counted to be read. It
/// ends by itself, and its counts go, when the port moves to another
/// namespace.
pub const SAMPLING_SET: Command = Command {
name: "sampling-set", number: 33, space: &SAMPLING,
help: "Begin to sample what comes to a port, anew if it is sampled already; or end it, with one-in 0, which leaves what was counted to be read. It ends by itself, and its counts go, when the port moves to another namespace.",
request: &["ifindex", "one-in", "unit", "seed"],
dump: None };

/// Get how long sampled packets were in a stage, or dump all stages of one
/// port, or of all that were ever sampled.
pub const LATENCY_GET: Command = Command {
name: "latency-get", number: 34, space: &LATENCY,
help: "Get how long sampled packets were in a stage, or dump all stages of one port, or of all that were ever sampled.",
request: &["ifindex", "stage"],
dump: Some(&["ifindex"]) };

/// Let sampling-get and latency-get count anew.
pub const LATENCY_RESET: Command = Command {
    name: "latency-reset",
    number: 35,
    space: &SAMPLING,
    help: "Let sampling-get and latency-get count anew.",
    request: &["ifindex"],
    dump: None,
};

/// Notifications: number, name, and what their attributes are of.
pub const NOTIFICATIONS: &[(u8, &str, &Space)] = &[
    (3, "port-add-ntf", &PORT),
    (4, "port-del-ntf", &PORT),
    (5, "port-change-ntf", &PORT),
    (24, "packet-ntf", &PACKET),
    (25, "chain-add-ntf", &CHAIN),
    (26, "chain-del-ntf", &CHAIN),
    (27, "chain-change-ntf", &CHAIN),
    (28, "chain-rules-ntf", &CHAIN),
    (29, "rule-add-ntf", &RULE),
    (30, "rule-del-ntf", &RULE),
    (31, "rule-change-ntf", &RULE),
];
