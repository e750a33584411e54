// SPDX-License-Identifier: GPL-2.0
/*
 * datagrams from=NETNS to=NETNS address=A [port=N] [size=N] [burst=N] [count=N]
 *           [segments=N] [gro=1] [batches=N] [warm=N]
 *
 * UDP from socket to socket, by one process that sends a burst and then reads it:
 * so no socket buffer ever overflows, whatever the scheduler does. With
 * segments=, each send is that many datagrams of the size, to be cut by the
 * stack or the device (UDP_SEGMENT); with gro=1 the receiver takes them merged.
 * Prints a line for each batch: nanoseconds, datagrams.
 */
#include "common.h"

#include <netinet/udp.h>

#define BURST_MAX 64
#define ROOM 65536

static char payload[ROOM];
static char space[BURST_MAX][ROOM];
static struct mmsghdr outgoing[BURST_MAX], incoming[BURST_MAX];
static struct iovec outgoing_part, incoming_parts[BURST_MAX];

/* Sends @burst messages, and reads until all their @bytes have come. */
static void round_trip(int near, int far, unsigned int burst, uint64_t bytes)
{
	int sent = sendmmsg(near, outgoing, burst, 0);

	if (sent != (int)burst)
		err(1, "sendmmsg: %d of %u", sent, burst);
	while (bytes) {
		int got = recvmmsg(far, incoming, BURST_MAX, MSG_WAITFORONE, NULL);

		if (got < 0)
			err(1, "recvmmsg: %llu bytes of a burst are missing", (unsigned long long)bytes);
		for (int i = 0; i < got; i++)
			bytes -= incoming[i].msg_len;
	}
}

int main(int argc, char **argv)
{
	uint64_t size, count, segments, batches;
	unsigned int burst;
	struct sockaddr_in in;
	/* Long for a machine that is slow, short for one that has lost a datagram. */
	struct timeval patience = { .tv_sec = 10 };
	int near, far;

	(void)argc;
	arguments = argv;
	size = number("size", 18);
	burst = (unsigned int)number("burst", 32);
	count = number("count", 8192);
	segments = number("segments", 1);
	batches = number("batches", 5);
	if (!size || !segments || size * segments > 65507 || !burst || burst > BURST_MAX)
		errx(2, "size, segments or burst out of range");

	in = address_of(text("address", NULL), number("port", 5202));
	enter(text("to", NULL));
	far = socket(AF_INET, SOCK_DGRAM, 0);
	if (far < 0 || bind(far, (struct sockaddr *)&in, sizeof(in)))
		err(1, "receiver");
	set_option(far, SOL_SOCKET, SO_RCVBUFFORCE, 32 << 20);
	if (number("gro", 0))
		set_option(far, SOL_UDP, UDP_GRO, 1);
	if (setsockopt(far, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)))
		err(1, "SO_RCVTIMEO");
	enter(text("from", NULL));
	near = socket(AF_INET, SOCK_DGRAM, 0);
	if (near < 0 || connect(near, (struct sockaddr *)&in, sizeof(in)))
		err(1, "sender");
	set_option(near, SOL_SOCKET, SO_SNDBUFFORCE, 32 << 20);
	if (segments > 1)
		set_option(near, SOL_UDP, UDP_SEGMENT, (int)size);

	outgoing_part = (struct iovec){ payload, size * segments };
	for (int i = 0; i < BURST_MAX; i++) {
		outgoing[i].msg_hdr = (struct msghdr){ .msg_iov = &outgoing_part, .msg_iovlen = 1 };
		incoming_parts[i] = (struct iovec){ space[i], ROOM };
		incoming[i].msg_hdr = (struct msghdr){ .msg_iov = &incoming_parts[i], .msg_iovlen = 1 };
	}

	for (uint64_t done = 0; done < number("warm", 2048); done += burst * segments)
		round_trip(near, far, burst, burst * segments * size);
	while (batches--) {
		uint64_t begin = now(), done = 0;

		for (; done < count; done += burst * segments)
			round_trip(near, far, burst, burst * segments * size);
		printf("%llu %llu\n", (unsigned long long)(now() - begin), (unsigned long long)done);
	}
	return 0;
}
