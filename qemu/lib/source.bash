# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2154
#
# The kernel source of a sysroot, unpacked. To be sourced after sysroot.bash.

# source_path KERNEL: prints the directory, unpacks it if need be. It must not
# be written to: builds go elsewhere with O=.
source_path() {
	local sysroot series version path
	sysroot=$(sysroot_path "$1")
	series=$(<"$sysroot/etc/ferronic/series")
	version=$(dpkg-query --admindir="$sysroot/var/lib/dpkg" -W -f '${Version}' "linux-source-$series")
	path=$cache/source/linux-${version//\~/_}
	if [[ ! -d $path ]]; then
		need_root
		need_space "$cache" 4
		cached "$path" source_make "$1" "$series"
	fi
	echo "$path"
}

source_make() {
	mkdir "$1"
	step "kernel source, unpacking" "$qemu_dir/sysroot" --kernel "$2" \
		tar -C "$1" --strip-components=1 -I 'xz -T0' -xf "/usr/src/linux-source-$3.tar.xz"
}
