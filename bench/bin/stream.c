// SPDX-License-Identifier: GPL-2.0
/*
 * stream from=NETNS to=NETNS address=A [back=A] [port=N] [streams=N] [bytes=N] [batches=N] [warm=N]
 *
 * TCP streams from one namespace to address A of the other; with back=, each
 * second one goes the other way, to that address. Prints a line for each batch:
 * nanoseconds, and the bytes that all receivers together read in them.
 *
 * The batches follow each other without a pause: senders never stop, and the
 * first receiver looks at the clock whenever another batch is complete. So a
 * batch holds neither the start nor the end of a stream.
 */
#include "common.h"

#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/wait.h>

#define CHUNK (64 * 1024)
/* Fixed: sizes that the kernel tunes go on drifting for gigabytes. */
#define ROOM (1 << 20)

static char buffer[CHUNK];
static _Atomic uint64_t *received;

static _Noreturn void send_forever(int fd)
{
	for (;;)
		if (write(fd, buffer, CHUNK) < 0)
			err(1, "write");
}

static uint64_t receive(int fd)
{
	ssize_t size = read(fd, buffer, CHUNK);

	if (size <= 0)
		err(1, "read");
	return atomic_fetch_add(received, (uint64_t)size) + (uint64_t)size;
}

static void measure(int fd)
{
	uint64_t bytes = number("bytes", 16 << 20), batches = number("batches", 5);
	uint64_t total = 0, then, before;

	while (total < number("warm", 8 << 20))
		total = receive(fd);
	then = now();
	before = total;
	while (batches--) {
		uint64_t time;

		while (total < before + bytes)
			total = receive(fd);
		time = now();
		printf("%llu %llu\n", (unsigned long long)(time - then),
		       (unsigned long long)(total - before));
		then = time;
		before = total;
	}
	fflush(stdout);
}

int main(int argc, char **argv)
{
	uint64_t streams, port;
	const char *from, *to, *address, *back;
	int first = -1;

	(void)argc;
	arguments = argv;
	from = text("from", NULL);
	to = text("to", NULL);
	address = text("address", NULL);
	back = text("back", "");
	port = number("port", 5201);
	streams = number("streams", 1);
	received = mmap(NULL, sizeof(*received), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (received == MAP_FAILED)
		err(1, "mmap");
	/* Whoever fails or ends takes the others along. */
	if (setpgid(0, 0))
		err(1, "setpgid");

	for (uint64_t i = 0; i < streams; i++) {
		int near, far;

		if (*back && i % 2)
			connected(to, from, back, port + i, &near, &far);
		else
			connected(from, to, address, port + i, &near, &far);
		set_option(near, SOL_SOCKET, SO_SNDBUFFORCE, ROOM);
		set_option(far, SOL_SOCKET, SO_RCVBUFFORCE, ROOM);
		switch (fork()) {
		case -1:
			err(1, "fork");
		case 0:
			if (i)
				close(far);
			send_forever(near);
		}
		close(near);
		if (!i) {
			first = far;
			continue;
		}
		switch (fork()) {
		case -1:
			err(1, "fork");
		case 0:
			for (;;)
				receive(far);
		}
		close(far);
	}
	measure(first);
	signal(SIGTERM, SIG_IGN);
	kill(0, SIGTERM);
	while (wait(NULL) > 0)
		;
	return 0;
}
