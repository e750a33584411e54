// SPDX-License-Identifier: GPL-2.0
/*
 * traffic stream|datagrams SENDER RECEIVER SEED
 *
 * Sends by one socket what is to arrive at another one, both given as file
 * descriptors, and compares every byte. Pieces of a stream, and datagrams, single
 * ones and several in one packet, have sizes at random; the same seed gives the
 * same ones.
 *
 * Commands come by standard input, a byte each: p, pause, answered by the line
 * "idle" when nothing more is sent; g, go on; e, end. Then the last line says
 * how much was sent and how much has arrived: bytes of a stream, datagrams.
 * Datagrams may be lost; damaged ones, and those that come twice, are failures.
 */

#define _GNU_SOURCE
#include <errno.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif

#define BLOCK (1 << 18)
/* Datagrams that the sender is ahead of the receiver, unless that many are lost. */
#define AHEAD 200
#define DATAGRAM_MAX 65536

struct head {
	uint64_t number;
	uint32_t length;
} __attribute__((packed));

static int sender_fd, receiver_fd;
static void (*send_piece)(void);
static uint64_t state;
static unsigned char block[BLOCK];

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
/* Under the lock. */
static bool paused;
static atomic_bool over;

static atomic_ullong sent, arrived;
/* By number, which datagrams have arrived. The receiver's. */
static unsigned char *seen;
static size_t seen_bytes;

__attribute__((noreturn, format(printf, 1, 2))) static void fail(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vprintf(format, arguments);
	va_end(arguments);
	putchar('\n');
	fflush(stdout);
	_exit(1);
}

