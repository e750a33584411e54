/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the bench's programs share: arguments of the form name=value, the clock,
 * and sockets in a named network namespace. Under --icount the clock counts
 * instructions; these programs don't know.
 */
#ifndef BENCH_COMMON_H
#define BENCH_COMMON_H

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static char **arguments;

/* The value of the argument @name, or @otherwise; NULL means it has to be there. */
static inline const char *text(const char *name, const char *otherwise)
{
	size_t length = strlen(name);

	for (char **word = arguments + 1; *word; word++)
		if (!strncmp(*word, name, length) && (*word)[length] == '=')
			return *word + length + 1;
	if (!otherwise)
		errx(2, "%s=... is missing", name);
	return otherwise;
}

static inline uint64_t number(const char *name, uint64_t otherwise)
{
	const char *value = text(name, "");
	char *end;
	uint64_t result;

	if (!*value)
		return otherwise;
	errno = 0;
	result = strtoull(value, &end, 0);
	if (errno || *end)
		errx(2, "%s=%s: not a number", name, value);
	return result;
}

/* Nanoseconds since boot. */
static inline uint64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

/* Moves the caller to the network namespace called @name. */
static inline void enter(const char *name)
{
	char path[256];
	int fd;

	snprintf(path, sizeof(path), "/run/netns/%s", name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || setns(fd, CLONE_NEWNET))
		err(1, "namespace %s", name);
	close(fd);
}

static inline struct sockaddr_in address_of(const char *address, uint64_t port)
{
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };

	if (inet_pton(AF_INET, address, &in.sin_addr) != 1)
		errx(2, "%s: not an IPv4 address", address);
	return in;
}

static inline void set_option(int fd, int level, int option, int value)
{
	if (setsockopt(fd, level, option, &value, sizeof(value)))
		err(1, "socket option %d of level %d", option, level);
}

/* Runs on CPU @cpu only; a number beyond all CPUs means anywhere. */
static inline void pin(uint64_t cpu)
{
	cpu_set_t set;

	if (cpu >= CPU_SETSIZE)
		return;
	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		err(1, "CPU %llu", (unsigned long long)cpu);
}

/*
 * A TCP connection from the namespace @from to @address in the namespace @to,
 * both ends in this process.
 */
static inline void connected(const char *from, const char *to, const char *address, uint64_t port,
			     int *near, int *far)
{
	struct sockaddr_in in = address_of(address, port);
	int listener;

	enter(to);
	listener = socket(AF_INET, SOCK_STREAM, 0);
	if (listener < 0)
		err(1, "socket");
	set_option(listener, SOL_SOCKET, SO_REUSEADDR, 1);
	if (bind(listener, (struct sockaddr *)&in, sizeof(in)) || listen(listener, 1))
		err(1, "listening at %s", address);

	enter(from);
	*near = socket(AF_INET, SOCK_STREAM, 0);
	if (*near < 0 || connect(*near, (struct sockaddr *)&in, sizeof(in)))
		err(1, "connecting to %s", address);
	*far = accept(listener, NULL, NULL);
	if (*far < 0)
		err(1, "accept");
	close(listener);
}

#endif
