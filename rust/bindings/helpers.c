// SPDX-License-Identifier: GPL-2.0
/*
 * C helpers: one-line wrappers of inline functions and macros, one file per header. Only what Rust cannot reach
 * otherwise belongs here; what the packet path needs often is read through the bindings instead, for each of
 * these is a call.
 */
#include "bindings.h"

#include "helpers/context.c"
#include "helpers/dim.c"
#include "helpers/etherdevice.c"
#include "helpers/genetlink.c"
#include "helpers/hrtimer.c"
#include "helpers/lock.c"
#include "helpers/napi.c"
#include "helpers/netdevice.c"
#include "helpers/netfilter.c"
#include "helpers/nf_held.c"
#include "helpers/netlink.c"
#include "helpers/page_pool.c"
#include "helpers/pernet.c"
#include "helpers/quota.c"
#include "helpers/rtnetlink.c"
#include "helpers/skbuff.c"
#include "helpers/slab.c"
#include "helpers/txq.c"
