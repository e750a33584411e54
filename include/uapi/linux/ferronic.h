/* SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause) */
/* Do not edit directly, auto-generated from: */
/*	Documentation/netlink/specs/ferronic.yaml */
/* YNL-GEN uapi header */
/* To regenerate run: tools/spec/generate */

#ifndef _UAPI_LINUX_FERRONIC_H
#define _UAPI_LINUX_FERRONIC_H

#define FERRONIC_FAMILY_NAME	"ferronic"
#define FERRONIC_FAMILY_VERSION	1

/**
 * enum ferronic_datapath - How packets get from one end of a wire to the
 *   other.
 * @FERRONIC_DATAPATH_NIC: As frames, copied into buffers that the receiver
 *   posted, cut and with checksums filled as on a real wire.
 * @FERRONIC_DATAPATH_HANDOFF: The transmitted packet itself becomes the
 *   received one.
 */
enum ferronic_datapath {
	FERRONIC_DATAPATH_NIC,
	FERRONIC_DATAPATH_HANDOFF,
};

/**
 * enum ferronic_end - Which end of a wire.
 * @FERRONIC_END_A: The end that was named first when the pair was made.
 * @FERRONIC_END_B: The other one, its peer.
 */
enum ferronic_end {
	FERRONIC_END_A,
	FERRONIC_END_B,
};

/**
 * enum ferronic_direction - Which way frames go, seen from the port.
 * @FERRONIC_DIRECTION_TX: From the port to the other end.
 * @FERRONIC_DIRECTION_RX: From the other end to the port.
 */
enum ferronic_direction {
	FERRONIC_DIRECTION_TX,
	FERRONIC_DIRECTION_RX,
};

/**
 * enum ferronic_stage - A step on a frame's way, in the order in which it is
 *   taken.
 * @FERRONIC_STAGE_POST: The stack posts packets to the TX rings (direction
 *   tx): how often a queue was stopped and woken, and what came while it was
 *   closed.
 * @FERRONIC_STAGE_SEGMENT: The engine cuts packets into frames (direction tx):
 *   packets and bytes that asked for it, frames and bytes that came of them.
 * @FERRONIC_STAGE_CHECKSUM: The engine fills checksums (direction tx), frames
 *   so treated.
 * @FERRONIC_STAGE_WIRE: Frames leave the sender. Direction tx are the port's
 *   own, rx those of the other end on their way to the port. Frames sent,
 *   whatever becomes of them, and those dropped between the two ports by
 *   reason.
 * @FERRONIC_STAGE_DELIVER: Frames find posted buffers (direction rx): how
 *   often one had to wait (a pause frame, as hardware says), and those left in
 *   a ring that was closed.
 * @FERRONIC_STAGE_RECEIVE: Polls pass frames on to the stack (direction rx),
 *   with what was found of their checksums.
 */
enum ferronic_stage {
	FERRONIC_STAGE_POST,
	FERRONIC_STAGE_SEGMENT,
	FERRONIC_STAGE_CHECKSUM,
	FERRONIC_STAGE_WIRE,
	FERRONIC_STAGE_DELIVER,
	FERRONIC_STAGE_RECEIVE,
};

/**
 * enum ferronic_drop_reason - Why a frame was dropped.
 * @FERRONIC_DROP_REASON_NO_CARRIER: The other end is down, deleted, or has no
 *   open queue.
 * @FERRONIC_DROP_REASON_FILTERED: The receiver does not take the destination
 *   address.
 * @FERRONIC_DROP_REASON_TOO_LONG: Longer than the receiver takes.
 * @FERRONIC_DROP_REASON_TOO_SHORT: No Ethernet header.
 * @FERRONIC_DROP_REASON_NO_BUFFER: The receiver has no buffer, and pause is
 *   off.
 * @FERRONIC_DROP_REASON_PAUSE_EXPIRED: The receiver has had no buffer for
 *   longer than the pause limit.
 * @FERRONIC_DROP_REASON_CLOSED: Left in a TX ring that was closed or
 *   exchanged.
 * @FERRONIC_DROP_REASON_UNREAD: Left in an RX ring that was closed or
 *   exchanged.
 * @FERRONIC_DROP_REASON_NO_MEMORY: No memory for the received packet.
 * @FERRONIC_DROP_REASON_SEGMENTATION: Segmentation was asked for in a way the
 *   device has not offered.
 * @FERRONIC_DROP_REASON_NOT_OPEN: The stack sent while the queue was closed.
 * @FERRONIC_DROP_REASON_RULE: One of the receiver's n-tuple rules says so.
 */
