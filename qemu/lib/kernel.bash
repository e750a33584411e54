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
		guest_kernel=$sysroot/usr/lib/modules/$guest_release/vmlinuz
		[[ -e $guest_kernel ]] || guest_kernel=$sysroot/boot/vmlinuz-$guest_release
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
