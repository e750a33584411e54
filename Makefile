# SPDX-License-Identifier: GPL-2.0
#
# How to call it: every entry point a person uses is a target here. What the
# module is built of stands in Kbuild.
#
#   make                     the module for the stock Debian kernel, in the sysroot's tool chain
#   make KERNEL=testing      the same for Debian testing's kernel
#   make KDIR=...            for a kernel build tree with Rust metadata, with this machine's tools
#
# Results go to build/<kernel release>/. 'make help' lists the targets.

KERNEL ?= stock
KERNELS := stock testing debug

# Machinery
# =========

MAKEFLAGS += --no-print-directory
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := all
.DELETE_ON_ERROR:

ifeq ($(filter $(KERNEL),$(KERNELS)),)
$(error KERNEL=$(KERNEL) is none of: $(KERNELS))
endif

space := $(subst ,, )
ifneq ($(findstring $(space),$(CURDIR)),)
$(error kernel builds cannot cope with a space in the path: $(CURDIR))
endif

# $(kdir) is the kernel build tree and $(toolchain) what a command has to be prefixed with. Without KDIR both
# come from the test machine, which may have to build them; so they are asked for when a recipe needs them, once.
ifdef KDIR
toolchain :=
kdir := $(abspath $(KDIR))
machine :=
else
toolchain := qemu/sysroot --kernel $(KERNEL)
kdir = $(eval kdir := $$(shell qemu/kdir --kernel $(KERNEL)))$(or $(kdir),$(error no kernel build tree; why is said above))
machine := machine
endif

release = $(eval release := $$(shell cat $(kdir)/include/config/kernel.release))$(or $(release),$(error $(kdir) is not a kernel build tree: include/config/kernel.release is missing))
out = $(CURDIR)/build/$(release)

# Where ip looks for plug-ins, seen from the root. qemu/run lays $(out)/root over the guest's.
plugin-dir := usr/lib/$(shell uname -m)-linux-gnu/ip

# A kernel built by clang needs its modules built by the same clang.
kernel-config = $(shell sed -n 's/^$(1)=//p' $(kdir)/include/config/auto.conf)
kernel-make-flags = $(if $(call kernel-config,CONFIG_CC_IS_CLANG),LLVM=-$(shell echo $$(($(call kernel-config,CONFIG_CLANG_VERSION) / 10000))))

# make in the tool chain, without the variables that we were given.
clean-make = env -u MAKEFLAGS -u MFLAGS $(toolchain) make --no-print-directory

# Builds with the kernel's own rules: $(call kbuild,<MO>,<arguments>). A second build in MO waits for the first.
kbuild = mkdir -p $(1) && flock $(1)/.lock $(clean-make) -j$(shell nproc) -C $(kdir) M=$(CURDIR) MO=$(1) $(kernel-make-flags) $(2)

PHONY := all modules plugin tools selftests-bin
PHONY += demo test test-debug test-upstream test-pure test-misuse test-mutants fuzz soak shell
PHONY += bench bench-check bench-wall bench-profile bench-programs
PHONY += lint format spec doc rust-analyzer
PHONY += install uninstall clean help
PHONY += machine kdir-usable kbuild

# What the host needs, and a sysroot; both say nothing where all is there.
machine:
	@qemu/host-packages
	@qemu/sysroot --kernel $(KERNEL) true

# Fails early where the kernel build tree can't build Rust modules.
kdir-usable: $(machine)
	@[[ -e $(kdir)/include/config/auto.conf ]] || \
		{ echo >&2 "error: $(kdir) is not a configured kernel build tree"; exit 1; }
	@grep -qx CONFIG_RUST=y $(kdir)/include/config/auto.conf || \
		{ echo >&2 "error: the kernel of $(kdir) is built without CONFIG_RUST=y"; exit 1; }
	@[[ -e $(kdir)/rust/libkernel.rmeta ]] || \
		{ echo >&2 "error: $(kdir) has no Rust metadata (rust/libkernel.rmeta): run 'make prepare' there," \
			"or leave out KDIR for the stock Debian kernel"; exit 1; }

# For the scripts below tools/: the kernel's rules with an output directory of their own.
kbuild: kdir-usable
	@$(call kbuild,$(MO),$(ARGS))

##@ Build