static uint64_t next(uint64_t *from)
{
	uint64_t z = *from += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

static uint64_t below(uint64_t bound)
{
	return next(&state) % bound;
}

/* Sends a piece of the stream; where it begins follows from what was sent before. */
static void send_stream(void)
{
	static const size_t sizes[] = { 1, 100, 1448, 5000, 65536, 65536 };
	size_t size = sizes[below(6)];

	while (size) {
		size_t at = sent % BLOCK;
		size_t piece = size < BLOCK - at ? size : BLOCK - at;
		ssize_t n = send(sender_fd, block + at, piece, MSG_NOSIGNAL);

		if (n < 0)
			fail("the stream cannot be sent: %s", strerror(errno));
		sent += n;
		size -= n;
	}
}

static void *receive_stream(void *unused)
{
	static unsigned char data[BLOCK];
	ssize_t n;

	(void)unused;
	while ((n = recv(receiver_fd, data, sizeof(data), 0)) > 0) {
		for (ssize_t at = 0; at < n;) {
			size_t where = arrived % BLOCK;
			size_t size = n - at;

			if (size > BLOCK - where)
				size = BLOCK - where;
			if (memcmp(data + at, block + where, size))
				fail("the stream is damaged within %zu bytes from %llu on", size, arrived);
			at += size;
			arrived += size;
		}
	}
	if (n < 0)
		fail("the stream cannot be received: %s", strerror(errno));
	return NULL;
}

/* What a datagram holds behind its head follows from its number. */
static const unsigned char *body(uint64_t number)
{
	return block + number * 7 % 1000;
}

static size_t make(unsigned char *at, size_t length)
{
	struct head head = { .number = sent++, .length = length };

	memcpy(at, &head, sizeof(head));
	memcpy(at + sizeof(head), body(head.number), length);
	return sizeof(head) + length;
}

/* Waits for a receiver that is far behind, but not for what is lost. */
static void stay_near(void)
{
	static unsigned long long lost;

	for (int n = 0; n < 5; n++) {
		if (sent - arrived - lost <= AHEAD)
			return;
		usleep(1000);
	}
	lost = sent - arrived;
}

static void send_datagrams(void)
{
	static const uint16_t alone[] = { 0, 1, 40, 500, 1400, 8000, 40000 };
	static const uint16_t segments[] = { 300, 1000, 1180 };
	static unsigned char data[DATAGRAM_MAX];
	char control[CMSG_SPACE(sizeof(uint16_t))] = {};
	struct iovec vector = { .iov_base = data };
	struct msghdr message = { .msg_iov = &vector, .msg_iovlen = 1 };

	if (below(2)) {
		vector.iov_len = make(data, alone[below(7)]);
	} else {
		uint16_t size = segments[below(3)], whole = size + sizeof(struct head);
		struct cmsghdr *header;

		message.msg_control = control;
		message.msg_controllen = sizeof(control);
		header = CMSG_FIRSTHDR(&message);
		header->cmsg_level = IPPROTO_UDP;
		header->cmsg_type = UDP_SEGMENT;
		header->cmsg_len = CMSG_LEN(sizeof(whole));
		memcpy(CMSG_DATA(header), &whole, sizeof(whole));
		for (uint64_t n = 2 + below(18); n; n--)
			vector.iov_len += make(data + vector.iov_len, size);
	}
	/* The port is down, or has no room: they are lost. */
	if (sendmsg(sender_fd, &message, 0) < 0)
		usleep(1000);
	stay_near();
}

static void take(const unsigned char *data, ssize_t n)
{
	struct head head;
	size_t byte;

	if (n < (ssize_t)sizeof(head))
		fail("a datagram of %zd bytes, less than any that was sent", n);
	memcpy(&head, data, sizeof(head));
	if (head.number >= sent)
		fail("datagram %llu was never sent", (unsigned long long)head.number);
	if (n != (ssize_t)(sizeof(head) + head.length) ||
	    memcmp(data + sizeof(head), body(head.number), head.length))
		fail("datagram %llu of %zd bytes is damaged", (unsigned long long)head.number, n);
	byte = head.number / 8;
	if (byte >= seen_bytes) {
		size_t more = 2 * byte + 4096;

		seen = realloc(seen, more);
		if (!seen)
			fail("no memory");
		memset(seen + seen_bytes, 0, more - seen_bytes);
		seen_bytes = more;
	}
	if (seen[byte] & 1 << head.number % 8)
		fail("datagram %llu came twice", (unsigned long long)head.number);
	seen[byte] |= 1 << head.number % 8;
	arrived++;
}

static void *receive_datagrams(void *unused)
{
	static unsigned char data[DATAGRAM_MAX];
	struct timeval second = { .tv_sec = 1 };

	(void)unused;
	setsockopt(receiver_fd, SOL_SOCKET, SO_RCVTIMEO, &second, sizeof(second));
	for (;;) {
		/* Read first: what was sent before has a second to come. */
		bool last = over;
		ssize_t n = recv(receiver_fd, data, sizeof(data), 0);

		if (n >= 0)
			take(data, n);
		else if (last)
			return NULL;
	}
}

static void *send_all(void *unused)
{
	(void)unused;
	while (!over) {
		pthread_mutex_lock(&lock);
		if (paused) {
			puts("idle");
			fflush(stdout);
		}
		while (paused)
			pthread_cond_wait(&changed, &lock);
		pthread_mutex_unlock(&lock);
		if (!over)
			send_piece();
	}
	shutdown(sender_fd, SHUT_WR);
	return NULL;
}

int main(int count, char **words)
{
	bool stream = count == 5 && !strcmp(words[1], "stream");
	pthread_t sender, receiver;
	uint64_t content;
	char command;

	if (count != 5 || (!stream && strcmp(words[1], "datagrams"))) {
		fprintf(stderr, "usage: %s stream|datagrams SENDER RECEIVER SEED\n", words[0]);
		return 2;
	}
	sender_fd = atoi(words[2]);
	receiver_fd = atoi(words[3]);
	content = state = strtoull(words[4], NULL, 0);
	send_piece = stream ? send_stream : send_datagrams;
	for (size_t at = 0; at < BLOCK; at += sizeof(uint64_t)) {
		uint64_t word = next(&content);

		memcpy(block + at, &word, sizeof(word));
	}
	if (pthread_create(&receiver, NULL, stream ? receive_stream : receive_datagrams, NULL) ||
	    pthread_create(&sender, NULL, send_all, NULL))
		fail("no thread");

	while (!over) {
		if (read(STDIN_FILENO, &command, 1) != 1)
			command = 'e';
		pthread_mutex_lock(&lock);
		paused = command == 'p';
		over = command == 'e';
		pthread_cond_signal(&changed);
		pthread_mutex_unlock(&lock);
	}
	pthread_join(sender, NULL);
	pthread_join(receiver, NULL);
	if (stream && sent != arrived)
		fail("%llu bytes were sent, %llu arrived", sent, arrived);
	printf("%llu sent, %llu arrived\n", sent, arrived);
	return 0;
}
