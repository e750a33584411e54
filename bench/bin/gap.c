// SPDX-License-Identifier: GPL-2.0
/*
 * gap from=NETNS to=NETNS address=A [port=N] [pause=NANOSECONDS]
 *
 * How long traffic stands still while something else is done to the device: a
 * thread before all others sends a datagram each `pause`, and takes in what
 * has come. Says "ready" once they flow, goes on until standard input ends,
 * and prints: the longest time between two arrivals in nanoseconds, datagrams
 * sent, datagrams received.
 *
 * Arrivals are stamped by the kernel. As the thread goes before the one that
 * reconfigures, even on a single CPU, the time is what the device needs and
 * not what the request costs.
 */
#include "common.h"

#include <poll.h>

static uint64_t longest, last, sent, received;

static void take(int fd)
{
	char data[64], control[128];
	struct iovec part = { data, sizeof(data) };

	for (;;) {
		struct msghdr message = {
			.msg_iov = &part, .msg_iovlen = 1,
			.msg_control = control, .msg_controllen = sizeof(control),
		};
		struct cmsghdr *c;
		struct timespec stamp = { 0 };
		uint64_t at;

		if (recvmsg(fd, &message, MSG_DONTWAIT) < 0) {
			if (errno == EAGAIN)
				return;
			err(1, "recvmsg");
		}
		c = CMSG_FIRSTHDR(&message);
		if (!c || c->cmsg_type != SO_TIMESTAMPNS)
			errx(1, "a datagram without a time stamp");
		memcpy(&stamp, CMSG_DATA(c), sizeof(stamp));
		at = (uint64_t)stamp.tv_sec * 1000000000 + (uint64_t)stamp.tv_nsec;
		if (last && at - last > longest)
			longest = at - last;
		last = at;
		received++;
	}
}

static void turn(int near, int far, const struct timespec *pause)
{
	char c = 'x';

	/* A queue that stands still may refuse one. */
	if (write(near, &c, 1) == 1)
		sent++;
	else if (errno != ENOBUFS && errno != ENETDOWN)
		err(1, "write");
	nanosleep(pause, NULL);
	take(far);
}

int main(int argc, char **argv)
{
	struct timespec pause = { 0 };
	struct sched_param priority = { .sched_priority = 50 };
	struct pollfd end = { .fd = STDIN_FILENO, .events = POLLIN };
	struct sockaddr_in in;
	int near, far;

	(void)argc;
	arguments = argv;
	pause.tv_nsec = (long)number("pause", 20000);
	in = address_of(text("address", NULL), number("port", 5203));
	enter(text("to", NULL));
	far = socket(AF_INET, SOCK_DGRAM, 0);
	if (far < 0 || bind(far, (struct sockaddr *)&in, sizeof(in)))
		err(1, "receiver");
	set_option(far, SOL_SOCKET, SO_TIMESTAMPNS, 1);
	set_option(far, SOL_SOCKET, SO_RCVBUFFORCE, 32 << 20);
	enter(text("from", NULL));
	near = socket(AF_INET, SOCK_DGRAM, 0);
	if (near < 0 || connect(near, (struct sockaddr *)&in, sizeof(in)))
		err(1, "sender");
	if (sched_setscheduler(0, SCHED_FIFO, &priority))
		err(1, "SCHED_FIFO");

	for (int i = 0; i < 1000; i++)
		turn(near, far, &pause);
	if (!received)
		errx(1, "nothing arrives");
	longest = 0;
	puts("ready");
	fflush(stdout);
	while (poll(&end, 1, 0) == 0)
		turn(near, far, &pause);
	/* What has been held back is to count too. */
	for (int i = 0; i < 1000; i++)
		turn(near, far, &pause);
	printf("%llu %llu %llu\n", (unsigned long long)longest, (unsigned long long)sent,
	       (unsigned long long)received);
	return 0;
}
