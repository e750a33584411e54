# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2154
#
# The debug kernel: the stock kernel's source, built with clang (KASAN and
# Rust together need it). To be sourced after source.bash.

# debug_path: prints the build tree, which is a KDIR and holds vmlinux.
debug_path() {
	local path
	path=$cache/debug/$(digest "$qemu_dir/debug.config" "=$(toolchain_key debug)" \
		"=$(declare -f debug_run debug_configure debug_build debug_tidy)")
	if [[ ! -d $path ]]; then
		need_root
		need_space "$cache" 5
		source_path debug >/dev/null
		say "building the debug kernel: about 20 minutes on two cores"
		cached "$path" debug_make
	fi
	echo "$path"
}

debug_make() {
	local path=$1 source
	source=$(source_path debug)
	mkdir "$path"
	step "debug kernel, configuration" debug_configure "$path" "$source"
	step "debug kernel" debug_build "$path" "$source"
	step "debug kernel, clean-up" debug_tidy "$path"
}

# debug_run PATH SOURCE TARGET...: make with the options all steps share.
debug_run() {
	nice -n 10 "$qemu_dir/sysroot" --kernel debug \
		make -C "$2" "O=$1" LLVM=-19 KBUILD_BUILD_TIMESTAMP=0 "${@:3}"
}

debug_configure() {
	local path=$1 source=$2
	debug_merge "$source/kernel/configs/debug.config" "$qemu_dir/debug.config" >"$path/wanted.config"
	debug_run "$path" "$source" -s "KCONFIG_ALLCONFIG=$path/wanted.config" allnoconfig
	debug_check "$path/wanted.config" "$path/.config"
}

# debug_merge FIRST SECOND: both without comments; SECOND wins.
debug_merge() {
	awk '
		match($0, /CONFIG_[A-Za-z0-9_]+/) && (/^CONFIG_/ || / is not set$/) {
			line[substr($0, RSTART, RLENGTH)] = $0
		}
		END { for (s in line) print line[s] }' "$@" | sort
}

# debug_check WANTED CONFIG: every wish must have been heard.
debug_check() {
	awk '
		function symbol(line) {
			if (match(line, /^CONFIG_[A-Z0-9_a-z]+=/))
				return substr(line, 1, RLENGTH - 1)
			if (match(line, /^# CONFIG_[A-Z0-9_a-z]+ is not set/))
				return substr(line, 3, RLENGTH - 13)
			return ""
		}
		function value(line) {
			return line ~ /^#/ ? "n" : substr(line, index(line, "=") + 1)
		}
		symbol($0) == "" { next }
		FNR == NR { wanted[symbol($0)] = value($0); next }
		{ got[symbol($0)] = value($0) }
		END {
			for (s in wanted) {
				g = s in got ? got[s] : "n"
				if (g != wanted[s]) {
					print s " is " g " but " wanted[s] " was asked for"
					bad = 1
				}
			}
			exit bad
		}' "$1" "$2"
}

debug_build() {
	ticker "debug kernel: \$(find '$1' -name '*.o' | wc -l) objects of about 1950"
	trap 'kill "$ticker_pid" 2>/dev/null || true' EXIT
	debug_run "$1" "$2" -s -j "$(nproc)" vmlinux modules
}

# debug_tidy PATH: leaves what building modules and booting need.
debug_tidy() {
	local final=${1%.tmp.*}
	find "$1" -name '*.o' -not -path '*/scripts/*' -not -path '*/tools/*' -delete
	find "$1" \( -name '*.a' -o -name '.tmp_vmlinux*' -o -name vmlinux.unstripped -o -name '*.bc' \) \
		-not -path '*/tools/*' -delete
	# The tree was built under another name; and whoever builds a module with
	# it gets its compiler without asking for it.
	sed -i -e "s|^export KBUILD_OUTPUT = .*|export KBUILD_OUTPUT = $final|" \
		-e '1iexport LLVM := -19' "$1/Makefile"
	grep -q "^export KBUILD_OUTPUT = $final\$" "$1/Makefile"
}
