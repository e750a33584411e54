#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# enter.bash SYSROOT CACHE PATH... -- COMMAND...: runs COMMAND in SYSROOT with
# each PATH at its own place. It must be started in a mount namespace of its
# own, so all it mounts goes away with the last process in it.
#
# The root is a small tmpfs with the sysroot's directories mounted into it
# read-only: any path can be a mount point, and nothing can change the sysroot.

set -euo pipefail

sysroot=$1 cache=$2
shift 2
paths=()
while [[ $1 != -- ]]; do
	paths+=("$1")
	shift
done
shift
cwd=$PWD

root=$cache/root
mount -t tmpfs -o mode=755 ferronic "$root"

for entry in "$sysroot"/*; do
	name=${entry##*/}
	if [[ -L $entry ]]; then
		cp -P "$entry" "$root/$name"
		continue
	fi
	mkdir "$root/$name"
	case $name in
	usr | etc | var)
		mount --bind "$entry" "$root/$name"
		mount -o remount,bind,ro "$root/$name"
		;;
	dev | proc | sys | tmp)
		mount --rbind "/$name" "$root/$name"
		;;
	esac
done
mount -t tmpfs -o mode=1777 ferronic "$root/var/tmp"

# Names are resolved, and servers trusted, as on the host.
for file in /etc/resolv.conf /etc/hosts /etc/ssl/certs/ca-certificates.crt; do
	if [[ -e $file && -e $root$file ]]; then
		mount --bind "$(readlink -f "$file")" "$root$file"
	fi
done

for path in "${paths[@]}"; do
	# What the sysroot has itself stays the sysroot's.
	case $path/ in
	/ | //) continue ;;
	/usr/* | /etc/* | /var/* | /proc/* | /sys/* | /dev/*) continue ;;
	esac
	mkdir -p "$root$path"
	mount --rbind "$path" "$root$path"
done

# shellcheck disable=SC2016 # the inner shell expands them
exec chroot "$root" /bin/sh -c 'cd "$1" 2>/dev/null || cd /; shift; exec "$@"' sh "$cwd" "$@"