all: modules plugin ## Build ferronic.ko, the sample driver and the plug-in for ip

modules: kdir-usable
	@$(call kbuild,$(out),modules)

plugin: $(machine)
	@$(clean-make) -C $(CURDIR)/tools/iproute2 OUT=$(out)/root/$(plugin-dir)

# The command, its manual page and its completions lie below $(out)/root too.
tools: $(machine) ## Build the command-line tool
	@$(toolchain) cargo build --quiet --release --locked --manifest-path tools/ferronic/Cargo.toml \
		--target-dir $(CURDIR)/build/tools
	@tools/ferronic/install build/tools/release/ferronic $(out)/root/usr

selftests-bin: $(machine) ## Build the C programs that the selftests use
	@$(if $(machine),tools/spec/generate --client $(out)/selftests/ynl $$(qemu/source --kernel $(KERNEL)))
	@$(clean-make) -f tools/selftests.mk OUT=$(out)/selftests \
		$(if $(machine),SOURCE=$$(qemu/source --kernel $(KERNEL)))

##@ Run

demo: ## Show it: build everything, boot, send packets through a pair of NICs
	@tools/demo/run --kernel $(KERNEL)

test: ## Run the selftests on KERNEL: TAP, then 'N passed, N failed, N skipped'
	@$(MAKE) all tools selftests-bin >&2
	@selftests/run --kernel $(KERNEL) $(if $(UNTIL),--until $(UNTIL)) $(TESTS)

