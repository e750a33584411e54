// SPDX-License-Identifier: GPL-2.0

//! What `ethtool` shows and sets of a port.

use crate::port::Port;
use kernel::prelude::*;
use netdev::ethtool::Operations;

/// The operations.
pub(crate) struct Ethtool;

#[vtable]
impl Operations for Ethtool {
    type Driver = Port;
    const NAME: &'static CStr = c"ferronic";
}
