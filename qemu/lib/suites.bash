# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2154
#
# The one place that knows which Debian suites and kernel series are supported,
# and finds the kernels in the package lists. To be sourced after common.bash.

mirror=http://deb.debian.org/debian

# suite_of KERNEL: the suite whose tool chain and user space KERNEL uses.
suite_of() {
	case $1 in
	stock | debug) echo trixie ;;
	testing) echo testing ;;
	*) die "no kernel is called '$1': there are stock, testing and debug" ;;
	esac
}

# suite_sources SUITE: apt's lines. netperf is in non-free.
suite_sources() {
	case $1 in
	trixie)
		echo "deb [signed-by=$(keyring)] $mirror trixie main non-free"
		echo "deb [signed-by=$(keyring)] $mirror trixie-backports main"
		;;
	*)
		echo "deb [signed-by=$(keyring)] $mirror $1 main non-free"
		;;
	esac
}

# suite_kernel_sources SUITE: where its kernel comes from.
suite_kernel_sources() {
	suite_sources "$1" | tail -n 1
}

keyring() {
	local file
	for file in /usr/share/keyrings/debian-archive-keyring.{pgp,gpg}; do
		if [[ -e $file ]]; then
			echo "$file"
			return
		fi
	done
	die "no Debian archive keyring: run qemu/host-packages"
}

# apt_settings: what the administrator of this machine told apt about proxies,
# retries and validity of lists holds for the sysroot's apt too.
apt_settings() {
	apt-config dump |
		grep -E '^Acquire::(https?::|Check-|Retries|Force|Max-ValidTime)' || true
}

# series_supported: the kernel series to choose from, on one line.
series_supported() {
	local -a list
	if [[ ${FERRONIC_SERIES-} ]]; then
		read -r -a list <<<"$FERRONIC_SERIES"
	else
		mapfile -t list < <(sed -e 's/#.*//' -e '/^ *$/d' "$qemu_dir/series")
	fi
	echo "${list[*]}"
}

# kernel_find SUITE: prints "release version series" of the newest kernel of a
# supported series of which the image, the modules, the headers and the source
# all stand in the lists with one and the same version. An image may lag behind
# its headers by days, because it is signed separately.
kernel_find() {
	local dir=$cache/apt/$1 series kernels found newest
	mkdir -p "$dir"/lists/partial "$dir"/cache/archives/partial
	: >"$dir/status"
	suite_kernel_sources "$1" >"$dir/sources.list"
	local -a private=(
		-o "Dir::State=$dir" -o "Dir::State::lists=$dir/lists"
		-o "Dir::State::status=$dir/status" -o "Dir::Cache=$dir/cache"
		-o "Dir::Etc::SourceList=$dir/sources.list" -o "Dir::Etc::SourceParts=/dev/null"
		-o "Dir::Etc::Preferences=/dev/null" -o "Dir::Etc::PreferencesParts=/dev/null"
		-o "APT::Architecture=amd64" -o "APT::Architectures=amd64"
		-o "Acquire::Languages=none" -o "APT::Sandbox::User=root"
	)
	step "package lists of $1" apt-get -q "${private[@]}" update \
		-o APT::Update::Error-Mode=any
	kernels=$(apt-cache "${private[@]}" dumpavail | kernels_complete)
	[[ $kernels ]] ||
		die "$1 holds no kernel with image, modules, headers and source of one version:" \
			"wait for the mirror to catch up, or try the other suite"
	series=$(series_supported)
	newest=$(tail -n 1 <<<"$kernels")
	found=$(awk -v "series=$series" '
		BEGIN { split(series, list, " "); for (i in list) wanted[list[i]] }
		$3 in wanted' <<<"$kernels" | tail -n 1)
	[[ $found ]] ||
		die "this module is for Linux $series, and $1 has $(cut -d ' ' -f 3 <<<"$kernels" | sort -uV | xargs):" \
			"try the other suite, a newer version of the module, or FERRONIC_SERIES=${newest##* }" \
			"to see how far it gets"
	[[ $found == "$newest" ]] ||
		say "$1 has Linux ${newest%% *} too; this module is for Linux $series"
	echo "$found"
}

# kernels_complete: "release version series" of every complete kernel, oldest
# first, from package stanzas on standard input.
kernels_complete() {
	awk '
		$1 == "Package:" { name = $2 }
		$1 == "Version:" { have[name " " $2] = 1; if (name ~ /^linux-binary-[0-9][^-]*-amd64$/) image[name] = $2 }
		END {
			for (name in image) {
				version = image[name]
				release = substr(name, length("linux-binary-") + 1)
				split(version, part, /[.]/)
				series = part[1] "." part[2]
				if (have["linux-modules-" release " " version] &&
				    have["linux-headers-" release " " version] &&
				    have["linux-source-" series " " version])
					print release, version, series
			}
		}' | sort -k 2,2V
}
