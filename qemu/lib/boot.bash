# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2154,SC2034,SC2054
#
# One guest from QEMU's command line to its verdict. To be sourced after
# accel.bash; works on what kernel_choose and qemu/run set.

# guest_settings: what the guest's session reads.
guest_settings() {
	printf '%s=%q\n' \
		hostname ferronic out "$out" directory "$directory" module "$module" \
		extra "$extra" shell "$shell_size" term "${TERM:-linux}" deadline "$timeout"
	printf 'shares=('
	printf '%q ' "${shares[@]}"
	printf ')\n'
}

# guest_cmdline ACCELERATOR: the kernel's.
guest_cmdline() {
	local -a words=(
		console=ttyS0 loglevel=7 panic=-1 oops=panic
		random.trust_cpu=on rcupdate.rcu_expedited=1
		# An emulated CPU that shares the host with others is slow, not stuck.
		rcupdate.rcu_cpu_stall_timeout=60 watchdog_thresh=40
		# Nothing of these is under test, all of it costs time at boot.
		cryptomgr.notests audit=0 apparmor=0 selinux=0
	)
	# Modules that bring tests run them when they are loaded. RTNL may be held for minutes where a namespace with many
	# ports goes.
	[[ $kernel != debug ]] || words+=(panic_on_warn=1 kunit.autorun=1 sysctl.kernel.hung_task_timeout_secs=300)
	# What is built in makes devices at once that a module makes when it is loaded.
	words+=(bonding.max_bonds=0 dummy.numdummies=0 ifb.numifbs=0 fb_tunnels=none)
	# Counted instructions are compared with those of a kernel as it is shipped.
	[[ $icount ]] || words+=(mitigations=off)
	[[ $1 != tcg ]] || words+=(tsc=reliable no_timer_check)
	if [[ $1 == tcg && ! $icount ]]; then
		local khz
		khz=$("$qemu_dir/lib/tsc") || khz=
		[[ ! $khz ]] || words+=("tsc_early_khz=$khz")
	fi
	echo "${words[*]} ${FERRONIC_APPEND-}"
}

# guest_start: starts QEMU in the background; sets qemu_pid, verdict_fd and the
# pids of what copies the guest's output.
guest_start() {
	local accel=tcg i
	local -a args=(
		# Should we be killed, the guest goes too.
		setpriv --pdeathsig KILL
		qemu-system-x86_64 -nodefaults -no-user-config -no-reboot -display none
		-name "ferronic,debug-threads=on" -m "$memory" -smp "$cpus"
		-kernel "$guest_kernel" -initrd "$guest_initrd"
		-serial "file:$run/kernel.log"
		-drive "if=none,id=root,file=$guest_image,format=raw,readonly=on,cache=unsafe"
		-device virtio-blk-pci,drive=root
		-device virtio-serial-pci,max_ports=8
		-chardev "file,id=verdict,path=$run/verdict"
		-device virtserialport,chardev=verdict,name=verdict,nr=1
		-fsdev "local,id=control,path=$run/control,security_model=none,readonly=on"
		-device virtio-9p-pci,fsdev=control,mount_tag=control
	)
	# On q35 interrupts are found in a table. The older machine has ACPI's interpreter compute them, which under the
	# checkers is so slow that it is aborted, half a minute a device.
	[[ $kernel == stock || $kernel == testing ]] || args+=(-machine q35)
	for ((i = 0; i < ${#shares[@]}; i++)); do
		local tag mode path readonly=
		read -r tag mode path <<<"${shares[i]}"
		[[ $mode != ro ]] || readonly=,readonly=on
		# A comma in a path ends an option for QEMU unless doubled.
		args+=(
			-fsdev "local,id=$tag,path=${path//,/,,},security_model=none,multidevs=remap$readonly"
			-device "virtio-9p-pci,fsdev=$tag,mount_tag=$tag"
		)
	done
	if [[ $icount ]]; then
		args+=(-accel tcg -icount shift=0,sleep=off -cpu "$icount_cpu")
	else
		accel=$(accel_choose)
		case $accel in
		kvm) args+=(-accel kvm -cpu max) ;;
		tcg) args+=(-accel "tcg,thread=multi,tb-size=512" -cpu max) ;;
		esac
	fi
	args+=(-append "$(guest_cmdline "$accel")")

	copies=()
	if [[ $shell_size ]]; then
		args+=(-chardev stdio,id=shell,signal=off -device virtconsole,chardev=shell,nr=0)
	else
		mkfifo "$run/stdout" "$run/stderr"
		cat <"$run/stdout" &
		copies+=($!)
		cat <"$run/stderr" >&2 &
		copies+=($!)
		args+=(
			-chardev "file,id=stdout,path=$run/stdout,append=on"
			-device virtserialport,chardev=stdout,name=stdout,nr=2
			-chardev "file,id=stderr,path=$run/stderr,append=on"
			-device virtserialport,chardev=stderr,name=stderr,nr=3
		)
	fi
	mkfifo "$run/verdict"
	# Open for reading and writing: neither we nor QEMU wait for each other.
	exec {verdict_fd}<>"$run/verdict"
	: >"$run/kernel.log"
	if [[ $shell_size ]]; then
		"${args[@]}" 2>"$run/qemu.log" {verdict_fd}>&- <&0 &
	else
		"${args[@]}" >"$run/qemu.log" 2>&1 {verdict_fd}>&- </dev/null &
	fi
	qemu_pid=$!
}

# guest_stop SECONDS: waits so long for QEMU to end by itself, then ends it.
guest_stop() {
	local i
	[[ ${qemu_pid-} ]] || return 0
	for ((i = 0; i < $1 * 20; i++)); do
		kill -0 "$qemu_pid" 2>/dev/null || break
		sleep 0.05
	done
	kill -KILL "$qemu_pid" 2>/dev/null || true
	wait "$qemu_pid" 2>/dev/null || true
	qemu_pid=
}

# guest_word SECONDS: reads the next word of the guest into $word; it is
# "dead" where QEMU ended and "late" where the time is up.
guest_word() {
	local until=$((SECONDS + $1)) piece line=
	while :; do
		if read -r -t 0.5 -u "$verdict_fd" piece; then
			word=$line$piece
			return
		fi
		# A time-out in the middle of a line leaves its beginning.
		line+=$piece
		if ! kill -0 "$qemu_pid" 2>/dev/null; then
			# It may have spoken between the two looks.
			if read -r -t 0.1 -u "$verdict_fd" piece; then
				word=$line$piece
			else
				word=dead
			fi
			return
		fi
		if ((SECONDS >= until)); then
			word=late
			return
		fi
	done
}
