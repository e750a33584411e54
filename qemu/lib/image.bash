# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2154
#
# What a guest boots from: the sysroot as one read-only image, and a small
# initramfs that mounts it. To be sourced after sysroot.bash.
#
# An image on a virtio disk, uncompressed, is what an emulated guest reads
# fastest: no decompression, and no round trip to the host for each file.

# What only builds need stays out of the image.
image_without='^usr/(src|include|lib/(rustlib|llvm-[0-9]+|gcc)|libexec/gcc|share/(doc|cargo))/'
image_without+='|^usr/lib/x86_64-linux-gnu/(lib(LLVM|clang|rustc_driver)[^/]*|[^/]*\.a)$'
image_without+='|^usr/bin/(cargo|rust[a-z-]*|clippy-driver|bindgen|x86_64-linux-gnu-(gcc|g\+\+|cpp|ld|lto)[^/]*)$'
image_without+='|^(usr/lib/modules/[^/]*/vmlinuz|var/(cache|lib/(apt|dpkg)))/'

# image_path KERNEL: the root image.
image_path() {
	local sysroot path
	sysroot=$(sysroot_path "$1")
	path=$cache/image/${sysroot##*/}-$(digest "=$image_without" "=$(declare -f image_make)").erofs
	if [[ ! -e $path ]]; then
		need_space "$cache" 3
		cached "$path" image_make "$1" "$sysroot"
	fi
	echo "$path"
}

image_make() {
	step "guest's root image" "$qemu_dir/sysroot" --kernel "$2" \
		mkfs.erofs -U clear --quiet "--exclude-regex=$image_without" "$1" "$3"
}

# What stands between the kernel and its root, where it is built as modules.
initramfs_modules=(virtio_blk erofs overlay 9pnet_virtio 9p)

# initramfs_path SYSROOT [RELEASE]: the initramfs, with the modules of RELEASE;
# a kernel without a release has it all built in.
initramfs_path() {
	local path
	path=$cache/initramfs/${1##*/}-${2:-builtin}-$(
		digest "$qemu_dir/guest/init" "=${initramfs_modules[*]}"
	).cpio
	[[ -e $path ]] || cached "$path" initramfs_make "$@"
	echo "$path"
}

initramfs_make() {
	local path=$1 sysroot=$2 release=${3-} dir=$1.dir
	rm -rf "$dir"
	mkdir -p "$dir"/{bin,dev,proc,sys,root,lower,upper,modules}
	cp "$sysroot/usr/bin/busybox" "$dir/bin/busybox"
	cp "$qemu_dir/guest/init" "$dir/init"
	chmod 755 "$dir/init"
	: >"$dir/modules/order"
	if [[ $release ]]; then
		initramfs_order "$sysroot" "$release" | while read -r file; do
			cp "$sysroot/usr/lib/modules/$release/$file" "$dir/modules/"
			echo "${file##*/}" >>"$dir/modules/order"
		done
	fi
	(cd "$dir" && find . | cpio --quiet --create --format=newc --owner=0:0) >"$path"
	rm -rf "$dir"
}

# initramfs_order SYSROOT RELEASE: the modules' files, dependencies first.
# modules.dep names a module's dependencies in the reverse of that order.
initramfs_order() {
	awk -v "wanted=${initramfs_modules[*]}" '
		{
			sub(/:$/, "", $1)
			name = $1
			gsub(/.*\/|\.ko$/, "", name)
			line[name] = $0
			sub(/:/, "", line[name])
		}
		END {
			n = split(wanted, list, " ")
			for (i = 1; i <= n; i++) {
				m = split(line[list[i]], file, " ")
				for (j = m; j >= 1; j--)
					if (!seen[file[j]]++)
						print file[j]
			}
		}' "$1/usr/lib/modules/$2/modules.dep"
}
