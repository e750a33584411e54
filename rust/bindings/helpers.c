// SPDX-License-Identifier: GPL-2.0
/*
 * C helpers: one-line wrappers of inline functions and macros, one file per header or subsystem, as the kernel's
 * rust/helpers. Only what Rust cannot reach otherwise belongs here.
 */
#include "bindings.h"

#define __rust_helper

#include "helpers/netdevice.c"
