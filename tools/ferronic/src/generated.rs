// SPDX-License-Identifier: GPL-2.0
// Written by tools/spec/generate from Documentation/netlink/specs/ferronic.yaml. Do not edit.

//! What the netlink specification says: names, numbers and types.

use crate::spec::{Attribute, Command, Kind, Space, Value};

/// Name of the family.
pub const FAMILY: &str = "ferronic";

/// Version of its protocol.
pub const VERSION: u8 = 1;

/// The multicast group `mgmt`.
pub const GROUP_MGMT: &str = "mgmt";

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
            help: "Its datapath.",
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
            help: "Its datapath.",
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

/// Get what a stage has counted since the module was loaded or since
/// stats-reset, or dump that of all stages of one port or of all ports.
pub const STAGE_GET: Command = Command {
name: "stage-get", number: 8, space: &STAGE,
help: "Get what a stage has counted since the module was loaded or since stats-reset, or dump that of all stages of one port or of all ports.",
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

/// Change a wire while both of its ports are down. What is not sent stays
/// as it is. Needs the right to change both ends, wherever they are.
pub const WIRE_SET: Command = Command {
name: "wire-set", number: 10, space: &WIRE,
help: "Change a wire while both of its ports are down. What is not sent stays as it is. Needs the right to change both ends, wherever they are.",
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
/// none.
pub const TRANSACTION_ADD: Command = Command {
    name: "transaction-add",
    number: 12,
    space: &TRANSACTION,
    help: "Add changes to the socket's transaction: all that the message holds, or none.",
    request: &["port", "wire"],
    dump: None,
};

/// Make all changes of the socket's transaction, or none; it is over either
/// way. With `generation`, only if the namespace is still of that one.
pub const TRANSACTION_COMMIT: Command = Command {
name: "transaction-commit", number: 13, space: &TRANSACTION,
help: "Make all changes of the socket's transaction, or none; it is over either way. With generation, only if the namespace is still of that one.",
request: &["generation"],
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

/// Notifications: number, name, and the command whose reply they are like.
pub const NOTIFICATIONS: &[(u8, &str, &Command)] = &[
    (3, "port-add-ntf", &PORT_GET),
    (4, "port-del-ntf", &PORT_GET),
    (5, "port-change-ntf", &PORT_GET),
];
