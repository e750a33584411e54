# SPDX-License-Identifier: GPL-2.0
#
# Builds the C programs of the selftests: make -f tools/selftests.mk OUT=DIRECTORY [SOURCE=TREE]
# Each selftests/bin/NAME.c is one program, OUT/NAME.
#
# With the kernel's source in SOURCE, and what tools/spec/generate --client wrote in OUT/ynl, also OUT/ynl-client, and
# in OUT/kernel the kernel's Python client of netlink specifications.

programs := $(patsubst selftests/bin/%.c,$(OUT)/%,$(wildcard selftests/bin/*.c))

all: $(programs)

$(OUT)/%: selftests/bin/%.c
	@mkdir -p $(OUT)
	gcc -std=gnu11 -Wall -Wextra -Werror -O2 -o $@.tmp $< -lpthread
	@mv $@.tmp $@

ifdef SOURCE
ynl := $(SOURCE)/tools/net/ynl

all: $(OUT)/ynl-client $(OUT)/kernel/tools/net/ynl/pyynl/cli.py

$(OUT)/ynl-client: selftests/bin/ynl/client.c $(OUT)/ynl/ferronic-user.c
	gcc -std=gnu11 -O2 -Wall -I$(OUT)/ynl -I$(ynl)/lib -Iinclude/uapi -include include/uapi/linux/ferronic.h \
		-o $@.tmp $^ $(ynl)/lib/ynl.c
	@mv $@.tmp $@

$(OUT)/kernel/tools/net/ynl/pyynl/cli.py: $(ynl)/pyynl/cli.py
	@mkdir -p $(OUT)/kernel/tools/net/ynl
	cp -r $(ynl)/pyynl $(OUT)/kernel/tools/net/ynl/
	@touch $@
endif

.PHONY: all