enum ferronic_drop_reason {
	FERRONIC_DROP_REASON_NO_CARRIER,
	FERRONIC_DROP_REASON_FILTERED,
	FERRONIC_DROP_REASON_TOO_LONG,
	FERRONIC_DROP_REASON_TOO_SHORT,
	FERRONIC_DROP_REASON_NO_BUFFER,
	FERRONIC_DROP_REASON_PAUSE_EXPIRED,
	FERRONIC_DROP_REASON_CLOSED,
	FERRONIC_DROP_REASON_UNREAD,
	FERRONIC_DROP_REASON_NO_MEMORY,
	FERRONIC_DROP_REASON_SEGMENTATION,
	FERRONIC_DROP_REASON_NOT_OPEN,
	FERRONIC_DROP_REASON_RULE,
};

/**
 * enum ferronic_chain_family - Which packets come to a chain.
 * @FERRONIC_CHAIN_FAMILY_IP: Those of IPv4.
 * @FERRONIC_CHAIN_FAMILY_IP6: Those of IPv6.
 * @FERRONIC_CHAIN_FAMILY_INET: Both.
 * @FERRONIC_CHAIN_FAMILY_NETDEV: All that a device carries.
 */
enum ferronic_chain_family {
	FERRONIC_CHAIN_FAMILY_IP,
	FERRONIC_CHAIN_FAMILY_IP6,
	FERRONIC_CHAIN_FAMILY_INET,
	FERRONIC_CHAIN_FAMILY_NETDEV,
};

/**
 * enum ferronic_hook - The points of the stack that a chain can be at.
 * @FERRONIC_HOOK_PREROUTING: A packet has been received.
 * @FERRONIC_HOOK_INPUT: It is for this machine.
 * @FERRONIC_HOOK_FORWARD: It is for another one.
 * @FERRONIC_HOOK_OUTPUT: It was made here.
 * @FERRONIC_HOOK_POSTROUTING: It is about to leave.
 * @FERRONIC_HOOK_INGRESS: A device has received it.
 * @FERRONIC_HOOK_EGRESS: It goes to a device's queues.
 */
enum ferronic_hook {
	FERRONIC_HOOK_PREROUTING,
	FERRONIC_HOOK_INPUT,
	FERRONIC_HOOK_FORWARD,
	FERRONIC_HOOK_OUTPUT,
	FERRONIC_HOOK_POSTROUTING,
	FERRONIC_HOOK_INGRESS,
	FERRONIC_HOOK_EGRESS,
};

/**
 * enum ferronic_chain_policy - What becomes of packets that no rule decides
 *   on.
 * @FERRONIC_CHAIN_POLICY_ACCEPT: They go on.
 * @FERRONIC_CHAIN_POLICY_DROP: They are dropped.
 */
enum ferronic_chain_policy {
	FERRONIC_CHAIN_POLICY_ACCEPT,
	FERRONIC_CHAIN_POLICY_DROP,
};

