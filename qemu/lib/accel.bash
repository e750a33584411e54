# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2154
#
# Whether KVM works here, which /dev/kvm alone doesn't tell: found out once by
# booting, remembered in the cache. To be sourced after kernel.bash.

# accel_choose: prints kvm or tcg.
accel_choose() {
	local answer
	if [[ ! -w /dev/kvm ]]; then
		echo tcg
		return
	fi
	answer=$cache/accel-$(digest "=$(uname -srm)" "=$(qemu-system-x86_64 --version)")
	[[ -e $answer ]] || cached "$answer" accel_probe
	cat "$answer"
}

accel_probe() {
	local dir=$1.dir
	say "trying whether KVM works: at most 20 s"
	mkdir -p "$dir"
	: >"$dir/verdict"
	# Whatever it does, nothing of it matters but the word that the guest sends.
	# The shell in between keeps the news of a crash to itself.
	(
		timeout -k 1 20 qemu-system-x86_64 -nodefaults -no-user-config -display none -no-reboot \
			-accel kvm -cpu max -m 512 \
			-kernel "$guest_kernel" -initrd "$guest_initrd" \
			-append "panic=-1 ferronic.probe" \
			-device virtio-serial-pci \
			-chardev "file,id=verdict,path=$dir/verdict" \
			-device virtserialport,chardev=verdict,name=verdict,nr=1 \
			</dev/null >"$dir/log" 2>&1 || true
	) 2>/dev/null
	if [[ $(<"$dir/verdict") == alive ]]; then
		echo kvm >"$1"
	else
		echo tcg >"$1"
		say "KVM doesn't work on this machine; guests are emulated"
	fi
	rm -rf "$dir"
}
