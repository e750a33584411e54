#!/usr/bin/awk -f
# SPDX-License-Identifier: GPL-2.0
#
# log-scan.awk [-v expected=FILE] KERNEL-LOG: prints the reports in a kernel
# log that nobody announced; status 1 if there are any.
#
# A report begins with a line that matches one of the patterns below and ends
# where the kernel says so, falls silent for a second or begins another. FILE holds regular
# expressions, one a line: a report with a line that matches one of them was
# announced. Patterns, not log levels: loading a module from outside the
# kernel's tree is logged as a warning, and a leak is logged as information.

BEGIN {
	trouble = "------------\\[ cut here \\]|WARNING: |BUG: |BUG kmalloc|Kernel panic|Oops|general protection fault|divide error:" \
		"|invalid opcode:|unable to handle|RIP: |Call Trace:|INFO: task .* blocked for more than" \
		"|INFO: rcu_|rcu: INFO:|self-detected stall|soft lockup|hard LOCKUP|INFO: suspicious|INFO: possible" \
		"|INFO: inconsistent|INFO: trying to register|INFO: lockdep|possible recursive locking|possible circular locking" \
		"|suspicious RCU usage|inconsistent lock state|bad unlock balance|held lock freed|locks? held when returning" \
		"|KASAN:|UBSAN:|KCSAN:|KFENCE:|KMSAN:|ODEBUG:|ref_tracker: |refcount_t: |unreferenced object 0x" \
		"|new suspected memory leak|scheduling while atomic|sleeping function called|list_(add|del) corruption" \
		"|unregister_netdevice: waiting|NETDEV WATCHDOG|hw csum failure|page allocation failure|Out of memory" \
		"|panicked at|CFI failure|stack-protector:|bad page state|Bad page|still has locks held|DEBUG_LOCKS_WARN_ON" \
		"|not ok [0-9]+ |Objects remaining|workqueue lockup|detected buffer overflow|Trying to vfree" \
		"|Voluntary context switch|failed to kill|memory corruption"
	# These begin a report of their own even where one before them hasn't ended.
	first = "cut here \\]|KASAN: |UBSAN: |WARNING: |CFI failure|unregister_netdevice: |rcu: INFO: |INFO: task |NETDEV WATCHDOG" \
		"|hw csum failure|page allocation failure|unreferenced object 0x|new suspected memory leak|not ok [0-9]+ "
	if (expected != "")
		while ((getline line < expected) > 0)
			if (line != "" && line !~ /^#/)
				announced[++wanted] = line
}

function end_report(   i) {
	if (in_report && !forgiven) {
		bad = 1
		for (i = 1; i <= length_of_report; i++)
			print report[i]
	}
	in_report = 0
}

{
	sub(/\r$/, "")
	now = match($0, /^\[ *[0-9]+\.[0-9]+\]/) ? substr($0, 2) + 0 : last
	if (now > last + 1)
		end_report()
	last = now
}

# What comes after the time is up was asked for: a look at what hangs.
/ferronic: session: time is up/ {
	end_report()
	exit
}

in_report && !cut && $0 ~ first {
	end_report()
}

!in_report && $0 ~ trouble {
	in_report = 1
	length_of_report = forgiven = 0
	cut = /cut here/
}

in_report {
	report[++length_of_report] = $0
	for (i = 1; i <= wanted; i++)
		if ($0 ~ announced[i])
			forgiven = 1
	if (/---\[ end (trace|Kernel panic)/ || (!cut && /<\/TASK>/))
		end_report()
}

END {
	end_report()
	exit bad
}
