# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2154,SC2034
#
# From the name of a kernel to what a guest needs of it. To be sourced after
# image.bash, source.bash and debug.bash.

# kernel_choose stock|testing|debug|PATH: sets
#   guest_kernel    the file QEMU starts
#   guest_initrd    its initramfs
#   guest_image     the root image
#   guest_release   its release, which names the module's directory
kernel_choose() {
	local sysroot tree base=stock
	case $1 in
	stock | testing)
		base=$1
		sysroot=$(sysroot_path "$base")
		guest_release=$(<"$sysroot/etc/ferronic/release")
		guest_kernel=$(kernel_unpacked "$sysroot" "$guest_release")
		guest_initrd=$(initramfs_path "$sysroot" "$guest_release")
		;;
	*)
		if [[ $1 == debug ]]; then
			tree=$(debug_path)
		else
			tree=$(kernel_tree "$1")
		fi
		sysroot=$(sysroot_path "$base")
		guest_release=$(<"$tree/include/config/kernel.release")
		guest_kernel=$tree/arch/x86/boot/bzImage
		[[ -e $guest_kernel ]] || guest_kernel=$tree/vmlinux
		guest_initrd=$(initramfs_path "$sysroot")
		;;
	esac
	guest_image=$(image_path "$base")
}

# kernel_tree PATH: PATH made absolute, if it is a build tree that can boot.
kernel_tree() {
	local option
	[[ -d $1 ]] || die "no kernel is called '$1': say stock, testing, debug or the path of a kernel build tree"
	[[ -e $1/include/config/kernel.release && -e $1/vmlinux ]] ||
		die "$1 isn't a built kernel tree: it has no vmlinux"
	for option in VIRTIO_PCI VIRTIO_BLK VIRTIO_CONSOLE EROFS_FS OVERLAY_FS NET_9P_VIRTIO 9P_FS DEVTMPFS; do
		grep -q "^CONFIG_$option=y" "$1/.config" ||
			die "$1 has no CONFIG_$option=y, and a guest can't start without"
	done
	cd "$1" && pwd -P
}

# kernel_unpacked SYSROOT RELEASE: the kernel without its compression, which
# QEMU starts by the PVH entry: an emulated guest would unpack it for seconds.
kernel_unpacked() {
	local file=$1/usr/lib/modules/$2/vmlinuz path
	path=$cache/kernel/${1##*/}-vmlinux
	[[ -e $path ]] || cached "$path" kernel_unpack "$file"
	echo "$path"
}

# kernel_unpack PATH FILE: the boot protocol's header says where the compressed
# kernel begins (after the setup sectors) and how long it is; the last four
# bytes are its unpacked size. What isn't zstd is started as it is.
kernel_unpack() {
	local path=$1 file=$2 setup offset length
	setup=$(od -An -tu1 -j 497 -N 1 "$file")
	offset=$(od -An -tu4 -j 584 -N 4 "$file")
	length=$(od -An -tu4 -j 588 -N 4 "$file")
	tail -c "+$(((setup + 1) * 512 + offset + 1))" "$file" |
		head -c "$((length - 4))" |
		zstd -q -d >"$path" 2>/dev/null ||
		cp "$file" "$path"
}