# The whole suite takes hours where each access is checked and instructions are emulated. Areas come behind the tests of
# the list, so those run first, and once.
debug-tests = $(shell sed '/^#/d' selftests/debug.list) \
	$(if $(LONG),$(filter-out bin lib upstream,$(patsubst selftests/%/,%,$(wildcard selftests/*/))))

test-debug: ## Run the tests of selftests/debug.list on the debug kernel, with LONG=1 then all others (TESTS= for some)
	@$(MAKE) test KERNEL=debug TESTS="$(or $(TESTS),$(debug-tests))"

test-upstream: ## Run upstream's own tests for NICs against a pair (TESTS='drivers/net/stats.py ...', or all)
	@$(MAKE) all >&2
	@selftests/upstream/run --kernel $(KERNEL) $(TESTS)

test-pure: $(machine) ## Test the pure crate with cargo, in the tool chain (TESTS= as cargo test has them)
	@$(toolchain) cargo test --quiet --manifest-path rust/pure/Cargo.toml --target-dir $(CURDIR)/build/pure $(TESTS)

test-misuse: modules ## Show that misuse of the safe layer does not compile
	@tools/compile-fail --kernel $(KERNEL)

test-mutants: ## Make faults one at a time, and see that a test finds each (NAMES=)
	@tools/mutants/run $(NAMES)

# For hours: SEED and COUNT for the ones in the guest, SECONDS for each on the host, which needs cargo and c++ there.
fuzz: ## Fuzz the family, rtnetlink, ethtool, frames, hooks (COUNT=, SEED=), and on the host parsers and classifier (SECONDS=)
	@$(MAKE) all tools selftests-bin >&2
	@selftests/run --kernel $(KERNEL) --timeout 7200 \
		$(foreach f,netlink/fuzz assurance/fuzz_link assurance/fuzz_ethtool assurance/fuzz_frames \
			assurance/fuzz_hooks,--program \
			"fuzz/$(notdir $(f))=selftests/$(f).py --count $(or $(COUNT),$(if $(filter netlink/fuzz assurance/fuzz_hooks,$(f)),1000000,500000)) --seed $(or $(SEED),$(shell date +%s))")
	@PURE_PAIRS=$(or $(COUNT),1000000) $(MAKE) test-pure TESTS="--test rules classifier_equals_walk"
	@tools/fuzz-pure $(or $(SECONDS),600)

soak: ## Ten million frames, every byte checked, while all is reconfigured at random (COUNT=, SEED=)
	@$(MAKE) all selftests-bin >&2
	@selftests/run --kernel $(KERNEL) --timeout 36000 --program \
		"soak/soak=selftests/traffic/soak.py --frames $(or $(COUNT),10000000) --seed $(or $(SEED),$(shell date +%s))"

shell: all tools ## Open a root shell in the guest, with the module loaded
	@qemu/run --kernel $(KERNEL) --shell

##@ Measure

# Documentation/bench.md tells what the figures are.
bench-programs: $(machine)
	@$(clean-make) -s -f bench/programs.mk OUT=$(out)/bench

bench-part = $(strip $(if $(FIGURES),--figures $(FIGURES)) $(if $(ROWS),--rows $(ROWS)))

bench: all bench-programs ## Instructions per packet, byte and operation, beside veth and others
	@bench/run --kernel $(KERNEL) $(bench-part) $(if $(QUICK),--quick)

bench-check: bench ## Compare with the baseline: fails where ferronic is worse by 3 %
	@bench/baseline check $(if $(bench-part),--part)

bench-wall: all bench-programs ## By the clock, on all CPUs, as ratios to veth with their intervals
	@bench/wall --kernel $(KERNEL) $(bench-part)

bench-profile: all bench-programs ## Where they go, by function: FIGURE=udp/60/drop ROW=nic
	@bench/profile --kernel $(KERNEL) $(or $(FIGURE),udp/60/drop) $(or $(ROW),nic)

##@ Check and read

lint: all ## Formatting, clippy, rustdoc, shell, YAML, our rules on unsafe and panics
	@tools/lint/run --kernel $(KERNEL)

format: $(machine) ## Format the Rust sources
	@$(toolchain) rustfmt --config skip_children=true $(shell tools/lint/files '*.rs')

spec: machine ## Remake what follows from the netlink specification
	@tools/spec/generate

doc: modules ## Write the crates' documentation to build/<release>/doc
	@tools/doc --kernel $(KERNEL)

rust-analyzer: modules ## Write rust-project.json for editors
	@tools/rust-analyzer --kernel $(KERNEL)

##@ Install and clean

# For a real machine: the module beside the kernel's own, the plug-in where ip looks for it.
installed-module = $(DESTDIR)/lib/modules/$(release)/updates/ferronic.ko
installed-plugin = $(DESTDIR)/$(plugin-dir)/link_ferronic.so

# Documentation/install.md tells about keys, and about kernels that are not this machine's.
install: all tools ## Install the module, the plug-in for ip and the tool, below DESTDIR if given (SIGN_KEY=, SIGN_CERT=)
	@[[ -n "$(DESTDIR)" || -d /lib/modules/$(release)/kernel ]] || \
		{ echo >&2 "error: this machine has no kernel $(release), but: $$(ls /lib/modules 2>/dev/null | xargs)"; exit 1; }
	install -D -m 644 $(out)/ferronic.ko $(installed-module)
	$(if $(SIGN_KEY),$(kdir)/scripts/sign-file sha256 $(SIGN_KEY) $(SIGN_CERT) $(installed-module))
	install -D -m 644 $(out)/root/$(plugin-dir)/link_ferronic.so $(installed-plugin)
	tools/ferronic/install build/tools/release/ferronic $(DESTDIR)/usr
	$(if $(DESTDIR),,depmod $(release))

uninstall: ## Remove what install has installed, for all kernels
	rm -f $(wildcard $(DESTDIR)/lib/modules/*/updates/ferronic.ko) $(installed-plugin)
	tools/ferronic/install --remove $(DESTDIR)/usr
	$(if $(DESTDIR),,depmod)

clean: ## Remove build/ (the cache outside the tree stays)
	rm -rf build rust-project.json

help: ## List the targets
	@awk 'BEGIN { FS = ":[^#]*## " } \
		/^##@ / { printf "\n%s\n", substr($$0, 5) } \
		/^[a-z-]+:.*## / { printf "  %-14s %s\n", $$1, $$2 }' Makefile
	@echo
	@printf '%s\n' \
		'KERNEL=stock|testing|debug  which of Debian'"'"'s kernels, or ours for finding bugs (now: $(KERNEL))' \
		'KDIR=DIRECTORY              a kernel build tree with Rust metadata instead' \
		'TESTS="NAME..."             only these selftests' \
		'FIGURES="PATTERN..."        only these figures of the bench; ROWS="veth nic" only these rows' \
		'QUICK=1                     the bench in fewer and shorter batches' \
		'FERRONIC_CACHE=DIRECTORY    where everything expensive is kept (~/.cache/ferronic)'

.PHONY: $(PHONY)