/**
 * enum ferronic_field - What of a packet a term looks at: a number of up to
 *   128 bits, in the order of its bytes on the wire. A packet that has no such
 *   field fulfils no term on it.
 * @FERRONIC_FIELD_IN_DEVICE: Number of the device it came in by.
 * @FERRONIC_FIELD_OUT_DEVICE: Number of the device it is to leave by.
 * @FERRONIC_FIELD_SOURCE_MAC: Source of the Ethernet header.
 * @FERRONIC_FIELD_DESTINATION_MAC: Destination of the Ethernet header.
 * @FERRONIC_FIELD_ETHERTYPE: Ethertype, behind all VLAN tags.
 * @FERRONIC_FIELD_VLAN: VLAN id of the outermost tag.
 * @FERRONIC_FIELD_INNER_VLAN: VLAN id of the tag behind it.
 * @FERRONIC_FIELD_SOURCE_IPV4: Source of an IPv4 packet.
 * @FERRONIC_FIELD_DESTINATION_IPV4: Destination of an IPv4 packet.
 * @FERRONIC_FIELD_SOURCE_IPV6: Source of an IPv6 packet.
 * @FERRONIC_FIELD_DESTINATION_IPV6: Destination of an IPv6 packet.
 * @FERRONIC_FIELD_PROTOCOL: Protocol of IP's payload, behind all extension
 *   headers.
 * @FERRONIC_FIELD_SOURCE_PORT: Source port of TCP, UDP or SCTP.
 * @FERRONIC_FIELD_DESTINATION_PORT: Destination port of TCP, UDP or SCTP.
 * @FERRONIC_FIELD_TCP_FLAGS: Flags of TCP, from the lowest bit: FIN, SYN, RST,
 *   PSH, ACK, URG, ECE, CWR, AE.
 * @FERRONIC_FIELD_ICMP_TYPE: Type of an ICMP message.
 * @FERRONIC_FIELD_ICMP_CODE: Its code.
 * @FERRONIC_FIELD_ICMPV6_TYPE: Type of an ICMPv6 message.
 * @FERRONIC_FIELD_ICMPV6_CODE: Its code.
 * @FERRONIC_FIELD_DSCP: Differentiated services code point.
 * @FERRONIC_FIELD_ECN: Explicit congestion notification.
 * @FERRONIC_FIELD_TTL: Time to live, or hop limit.
 * @FERRONIC_FIELD_FRAGMENT: 0 for a whole packet, 1 for the first fragment, 2
 *   for a later one.
 * @FERRONIC_FIELD_LENGTH: Length in bytes, from the IP header, or at a device
 *   from the Ethernet header on.
 * @FERRONIC_FIELD_MARK: Mark of the packet.
 * @FERRONIC_FIELD_PACKET_TYPE: Whom it is for, as the link layer sees it: 0
 *   this host, 1 broadcast, 2 multicast, 3 another host, 4 outgoing.
 * @FERRONIC_FIELD_CONNTRACK: State of its connection, bits: 0 invalid, 1
 *   established, 2 related, 3 new, 6 untracked; 8 direction of replies, 9
 *   source translated, 10 destination translated. Not there where connection
 *   tracking isn't loaded, or hasn't seen the packet.
 */
enum ferronic_field {
	FERRONIC_FIELD_IN_DEVICE,
	FERRONIC_FIELD_OUT_DEVICE,
	FERRONIC_FIELD_SOURCE_MAC,
	FERRONIC_FIELD_DESTINATION_MAC,
	FERRONIC_FIELD_ETHERTYPE,
	FERRONIC_FIELD_VLAN,
	FERRONIC_FIELD_INNER_VLAN,
	FERRONIC_FIELD_SOURCE_IPV4,
	FERRONIC_FIELD_DESTINATION_IPV4,
	FERRONIC_FIELD_SOURCE_IPV6,
	FERRONIC_FIELD_DESTINATION_IPV6,
	FERRONIC_FIELD_PROTOCOL,
	FERRONIC_FIELD_SOURCE_PORT,
	FERRONIC_FIELD_DESTINATION_PORT,
	FERRONIC_FIELD_TCP_FLAGS,
	FERRONIC_FIELD_ICMP_TYPE,
	FERRONIC_FIELD_ICMP_CODE,
	FERRONIC_FIELD_ICMPV6_TYPE,
	FERRONIC_FIELD_ICMPV6_CODE,
	FERRONIC_FIELD_DSCP,
	FERRONIC_FIELD_ECN,
	FERRONIC_FIELD_TTL,
	FERRONIC_FIELD_FRAGMENT,
	FERRONIC_FIELD_LENGTH,
	FERRONIC_FIELD_MARK,
	FERRONIC_FIELD_PACKET_TYPE,
	FERRONIC_FIELD_CONNTRACK,
};

/**
 * enum ferronic_test - What a field is tested for.
 * @FERRONIC_TEST_VALUE: It is @value.
 * @FERRONIC_TEST_PREFIX: Its highest @operand bits are those of @value.
 * @FERRONIC_TEST_MASK: Its bits under @operand are @value.
 * @FERRONIC_TEST_RANGE: It is not below @value nor above @operand.
 */
