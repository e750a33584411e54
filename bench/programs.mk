# SPDX-License-Identifier: GPL-2.0
#
# Builds the bench's programs: make -f bench/programs.mk OUT=DIRECTORY
# Each bench/bin/NAME.c is one, OUT/NAME. Static: starting a dynamically linked
# program costs an emulated guest a tenth of a second.

programs := $(patsubst bench/bin/%.c,$(OUT)/%,$(wildcard bench/bin/*.c))

all: $(programs)

$(OUT)/%: bench/bin/%.c bench/bin/common.h
	@mkdir -p $(OUT)
	gcc -std=gnu11 -Wall -Wextra -Werror -O2 -static -o $@.tmp $<
	@mv $@.tmp $@

.PHONY: all
