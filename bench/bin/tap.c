// SPDX-License-Identifier: GPL-2.0
/*
 * tap in=NETNS name=DEVICE destination=MAC [size=N] [count=N] [batches=N] [warm=N]
 *
 * Writes UDP frames into an existing TAP device, one system call each: what a
 * virtual machine or a tunnel in user space pays. Prints a line for each batch:
 * nanoseconds, frames.
 */
#include "common.h"

#include <linux/if.h>
#include <linux/if_tun.h>
#include <sys/ioctl.h>

static unsigned char frame[2048] = {
	[6] = 2, [11] = 1, [12] = 8,
	[14] = 0x45, [22] = 32, [23] = IPPROTO_UDP, [26] = 10, [29] = 1, [30] = 10, [33] = 2,
	[35] = 9, [37] = 9,
};

static void write_frames(int fd, size_t size, uint64_t count)
{
	while (count--)
		if (write(fd, frame, size) != (ssize_t)size)
			err(1, "write");
}

int main(int argc, char **argv)
{
	struct ifreq request = { .ifr_flags = IFF_TAP | IFF_NO_PI };
	uint64_t size, count, batches;
	int fd;

	(void)argc;
	arguments = argv;
	size = number("size", 60);
	count = number("count", 10000);
	batches = number("batches", 5);
	if (size < 42 || size > sizeof(frame))
		errx(2, "size out of range");
	if (sscanf(text("destination", NULL), "%hhx:%hhx:%hhx:%hhx:%hhx:%hhx", frame, frame + 1, frame + 2,
		   frame + 3, frame + 4, frame + 5) != 6)
		errx(2, "destination: not an Ethernet address");
	frame[16] = (unsigned char)((size - 14) >> 8);
	frame[17] = (unsigned char)(size - 14);
	frame[38] = (unsigned char)((size - 34) >> 8);
	frame[39] = (unsigned char)(size - 34);

	enter(text("in", NULL));
	fd = open("/dev/net/tun", O_RDWR);
	strncpy(request.ifr_name, text("name", NULL), IFNAMSIZ - 1);
	if (fd < 0 || ioctl(fd, TUNSETIFF, &request))
		err(1, "attaching to %s", request.ifr_name);
	/* Attaching gives it its carrier. */
	if (*text("ready", "")) {
		char c;

		puts("ready");
		fflush(stdout);
		if (read(STDIN_FILENO, &c, 1) < 0)
			err(1, "standard input");
	}

	write_frames(fd, size, number("warm", 1000));
	while (batches--) {
		uint64_t begin = now();

		write_frames(fd, size, count);
		printf("%llu %llu\n", (unsigned long long)(now() - begin), (unsigned long long)count);
	}
	return 0;
}