enum ferronic_test {
	FERRONIC_TEST_VALUE,
	FERRONIC_TEST_PREFIX,
	FERRONIC_TEST_MASK,
	FERRONIC_TEST_RANGE,
};

/**
 * enum ferronic_action - What a rule does with a packet.
 * @FERRONIC_ACTION_ACCEPT: It leaves the chain and goes on.
 * @FERRONIC_ACTION_DROP: It is dropped.
 * @FERRONIC_ACTION_CONTINUE: Nothing; the rule counts.
 * @FERRONIC_ACTION_SET_MARK: Its mark's bits under @mark-mask become @mark.
 * @FERRONIC_ACTION_SET_DSCP: Its DSCP becomes @dscp.
 * @FERRONIC_ACTION_SET_ECN: Its ECN becomes @ecn.
 * @FERRONIC_ACTION_QUEUE: It goes to the program that listens on queue @queue.
 * @FERRONIC_ACTION_SAMPLE: Its first @snap bytes are shown in an event.
 * @FERRONIC_ACTION_CORRUPT: So many of its @bits are flipped, from byte
 *   @offset on.
 * @FERRONIC_ACTION_TRUNCATE: It is cut off behind @length bytes.
 * @FERRONIC_ACTION_DUPLICATE: So many @copies of it go along.
 * @FERRONIC_ACTION_DELAY: It is held for @delay, up to @jitter more or less.
 * @FERRONIC_ACTION_REORDER: It is held until @gap others have passed, or
 *   @timeout is over.
 */
enum ferronic_action {
	FERRONIC_ACTION_ACCEPT,
	FERRONIC_ACTION_DROP,
	FERRONIC_ACTION_CONTINUE,
	FERRONIC_ACTION_SET_MARK,
	FERRONIC_ACTION_SET_DSCP,
	FERRONIC_ACTION_SET_ECN,
	FERRONIC_ACTION_QUEUE,
	FERRONIC_ACTION_SAMPLE,
	FERRONIC_ACTION_CORRUPT,
	FERRONIC_ACTION_TRUNCATE,
	FERRONIC_ACTION_DUPLICATE,
	FERRONIC_ACTION_DELAY,
	FERRONIC_ACTION_REORDER,
};

/**
 * enum ferronic_sampling_unit - What is chosen to be sampled.
 * @FERRONIC_SAMPLING_UNIT_PACKET: Packets, one by one.
 * @FERRONIC_SAMPLING_UNIT_FLOW: Flows, with all of their packets: what has the
 *   same addresses, protocol and ports.
 */
enum ferronic_sampling_unit {
	FERRONIC_SAMPLING_UNIT_PACKET,
	FERRONIC_SAMPLING_UNIT_FLOW,
};

/**
 * enum ferronic_latency_stage - Where a sampled packet is, in the order in
 *   which it comes by. It is in a stage from when it comes there until it
 *   comes to another. Of the first three nothing is known unless the port that
 *   sends it is sampled as well.
 * @FERRONIC_LATENCY_STAGE_OUTPUT: It was made by the sender, and has come to
 *   the first hook at OUTPUT.
 * @FERRONIC_LATENCY_STAGE_POSTROUTING: It has come to the sender's first hook
 *   at POSTROUTING.
 * @FERRONIC_LATENCY_STAGE_EGRESS: It has come to the egress hook of the port
 *   that sends it; behind that is the queue discipline.
 * @FERRONIC_LATENCY_STAGE_TX_RING: The stack has posted it to a TX ring of the
 *   other end: it waits for the doorbell, or behind others. On the handoff
 *   datapath that is the only ring.
 * @FERRONIC_LATENCY_STAGE_ENGINE: The engine moves it into the receiver's
 *   buffers, for which it may have to wait.
 * @FERRONIC_LATENCY_STAGE_RX_RING: It is in the RX ring, and waits for the
 *   poll.
 * @FERRONIC_LATENCY_STAGE_NAPI: The poll has taken it, and makes a packet of
 *   it.
 * @FERRONIC_LATENCY_STAGE_GRO: GRO has it, then what the stack does before the
 *   first hook.
 * @FERRONIC_LATENCY_STAGE_INGRESS: It has come to the ingress hook of the
 *   device.
 * @FERRONIC_LATENCY_STAGE_PREROUTING: It has come to the first hook at
 *   PREROUTING.
 * @FERRONIC_LATENCY_STAGE_INPUT: It has come to the first hook at INPUT. The
 *   stage ends behind the last one, where its transport protocol takes it.
 * @FERRONIC_LATENCY_STAGE_FORWARD: It has come to the first hook at FORWARD:
 *   it is to go on to another host.
 * @FERRONIC_LATENCY_STAGE_LEAVING: It goes on to another host, and has come to
 *   the first hook at POSTROUTING. The stage ends behind the last one.
 * @FERRONIC_LATENCY_STAGE_TOTAL: The whole way, of those packets that came to
 *   the end of @input or @leaving.
 */
