// SPDX-License-Identifier: GPL-2.0
/*
 * rr from=NETNS to=NETNS address=A [port=N] [count=N] [batches=N] [warm=N]
 *
 * One byte there and one back over TCP, again and again, between two processes.
 * Prints a line for each batch: nanoseconds, and the round trips done in them.
 */
#include "common.h"

#include <signal.h>
#include <sys/wait.h>

static void byte(int fd, char c)
{
	if (write(fd, &c, 1) != 1 || read(fd, &c, 1) != 1)
		err(1, "round trip");
}

static _Noreturn void echo(int fd)
{
	char c;

	while (read(fd, &c, 1) == 1 && write(fd, &c, 1) == 1)
		;
	_exit(0);
}

int main(int argc, char **argv)
{
	uint64_t count, batches;
	int near, far;

	(void)argc;
	arguments = argv;
	count = number("count", 1000);
	batches = number("batches", 5);
	connected(text("from", NULL), text("to", NULL), text("address", NULL), number("port", 5201), &near, &far);
	set_option(near, IPPROTO_TCP, TCP_NODELAY, 1);
	set_option(far, IPPROTO_TCP, TCP_NODELAY, 1);
	switch (fork()) {
	case -1:
		err(1, "fork");
	case 0:
		close(near);
		pin(number("far-cpu", CPU_SETSIZE));
		echo(far);
	}
	close(far);
	pin(number("near-cpu", CPU_SETSIZE));

	for (uint64_t i = 0; i < number("warm", 100); i++)
		byte(near, 'w');
	while (batches--) {
		uint64_t begin = now();

		for (uint64_t i = 0; i < count; i++)
			byte(near, 'x');
		printf("%llu %llu\n", (unsigned long long)(now() - begin), (unsigned long long)count);
	}
	close(near);
	wait(NULL);
	return 0;
}
