// SPDX-License-Identifier: GPL-2.0

//! Error numbers that `kernel::error::code` lacks.

use kernel::prelude::*;
use netdev_sys as bindings;

macro_rules! declare {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {
        $(
            $(#[$doc])*
            #[allow(non_snake_case)]
            #[inline]
            pub fn $name() -> Error {
                Error::from_errno(-(bindings::$name as c_int))
            }
        )*
    };
}

declare! {
    /// Operation not supported on transport endpoint.
    EOPNOTSUPP,
    /// Cannot assign requested address.
    EADDRNOTAVAIL,
    /// Network is down.
    ENETDOWN,
    /// Transport endpoint is not connected.
    ENOTCONN,
    /// No buffer space available.
    ENOBUFS,
    /// Stale file handle; here: what was looked at has changed.
    ESTALE,
    /// Message too long.
    EMSGSIZE,
    /// Disk quota exceeded; here: a limit of the user namespace reached.
    EDQUOT,
}

/// Turns what a C function returned into a [`Result`].
#[inline]
pub(crate) fn to_result(ret: c_int) -> Result {
    if ret < 0 {
        Err(Error::from_errno(ret))
    } else {
        Ok(())
    }
}

/// Turns a [`Result`] into what a C callback returns.
#[inline]
pub(crate) fn from_result(r: Result) -> c_int {
    match r {
        Ok(()) => 0,
        Err(e) => e.to_errno(),
    }
}