enum ferronic_latency_stage {
	FERRONIC_LATENCY_STAGE_OUTPUT,
	FERRONIC_LATENCY_STAGE_POSTROUTING,
	FERRONIC_LATENCY_STAGE_EGRESS,
	FERRONIC_LATENCY_STAGE_TX_RING,
	FERRONIC_LATENCY_STAGE_ENGINE,
	FERRONIC_LATENCY_STAGE_RX_RING,
	FERRONIC_LATENCY_STAGE_NAPI,
	FERRONIC_LATENCY_STAGE_GRO,
	FERRONIC_LATENCY_STAGE_INGRESS,
	FERRONIC_LATENCY_STAGE_PREROUTING,
	FERRONIC_LATENCY_STAGE_INPUT,
	FERRONIC_LATENCY_STAGE_FORWARD,
	FERRONIC_LATENCY_STAGE_LEAVING,
	FERRONIC_LATENCY_STAGE_TOTAL,
};

#define FERRONIC_POLL_BUCKETS	8

enum {
	FERRONIC_A_PORT_IFINDEX = 1,
	FERRONIC_A_PORT_GENERATION,
	FERRONIC_A_PORT_NAME,
	FERRONIC_A_PORT_WIRE,
	FERRONIC_A_PORT_END,
	FERRONIC_A_PORT_DATAPATH,
	FERRONIC_A_PORT_PEER_IFINDEX,
	FERRONIC_A_PORT_PEER_NETNSID,
	FERRONIC_A_PORT_UP,
	FERRONIC_A_PORT_CARRIER,
	FERRONIC_A_PORT_MTU,
	FERRONIC_A_PORT_CHANNELS,
	FERRONIC_A_PORT_CHANNELS_MAX,
	FERRONIC_A_PORT_TX_RING,
	FERRONIC_A_PORT_RX_RING,
	FERRONIC_A_PORT_PAUSE_LIMIT,

	__FERRONIC_A_PORT_MAX,
	FERRONIC_A_PORT_MAX = (__FERRONIC_A_PORT_MAX - 1)
};

enum {
	FERRONIC_A_WIRE_PORT_END = 1,
	FERRONIC_A_WIRE_PORT_IFINDEX,
	FERRONIC_A_WIRE_PORT_NETNSID,
	FERRONIC_A_WIRE_PORT_NAME,

	__FERRONIC_A_WIRE_PORT_MAX,
	FERRONIC_A_WIRE_PORT_MAX = (__FERRONIC_A_WIRE_PORT_MAX - 1)
};

enum {
	FERRONIC_A_WIRE_ID = 1,
	FERRONIC_A_WIRE_GENERATION,
	FERRONIC_A_WIRE_DATAPATH,
	FERRONIC_A_WIRE_PORT,

	__FERRONIC_A_WIRE_MAX,
	FERRONIC_A_WIRE_MAX = (__FERRONIC_A_WIRE_MAX - 1)
};

enum {
	FERRONIC_A_TRANSACTION_GENERATION = 1,
	FERRONIC_A_TRANSACTION_PORT,
	FERRONIC_A_TRANSACTION_WIRE,
	FERRONIC_A_TRANSACTION_CHAIN_GENERATION,

