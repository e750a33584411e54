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

	__FERRONIC_CMD_MAX,
	FERRONIC_CMD_MAX = (__FERRONIC_CMD_MAX - 1)
};

#define FERRONIC_MCGRP_MGMT	"mgmt"

#endif /* _UAPI_LINUX_FERRONIC_H */
