# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2154
#
# A KDIR for the stock kernels: Debian's headers have no Rust metadata, so they
# are copied and the metadata is made anew, from the same source with the same
# compilers and the same configuration. That gives the same symbol names, and
# it is checked that it did. To be sourced after source.bash.

# kdir_path KERNEL: prints the path of a KDIR for stock or testing.
kdir_path() {
	local sysroot release path
	sysroot=$(sysroot_path "$1")
	release=$(<"$sysroot/etc/ferronic/release")
	path=$cache/kdir/$release-$(digest "=$(toolchain_key "$1")" \
		"=$(declare -f kdir_make kdir_metadata kdir_headers)")
	if [[ ! -d $path ]]; then
		need_root
		need_space "$cache" 2
		source_path "$1" >/dev/null
		say "making the Rust metadata of Linux $release, about a minute"
		cached "$path" kdir_make "$1" "$sysroot" "$release"
	fi
	echo "$path"
}

kdir_make() {
	local path=$1 kernel=$2 sysroot=$3 release=$4 source
	source=$(source_path "$kernel")
	step "Rust metadata of $release" kdir_metadata "$path" "$kernel" "$sysroot" "$release" "$source"
	step "headers of $release" kdir_headers "$path" "$sysroot" "$release" "$source"
	rm -rf "$path/obj"
}

# kdir_metadata: builds rust/ of the kernel in $path/obj.
kdir_metadata() {
	local path=$1 kernel=$2 sysroot=$3 release=$4 source=$5 headers compiler
	headers=$sysroot/usr/src/linux-headers-$release
	mkdir -p "$path/obj"
	cp "$headers/.config" "$path/obj/.config"

	# The compiler's name stands in the configuration: "x86_64-linux-gnu-gcc-14 (Debian ...".
	compiler=$(sed -n 's/^CONFIG_CC_VERSION_TEXT="\([^ ]*\) .*/\1/p' "$headers/.config")
	local -a make=("$qemu_dir/sysroot" --kernel "$kernel"
		make -s -C "$source" "O=$path/obj" "CC=$compiler" "KERNELRELEASE=$release")
	"${make[@]}" olddefconfig
	# A compiler that has moved on shows as a changed configuration.
	diff <(grep '^CONFIG_' "$headers/.config" | sort) <(grep '^CONFIG_' "$path/obj/.config" | sort) || {
		echo "the compilers in the sysroot aren't those that built Linux $release (differences above):"
		echo "the suite is between two kernels; try again when its kernel was rebuilt,"
		echo "or qemu/sysroot --kernel $kernel --update"
		return 1
	}
	"${make[@]}" -j "$(nproc)" prepare
	kdir_compare "$path/obj" "$headers/Module.symvers" "$release"
}

# kdir_compare OBJ SYMVERS RELEASE: every Rust symbol that the kernel exports
# must have the name that the new metadata gives it, and the other way round.
kdir_compare() {
	local ours theirs
	ours=$(sed -n 's/^EXPORT_SYMBOL_RUST_GPL(\(_R[^)]*\));$/\1/p' "$1"/rust/exports_*_generated.h | sort -u)
	theirs=$(awk '$2 ~ /^_R/ && $3 == "vmlinux" { print $2 }' "$2" | sort -u)
	[[ $ours && $ours == "$theirs" ]] || {
		diff <(echo "$ours") <(echo "$theirs") | head -n 10 || true
		echo "the Rust symbols made from the source ($(wc -l <<<"$ours")) differ from those that" \
			"Linux $3 exports ($(wc -l <<<"$theirs")): compiler and kernel of the suite have moved apart"
		return 1
	}
}

# kdir_headers: copies Debian's headers and lays the metadata into them.
kdir_headers() {
	local path=$1 sysroot=$2 release=$3 source=$4 final=${1%.tmp.*}
	local headers=$sysroot/usr/src/linux-headers-$release link
	cp -a "$headers/." "$path/"
	# scripts/ gets a file of ours, so it is copied; tools/ stays where it is.
	rm "$path/scripts" "$path/tools"
	cp -aH "$headers/scripts" "$path/scripts"
	link=$(readlink "$headers/tools")
	ln -s "/usr/${link#../../}" "$path/tools"

	sed -i "s|^KBUILD_OUTPUT=.*|KBUILD_OUTPUT=$final|" "$path/Makefile"
	grep -q "^KBUILD_OUTPUT=$final\$" "$path/Makefile"
	mkdir -p "$path"/rust/{kernel,bindings,uapi}
	cp "$path"/obj/rust/*.rmeta "$path"/obj/rust/*.so "$path/rust/"
	cp "$path"/obj/rust/kernel/generated_arch_*.rs "$path/rust/kernel/"
	# No build needs these; they let an editor follow names into the kernel's bindings.
	cp "$path"/obj/rust/bindings/*_generated.rs "$path/rust/bindings/"
	cp "$path"/obj/rust/uapi/*_generated.rs "$path/rust/uapi/"
	cp "$path/obj/scripts/target.json" "$path/scripts/"
	cp "$source/rust/bindgen_parameters" "$path/rust/"
}