	__FERRONIC_A_TRANSACTION_MAX,
	FERRONIC_A_TRANSACTION_MAX = (__FERRONIC_A_TRANSACTION_MAX - 1)
};

enum {
	FERRONIC_A_CHANNEL_IFINDEX = 1,
	FERRONIC_A_CHANNEL_INDEX,
	FERRONIC_A_CHANNEL_GENERATION,
	FERRONIC_A_CHANNEL_NAPI_ID,
	FERRONIC_A_CHANNEL_TX_RING,
	FERRONIC_A_CHANNEL_TX_QUEUED,
	FERRONIC_A_CHANNEL_TX_UNCOMPLETED,
	FERRONIC_A_CHANNEL_RX_RING,
	FERRONIC_A_CHANNEL_RX_POSTED,
	FERRONIC_A_CHANNEL_RX_FILLED,
	FERRONIC_A_CHANNEL_RAISES,
	FERRONIC_A_CHANNEL_POLLS,
	FERRONIC_A_CHANNEL_FRAMES,
	FERRONIC_A_CHANNEL_POLL_FRAMES,
	FERRONIC_A_CHANNEL_RX_USECS,
	FERRONIC_A_CHANNEL_RX_FRAMES,
	FERRONIC_A_CHANNEL_TX_USECS,
	FERRONIC_A_CHANNEL_TX_FRAMES,

	__FERRONIC_A_CHANNEL_MAX,
	FERRONIC_A_CHANNEL_MAX = (__FERRONIC_A_CHANNEL_MAX - 1)
};

enum {
	FERRONIC_A_DROP_REASON = 1,
	FERRONIC_A_DROP_FRAMES,

	__FERRONIC_A_DROP_MAX,
	FERRONIC_A_DROP_MAX = (__FERRONIC_A_DROP_MAX - 1)
};

enum {
	FERRONIC_A_STAGE_IFINDEX = 1,
	FERRONIC_A_STAGE_DIRECTION,
	FERRONIC_A_STAGE_STAGE,
	FERRONIC_A_STAGE_GENERATION,
	FERRONIC_A_STAGE_PACKETS,
	FERRONIC_A_STAGE_PACKET_BYTES,
	FERRONIC_A_STAGE_FRAMES,
	FERRONIC_A_STAGE_BYTES,
	FERRONIC_A_STAGE_MULTICAST,
	FERRONIC_A_STAGE_BROADCAST,
	FERRONIC_A_STAGE_STOPS,
	FERRONIC_A_STAGE_WAKES,
	FERRONIC_A_STAGE_WAITS,
	FERRONIC_A_STAGE_CHECKSUM_GOOD,
	FERRONIC_A_STAGE_CHECKSUM_BAD,
	FERRONIC_A_STAGE_CHECKSUM_NONE,
	FERRONIC_A_STAGE_ALLOC_FAILS,
	FERRONIC_A_STAGE_DROP,

	__FERRONIC_A_STAGE_MAX,
	FERRONIC_A_STAGE_MAX = (__FERRONIC_A_STAGE_MAX - 1)
};

enum {
	FERRONIC_A_CHAIN_NAME = 1,
	FERRONIC_A_CHAIN_GENERATION,
	FERRONIC_A_CHAIN_FAMILY,
	FERRONIC_A_CHAIN_HOOK,
	FERRONIC_A_CHAIN_PRIORITY,
	FERRONIC_A_CHAIN_IFINDEX,
	FERRONIC_A_CHAIN_POLICY,
	FERRONIC_A_CHAIN_RULES,
	FERRONIC_A_CHAIN_SHAPES,
	FERRONIC_A_CHAIN_PACKETS,
	FERRONIC_A_CHAIN_BYTES,
	FERRONIC_A_CHAIN_TRANSACTION,
	FERRONIC_A_CHAIN_HELD,
	FERRONIC_A_CHAIN_OVERFLOWS,
	FERRONIC_A_CHAIN_UNHELD,
	FERRONIC_A_CHAIN_UNCUT,
	FERRONIC_A_CHAIN_ANY_DEVICE,
	FERRONIC_A_CHAIN_DEVICES,
	FERRONIC_A_CHAIN_MISSED,
	FERRONIC_A_CHAIN_LOST,
	FERRONIC_A_CHAIN_MEMORY,
	FERRONIC_A_CHAIN_COUNTER_MEMORY,

