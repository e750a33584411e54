# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# What every script of the test machine shares: where things are, how to
# speak, how to fail, how to put something into the cache. To be sourced.

set -euo pipefail
shopt -s inherit_errexit

qemu_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
# shellcheck disable=SC2034
repo=$(dirname "$qemu_dir")
cache=${FERRONIC_CACHE:-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/ferronic}

# Standard output belongs to the command that a user runs; all we say goes
# to standard error.
say() {
	printf 'ferronic: %s\n' "$*" >&2
}

die() {
	printf 'ferronic: error: %s\n' "$*" >&2
	exit 1
}

need_root() {
	[[ $EUID -eq 0 ]] ||
		die "this needs root (it mounts and builds a Debian tree): run it with sudo"
}

# need_tool COMMAND...: fails where one isn't on this machine.
need_tool() {
	local tool
	for tool; do
		command -v "$tool" >/dev/null ||
			die "'$tool' is missing: run qemu/host-packages (make demo does)"
	done
}

# need_space DIRECTORY GIGABYTES: fails before a long build would.
need_space() {
	local free
	free=$(df -k --output=avail "$1" | tail -n 1)
	((free >= $2 * 1024 * 1024)) ||
		die "$1 has $((free / 1024 / 1024)) GB free, this needs $2 GB:" \
			"make room or name another place with FERRONIC_CACHE"
}

cache_init() {
	{ mkdir -p "$cache" 2>/dev/null && [[ -w $cache ]]; } ||
		die "the cache $cache can't be written: name another place with FERRONIC_CACHE"
	# Paths are compared and mounted by name later on.
	cache=$(cd "$cache" && pwd -P)
	mkdir -p "$cache/locks" "$cache/logs"
}

# step WHAT COMMAND...: runs a command quietly; says how long it took if that
# was more than a second; shows the end of its output where it failed. The
# command is never the condition of an if, so that errexit holds inside it.
step() {
	local what=$1 begin=$SECONDS log rc
	shift
	exec {progress_fd}>&2
	log=$cache/logs/${what//[^a-zA-Z0-9.+-]/_}.$$.log
	set +e
	(
		set -e
		"$@"
	) >"$log" 2>&1 </dev/null
	rc=$?
	set -e
	exec {progress_fd}>&-
	if ((rc)); then
		tail -n 25 "$log" | sed 's/^/    /' >&2
		die "$what failed (status $rc); all of its output: $log"
	fi
	rm -f "$log"
	((SECONDS - begin < 1)) || say "$what: $((SECONDS - begin)) s"
}

# ticker TEXT...: from within a step, says every half minute how far it is; the
# words are evaluated each time. Kill its pid, $ticker_pid, at the end.
ticker() {
	local begin=$SECONDS parent=$BASHPID
	while sleep 30 && kill -0 "$parent" 2>/dev/null; do
		eval "say \"$* (\$((SECONDS - begin)) s)\"" 2>&"$progress_fd"
	done &
	# shellcheck disable=SC2034 # for the caller
	ticker_pid=$!
}

# once NAME [WHAT]: holds the lock NAME until the shell (or sub-shell) ends. A second
# builder of the same thing waits for the first.
once() {
	local fd file=$cache/locks/$1
	exec {fd}>"$file"
	flock -n "$fd" && return
	say "waiting for another run that is making ${2-$1}"
	flock -w 3600 "$fd" ||
		die "gave up after an hour of waiting for $file: see who holds it with 'fuser $file'"
}

# cached PATH COMMAND...: makes PATH by COMMAND TEMPORARY-PATH... unless it is
# there. PATH appears by one rename: a half-made one is never seen, and what a
# killed run left is removed by the next.
cached() {
	local path=$1
	shift
	[[ ! -e $path ]] || return 0
	(
		once "$(basename "$path")" "${path#"$cache/"}"
		[[ ! -e $path ]] || exit 0
		mkdir -p "$(dirname "$path")"
		rm -rf "$path".tmp.*
		"$1" "$path.tmp.$$" "${@:2}"
		mv -T "$path.tmp.$$" "$path"
	)
}

# digest FILE|=STRING...: a short key for contents.
digest() {
	local arg
	for arg; do
		if [[ $arg == =* ]]; then
			printf '%s\n' "$arg"
		else
			sha256sum <"$arg"
		fi
	done | sha256sum | cut -c 1-12
}
