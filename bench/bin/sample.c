// SPDX-License-Identifier: GPL-2.0
/*
 * sample [pages=N]
 *
 * Where the CPUs are: takes the kernel's call stack on each CPU about once in
 * 50 us, by the cpu-clock event, which works where no hardware counters are.
 * Says "ready", samples until standard input ends, and prints a line for each
 * sample: its addresses in hexadecimal, innermost first; "-" for user space.
 * A last line tells how many samples there was no room for.
 *
 * Nothing is read while it samples, so that it doesn't watch itself.
 */
#include "common.h"

#include <linux/perf_event.h>
#include <stdatomic.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#define CPUS_MAX 256

/*
 * Nanoseconds between samples: several clocks of different primes, since traffic
 * that goes round in one rhythm would keep step with a single one, and be seen
 * at the same few places always.
 */
static const uint64_t periods[] = { 150217, 197003, 251003, 311021, 389003 };
#define CLOCKS (sizeof(periods) / sizeof(*periods))

static size_t page;

struct cpu {
	int fds[CLOCKS];
	/* All clocks of a CPU write into the ring of the first. */
	struct perf_event_mmap_page *meta;
};

static int open_clock(int number_of, uint64_t period)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_SOFTWARE,
		.size = sizeof(attr),
		.config = PERF_COUNT_SW_CPU_CLOCK,
		.sample_period = period,
		.sample_type = PERF_SAMPLE_CALLCHAIN,
		.exclude_callchain_user = 1,
		.exclude_idle = 0,
		.disabled = 1,
		.watermark = 1,
		.wakeup_watermark = UINT32_MAX,
	};

	return (int)syscall(SYS_perf_event_open, &attr, -1, number_of, -1, PERF_FLAG_FD_CLOEXEC);
}

static int open_cpu(struct cpu *cpu, int number_of, size_t pages)
{
	cpu->fds[0] = open_clock(number_of, periods[0]);
	if (cpu->fds[0] < 0)
		return -1;
	cpu->meta = mmap(NULL, (pages + 1) * page, PROT_READ | PROT_WRITE, MAP_SHARED, cpu->fds[0], 0);
	if (cpu->meta == MAP_FAILED)
		err(1, "mmap of %zu pages", pages);
	for (size_t i = 1; i < CLOCKS; i++) {
		cpu->fds[i] = open_clock(number_of, periods[i]);
		if (cpu->fds[i] < 0)
			err(1, "perf_event_open");
		if (ioctl(cpu->fds[i], PERF_EVENT_IOC_SET_OUTPUT, cpu->fds[0]))
			err(1, "PERF_EVENT_IOC_SET_OUTPUT");
	}
	return 0;
}

static void all(const struct cpu *cpus, int count, unsigned long request, const char *name)
{
	for (int i = 0; i < count; i++)
		for (size_t k = 0; k < CLOCKS; k++)
			if (ioctl(cpus[i].fds[k], request, 0))
				err(1, "%s", name);
}

static void print_sample(const uint64_t *addresses, uint64_t count)
{
	int printed = 0;

	for (uint64_t i = 0; i < count; i++) {
		/* The uppermost values say whose addresses follow. */
		if (addresses[i] >= (uint64_t)PERF_CONTEXT_MAX)
			continue;
		printf(printed++ ? " %llx" : "%llx", (unsigned long long)addresses[i]);
	}
	puts(printed ? "" : "-");
}

/* Prints what is in the ring; returns how many samples were lost. */
static uint64_t drain(struct cpu *cpu)
{
	static uint64_t record[65536 / sizeof(uint64_t)];
	const char *data = (const char *)cpu->meta + cpu->meta->data_offset;
	uint64_t size = cpu->meta->data_size, lost = 0, head, tail = cpu->meta->data_tail;

	head = atomic_load_explicit((_Atomic uint64_t *)&cpu->meta->data_head, memory_order_acquire);
	while (tail < head) {
		struct perf_event_header header;
		uint64_t at = tail % size;
		size_t first;

		/* A header never wraps: records are multiples of its size. */
		memcpy(&header, data + at, sizeof(header));
		first = header.size < size - at ? header.size : size - at;
		memcpy(record, data + at, first);
		memcpy((char *)record + first, data, header.size - first);
		if (header.type == PERF_RECORD_SAMPLE)
			print_sample(record + 2, record[1]);
		else if (header.type == PERF_RECORD_LOST)
			lost += record[2];
		tail += header.size;
	}
	return lost;
}

int main(int argc, char **argv)
{
	static struct cpu cpus[CPUS_MAX];
	uint64_t lost = 0;
	int count = 0;
	char c;

	(void)argc;
	arguments = argv;
	page = (size_t)sysconf(_SC_PAGESIZE);
	while (count < CPUS_MAX && !open_cpu(&cpus[count], count, number("pages", 8192)))
		count++;
	if (!count)
		err(1, "perf_event_open");
	all(cpus, count, PERF_EVENT_IOC_ENABLE, "PERF_EVENT_IOC_ENABLE");
	puts("ready");
	fflush(stdout);
	while (read(STDIN_FILENO, &c, 1) > 0)
		;
	all(cpus, count, PERF_EVENT_IOC_DISABLE, "PERF_EVENT_IOC_DISABLE");
	for (int i = 0; i < count; i++)
		lost += drain(&cpus[i]);
	printf("lost %llu\n", (unsigned long long)lost);
	return 0;
}