	__FERRONIC_A_CHAIN_MAX,
	FERRONIC_A_CHAIN_MAX = (__FERRONIC_A_CHAIN_MAX - 1)
};

enum {
	FERRONIC_A_TERM_FIELD = 1,
	FERRONIC_A_TERM_TEST,
	FERRONIC_A_TERM_NEGATED,
	FERRONIC_A_TERM_VALUE,
	FERRONIC_A_TERM_VALUE_HIGH,
	FERRONIC_A_TERM_OPERAND,
	FERRONIC_A_TERM_OPERAND_HIGH,

	__FERRONIC_A_TERM_MAX,
	FERRONIC_A_TERM_MAX = (__FERRONIC_A_TERM_MAX - 1)
};

enum {
	FERRONIC_A_RULE_CHAIN = 1,
	FERRONIC_A_RULE_HANDLE,
	FERRONIC_A_RULE_GENERATION,
	FERRONIC_A_RULE_POSITION,
	FERRONIC_A_RULE_BEFORE,
	FERRONIC_A_RULE_TERM,
	FERRONIC_A_RULE_ACTION,
	FERRONIC_A_RULE_MARK,
	FERRONIC_A_RULE_MARK_MASK,
	FERRONIC_A_RULE_DSCP,
	FERRONIC_A_RULE_ECN,
	FERRONIC_A_RULE_QUEUE,
	FERRONIC_A_RULE_BYPASS,
	FERRONIC_A_RULE_SNAP,
	FERRONIC_A_RULE_BITS,
	FERRONIC_A_RULE_OFFSET,
	FERRONIC_A_RULE_LENGTH,
	FERRONIC_A_RULE_COPIES,
	FERRONIC_A_RULE_DELAY,
	FERRONIC_A_RULE_JITTER,
	FERRONIC_A_RULE_GAP,
	FERRONIC_A_RULE_TIMEOUT,
	FERRONIC_A_RULE_NTH,
	FERRONIC_A_RULE_EVERY,
	FERRONIC_A_RULE_PROBABILITY,
	FERRONIC_A_RULE_SEED,
	FERRONIC_A_RULE_RATE,
	FERRONIC_A_RULE_BURST,
	FERRONIC_A_RULE_RATE_BYTES,
	FERRONIC_A_RULE_AT_MOST,
	FERRONIC_A_RULE_SEGMENTS,
	FERRONIC_A_RULE_PACKETS,
	FERRONIC_A_RULE_BYTES,
	FERRONIC_A_RULE_ACTED,
	FERRONIC_A_RULE_TRANSACTION,
	FERRONIC_A_RULE_NOTIFY,
	FERRONIC_A_RULE_DROP_REASON,

	__FERRONIC_A_RULE_MAX,
	FERRONIC_A_RULE_MAX = (__FERRONIC_A_RULE_MAX - 1)
};

enum {
	FERRONIC_A_PACKET_CHAIN = 1,
	FERRONIC_A_PACKET_HANDLE,
	FERRONIC_A_PACKET_ACTION,
	FERRONIC_A_PACKET_HOOK,
	FERRONIC_A_PACKET_NUMBER,
	FERRONIC_A_PACKET_TIME,
	FERRONIC_A_PACKET_IN_DEVICE,
	FERRONIC_A_PACKET_OUT_DEVICE,
	FERRONIC_A_PACKET_MARK,
	FERRONIC_A_PACKET_ETHERTYPE,
	FERRONIC_A_PACKET_LENGTH,
	FERRONIC_A_PACKET_DATA,
	FERRONIC_A_PACKET_LEFT_OUT,
	FERRONIC_A_PACKET_DROP_REASON,

	__FERRONIC_A_PACKET_MAX,
	FERRONIC_A_PACKET_MAX = (__FERRONIC_A_PACKET_MAX - 1)
};

