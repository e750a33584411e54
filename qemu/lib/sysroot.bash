# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2154
#
# Makes a Debian tree that is both the tool chain and the guest's user space.
# To be sourced after common.bash and suites.bash.
#
# A tree is named by its suite, its kernel and the content of the list of
# packages; it is never changed once made. $cache/sysroot/SUITE-KEY.current
# names the tree in use: the kernel is looked for when there is none (or with
# --update), so that a new kernel in the archive doesn't undo a cache.

# The parts of the kernel's modules that no guest has the hardware for.
modules_unwanted=(
	drivers/{gpu,media,infiniband,staging,iio,usb,hid,input,mmc,mtd,nvme,scsi,ata,target}
	drivers/{bluetooth,comedi,hwmon,i2c,spi,platform,thunderbolt,leds,power,rtc,w1,soundwire}
	drivers/net/{ethernet,wireless,wwan,can,fddi,hippi,arcnet,usb,ieee802154,plip,hamradio}
	net/{bluetooth,wireless,mac80211,mac802154,ieee802154,nfc,can,sunrpc,ceph,rds,atm,ax25}
	fs/{btrfs,xfs,ocfs2,gfs2,ceph,nfs,nfsd,smb,f2fs,jfs,ntfs3,ubifs,bcachefs,afs,orangefs}
	sound
)

# sysroot_key SUITE: changes with whatever the tree's content depends on, the
# functions that make it among it (without their comments).
sysroot_key() {
	digest "=$(sysroot_packages "$1")" "=$(series_supported)" "=${modules_unwanted[*]}" \
		"=$(declare -f suite_sources sysroot_debian sysroot_modules)"
}

# toolchain_key KERNEL: changes with the compilers and the kernel's packages, and
# with nothing else in the tree: a program more for the guest rebuilds no kernel.
toolchain_key() {
	local sysroot
	sysroot=$(sysroot_path "$1")
	digest "=$(dpkg-query --admindir="$sysroot/var/lib/dpkg" -W -f '${db:Status-Abbrev} ${Package} ${Version}\n' \
		'linux-*' rustc rust-src bindgen 'libclang*' 'gcc-[0-9]*' 'clang-[0-9]*' 'lld-[0-9]*' binutils pahole \
		2>/dev/null | grep '^ii')"
}

# sysroot_packages SUITE: the list without comments and the other suite's lines.
sysroot_packages() {
	local tag=stock
	[[ $1 == trixie ]] || tag=testing
	awk -v tag="[$tag]" '
		{ sub(/#.*/, "") }
		NF == 1 || $2 == tag { print $1 }' "$qemu_dir/packages"
}

# sysroot_path KERNEL: prints the tree's path, makes it if need be.
sysroot_path() {
	local suite key
	suite=$(suite_of "$1")
	key=$suite-$(sysroot_key "$suite")
	[[ -e $cache/sysroot/$key.current ]] || (
		need_root
		need_tool mmdebstrap apt-get
		once "sysroot-$key"
		[[ -e $cache/sysroot/$key.current ]] || sysroot_update "$suite" "$key"
	)
	echo "$cache/sysroot/$(<"$cache/sysroot/$key.current")"
}

# sysroot_update SUITE KEY: looks for the newest kernel, makes its tree.
sysroot_update() {
	local found release version series name
	found=$(kernel_find "$1")
	read -r release version series <<<"$found"
	name=$1-$release-${2#*-}
	if [[ ! -d $cache/sysroot/$name ]]; then
		need_space "$cache" 6
		say "making the sysroot: $1 with Linux $release, about two minutes"
	fi
	cached "$cache/sysroot/$name" sysroot_make "$1" "$release" "$version" "$series"
	echo "$name" >"$cache/sysroot/$2.current.tmp"
	mv "$cache/sysroot/$2.current.tmp" "$cache/sysroot/$2.current"
}

# sysroot_make PATH SUITE RELEASE VERSION SERIES
sysroot_make() {
	step "sysroot, packages" sysroot_debian "$@"
	step "sysroot, kernel modules" sysroot_modules "$1" "$3"
}

sysroot_debian() {
	local root=$1 suite=$2 release=$3 version=$4 series=$5
	local -a packages include options
	mapfile -t packages < <(sysroot_packages "$suite")
	packages+=(
		"linux-binary-$release=$version"
		"linux-modules-$release=$version"
		"linux-headers-$release=$version"
		"linux-source-$series=$version"
	)
	include=("${packages[@]/#/--include=}")
	mapfile -t options < <(apt_settings)
	local pattern
	for pattern in "${modules_unwanted[@]}"; do
		include+=("--dpkgopt=path-exclude=/usr/lib/modules/*/kernel/$pattern/*")
	done
	for pattern in doc info lintian locale man; do
		include+=("--dpkgopt=path-exclude=/usr/share/$pattern/*")
	done
	# In a mount namespace: what mmdebstrap mounts goes when it goes, however that is.
	suite_sources "$suite" |
		TMPDIR=$cache unshare --mount --propagation private mmdebstrap --mode=root --variant=essential --architectures=amd64 \
			--aptopt='APT::Install-Recommends "false"' \
			--aptopt='APT::Sandbox::User "root"' \
			--aptopt='Acquire::Languages "none"' \
			"${options[@]/#/--aptopt=}" "${include[@]}" \
			"$suite" "$root" -
	# A read-only mount needs places to put the host's files on.
	touch "$root/etc/resolv.conf" "$root/etc/hosts"
	mkdir "$root/etc/ferronic"
	printf '%s\n' "$release" >"$root/etc/ferronic/release"
	printf '%s\n' "$series" >"$root/etc/ferronic/series"
	grep -q '^CONFIG_RUST=y' "$root/usr/src/linux-headers-$release/.config" || {
		echo "Linux $release of $suite isn't built with CONFIG_RUST=y: no Rust module can be loaded into it"
		return 1
	}
}

# sysroot_modules ROOT RELEASE: unpacks the modules once, here, rather than at
# each modprobe in an emulated guest.
sysroot_modules() {
	local dir=$1/usr/lib/modules/$2
	find "$dir/kernel" -name '*.ko.xz' -print0 | xargs -0 -r -n 64 -P 2 xz -d
	chroot "$1" depmod "$2"
}
