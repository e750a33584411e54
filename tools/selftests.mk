# SPDX-License-Identifier: GPL-2.0
#
# Builds the C programs of the selftests: make -f tools/selftests.mk OUT=DIRECTORY
# Each selftests/bin/NAME.c is one program, OUT/NAME.

programs := $(patsubst selftests/bin/%.c,$(OUT)/%,$(wildcard selftests/bin/*.c))

all: $(programs)

$(OUT)/%: selftests/bin/%.c
	@mkdir -p $(OUT)
	gcc -std=gnu11 -Wall -Wextra -Werror -O2 -o $@.tmp $< -lpthread
	@mv $@.tmp $@

.PHONY: all