enum {
	FERRONIC_A_SAMPLING_IFINDEX = 1,
	FERRONIC_A_SAMPLING_GENERATION,
	FERRONIC_A_SAMPLING_ONE_IN,
	FERRONIC_A_SAMPLING_UNIT,
	FERRONIC_A_SAMPLING_SEED,
	FERRONIC_A_SAMPLING_PACKETS,
	FERRONIC_A_SAMPLING_SAMPLES,
	FERRONIC_A_SAMPLING_DELIVERED,
	FERRONIC_A_SAMPLING_FORWARDED,
	FERRONIC_A_SAMPLING_MERGED,
	FERRONIC_A_SAMPLING_LOST,

	__FERRONIC_A_SAMPLING_MAX,
	FERRONIC_A_SAMPLING_MAX = (__FERRONIC_A_SAMPLING_MAX - 1)
};

enum {
	FERRONIC_A_LATENCY_BUCKET_FROM = 1,
	FERRONIC_A_LATENCY_BUCKET_BELOW,
	FERRONIC_A_LATENCY_BUCKET_PACKETS,

	__FERRONIC_A_LATENCY_BUCKET_MAX,
	FERRONIC_A_LATENCY_BUCKET_MAX = (__FERRONIC_A_LATENCY_BUCKET_MAX - 1)
};

enum {
	FERRONIC_A_LATENCY_IFINDEX = 1,
	FERRONIC_A_LATENCY_STAGE,
	FERRONIC_A_LATENCY_GENERATION,
	FERRONIC_A_LATENCY_PACKETS,
	FERRONIC_A_LATENCY_LOST,
	FERRONIC_A_LATENCY_SUM,
	FERRONIC_A_LATENCY_LONGEST,
	FERRONIC_A_LATENCY_BUCKET,

	__FERRONIC_A_LATENCY_MAX,
	FERRONIC_A_LATENCY_MAX = (__FERRONIC_A_LATENCY_MAX - 1)
};

enum {
	FERRONIC_CMD_PORT_GET = 1,
	FERRONIC_CMD_PORT_SET,
	FERRONIC_CMD_PORT_ADD_NTF,
	FERRONIC_CMD_PORT_DEL_NTF,
	FERRONIC_CMD_PORT_CHANGE_NTF,
	FERRONIC_CMD_WIRE_GET,
	FERRONIC_CMD_CHANNEL_GET,
	FERRONIC_CMD_STAGE_GET,
	FERRONIC_CMD_STATS_RESET,
	FERRONIC_CMD_WIRE_SET,
	FERRONIC_CMD_TRANSACTION_BEGIN,
	FERRONIC_CMD_TRANSACTION_ADD,
	FERRONIC_CMD_TRANSACTION_COMMIT,
	FERRONIC_CMD_TRANSACTION_ABORT,
	FERRONIC_CMD_CHAIN_GET,
	FERRONIC_CMD_CHAIN_ADD,
	FERRONIC_CMD_CHAIN_SET,
	FERRONIC_CMD_CHAIN_DEL,
	FERRONIC_CMD_RULE_GET,
	FERRONIC_CMD_RULE_ADD,
	FERRONIC_CMD_RULE_REPLACE,
	FERRONIC_CMD_RULE_DEL,
	FERRONIC_CMD_RULE_RESET,
	FERRONIC_CMD_PACKET_NTF,
	FERRONIC_CMD_CHAIN_ADD_NTF,
	FERRONIC_CMD_CHAIN_DEL_NTF,
	FERRONIC_CMD_CHAIN_CHANGE_NTF,
	FERRONIC_CMD_CHAIN_RULES_NTF,
	FERRONIC_CMD_RULE_ADD_NTF,
	FERRONIC_CMD_RULE_DEL_NTF,
	FERRONIC_CMD_RULE_CHANGE_NTF,
	FERRONIC_CMD_SAMPLING_GET,
	FERRONIC_CMD_SAMPLING_SET,
	FERRONIC_CMD_LATENCY_GET,
	FERRONIC_CMD_LATENCY_RESET,

	__FERRONIC_CMD_MAX,
	FERRONIC_CMD_MAX = (__FERRONIC_CMD_MAX - 1)
};

#define FERRONIC_MCGRP_MGMT	"mgmt"
#define FERRONIC_MCGRP_PACKETS	"packets"
#define FERRONIC_MCGRP_HOOKS	"hooks"

#endif /* _UAPI_LINUX_FERRONIC_H */
