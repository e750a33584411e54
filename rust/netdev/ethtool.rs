// SPDX-License-Identifier: GPL-2.0

//! What `ethtool` shows and sets (`struct ethtool_ops`).
//!
//! C header: [`include/linux/ethtool.h`](srctree/include/linux/ethtool.h)
//!
//! A driver implements of [`Operations`] what its devices have; the rest is refused by the core. What an operation
//! may do without RTNL is settled here: only [`set_ringparam`](Operations::set_ringparam) and
//! [`set_channels`](Operations::set_channels) have it, since only they wait for grace periods (which are expedited
//! under RTNL) and change the number of queues. All others run under the device's instance lock alone.
//!
//! # Examples
//!
//! ```
//! #[vtable]
//! impl ethtool::Operations for Mine {
//!     type Driver = Mine;
//!     const NAME: &'static CStr = c"mine";
//!
//!     fn get_ringparam(dev: &mut Locked<'_, Mine>) -> RingParams {
//!         let state = dev.state();
//!         RingParams { rx_max: 4096, tx_max: 4096, rx: state.rx, tx: state.tx, ..Default::default() }
//!     }
//!
//!     fn statistics(dev: &mut Locked<'_, Mine>, report: &mut Report<'_>) {
//!         report.add(format_args!("doorbells"), dev.data().doorbells.get());
//!     }
//! }
//! ```

mod adapter;
mod coalesce;
mod link;
mod ntuple;
mod pause;
mod queues;
mod rss;
mod selftest;
mod stats;

pub(crate) use adapter::{table, Promised};
pub use coalesce::{Coalesce, CoalesceParams};
pub use link::LinkSettings;
pub use ntuple::{
    FlowFields, FlowMatch, FlowNetwork, FlowRule, RuleAction, RuleLocation, RuleLocations,
};
pub use pause::{Pause, PauseStats};
pub use queues::{Channels, RingCaps, RingParams};
pub use rss::{FlowType, HashFields, RssContexts, RssReply, RssRequest, Transforms};
pub use selftest::TestResults;
pub use stats::{EthCtrlStats, EthMacStats, Report, RmonRanges, RmonStats};

use crate::device::{Driver, Locked};
use crate::netlink::ExtAck;
use crate::rtnl::Rtnl;
use kernel::error::VTABLE_DEFAULT_ERROR;
use kernel::prelude::*;
use netdev_sys as bindings;

/// The operations of a driver's devices.
///
/// All are called in process context with the instance lock, or when nobody else can have it any more, and may sleep.
/// What fails is to change nothing.
#[vtable]
pub trait Operations: 'static {
    /// The driver.
    type Driver: Driver;

    /// Name of the driver, as `ethtool -i` shows it; up to 31 bytes.
    const NAME: &'static CStr;

    /// The ring parameters beyond the sizes that [`set_ringparam`](Self::set_ringparam) can change.
    const RINGS: RingCaps = RingCaps::NONE;

    /// The moderation parameters that [`set_coalesce`](Self::set_coalesce) can change; it needs at least one.
    const COALESCE: CoalesceParams = CoalesceParams::NONE;

    /// The transformations of hash inputs that [`set_rxfh`](Self::set_rxfh) can set. The core wants
    /// [`get_rxfh_fields`](Self::get_rxfh_fields) where there are any.
    const TRANSFORMS: Transforms = Transforms::NONE;

    /// The RSS contexts there can be; with any, [`create_rxfh_context`](Self::create_rxfh_context) and the like are
    /// needed. Each has a key and fields of its own.
    const CONTEXTS: RssContexts = RssContexts::NONE;

    /// The number of locations for n-tuple rules; with any, [`insert_rule`](Self::insert_rule) and the like are needed.
    const RULES: u32 = 0;

    /// The buckets of the histograms of [`get_rmon_stats`](Self::get_rmon_stats).
    const RMON_RANGES: RmonRanges = RmonRanges::NONE;

    /// Names of the self-tests of [`self_test`](Self::self_test), each up to 31 bytes.
    const SELF_TESTS: &'static [&'static str] = &[];

    /// Tells speed and duplex (`get_link_ksettings`).
    fn get_link_settings(_dev: &mut Locked<'_, Self::Driver>) -> LinkSettings {
        build_error!(VTABLE_DEFAULT_ERROR)
    }

    /// Tells how often the link went down (`get_link_ext_stats`).
    fn get_link_down_events(_dev: &mut Locked<'_, Self::Driver>) -> u64 {
        build_error!(VTABLE_DEFAULT_ERROR)
    }

    /// Tells which messages the driver prints (`get_msglevel`): `NETIF_MSG_*` bits.
    fn get_msglevel(_dev: &mut Locked<'_, Self::Driver>) -> u32 {
        build_error!(VTABLE_DEFAULT_ERROR)
    }

    /// Sets which messages the driver prints (`set_msglevel`): `NETIF_MSG_*` bits.
    fn set_msglevel(_dev: &mut Locked<'_, Self::Driver>, _bits: u32) {
        build_error!(VTABLE_DEFAULT_ERROR)
    }

    /// Tells the sizes of rings (`get_ringparam`).
    fn get_ringparam(_dev: &mut Locked<'_, Self::Driver>) -> RingParams {
        build_error!(VTABLE_DEFAULT_ERROR)
    }

    /// Sets the sizes of rings (`set_ringparam`). The core has seen that they are not above what
    /// [`get_ringparam`](Self::get_ringparam) says is most. RTNL.
    fn set_ringparam(
        _dev: &mut Locked<'_, Self::Driver>,
        _rtnl: &Rtnl,
        _params: &RingParams,
        _extack: &ExtAck<'_>,
    ) -> Result {
        build_error!(VTABLE_DEFAULT_ERROR)
    }

    /// Tells the numbers of channels (`get_channels`).
    fn get_channels(_dev: &mut Locked<'_, Self::Driver>) -> Channels {
        build_error!(VTABLE_DEFAULT_ERROR)
    }

    /// Sets the numbers of channels (`set_channels`). The core has seen that there is at least one for each way, that
    /// none is above its most, and that the indirection table leads to none that is to go. RTNL.
    fn set_channels(
        _dev: &mut Locked<'_, Self::Driver>,
        _rtnl: &Rtnl,
        _channels: &Channels,
    ) -> Result {
        build_error!(VTABLE_DEFAULT_ERROR)
    }

    /// Tells the moderation (`get_coalesce`): where queues differ, that of the first.
    fn get_coalesce(_dev: &mut Locked<'_, Self::Driver>) -> Coalesce {
        build_error!(VTABLE_DEFAULT_ERROR)
    }

    /// Sets the moderation of all queues (`set_coalesce`).
    fn set_coalesce(
        _dev: &mut Locked<'_, Self::Driver>,
        _coalesce: &Coalesce,
        _extack: &ExtAck<'_>,
    ) -> Result {
        build_error!(VTABLE_DEFAULT_ERROR)
    }

    /// Tells the moderation of one queue (`get_per_queue_coalesce`).
    ///
    /// # Errors
    ///
    /// `EINVAL` if there is no such queue.
    fn get_queue_coalesce(_dev: &mut Locked<'_, Self::Driver>, _queue: u32) -> Result<Coalesce> {
        build_error!(VTABLE_DEFAULT_ERROR)
    }

    /// Sets the moderation of one queue (`set_per_queue_coalesce`).
    ///
    /// # Errors
    ///
    /// `EINVAL` if there is no such queue, or no such value.
    fn set_queue_coalesce(
        _dev: &mut Locked<'_, Self::Driver>,
        _queue: u32,
        _coalesce: &Coalesce,
    ) -> Result {
        build_error!(VTABLE_DEFAULT_ERROR)
    }

    /// Tells the pause parameters (`get_pauseparam`).
    fn get_pauseparam(_dev: &mut Locked<'_, Self::Driver>) -> Pause {
        build_error!(VTABLE_DEFAULT_ERROR)
    }

    /// Sets the pause parameters (`set_pauseparam`).
    fn set_pauseparam(_dev: &mut Locked<'_, Self::Driver>, _pause: &Pause) -> Result {
        build_error!(VTABLE_DEFAULT_ERROR)
    }

    /// Tells what was paused (`get_pause_stats`).
    fn get_pause_stats(_dev: &mut Locked<'_, Self::Driver>, _stats: &mut PauseStats) {
        build_error!(VTABLE_DEFAULT_ERROR)
    }

    /// Tells how many receive queues there are to steer to (`get_rx_ring_count`).
    fn get_rx_ring_count(_dev: &mut Locked<'_, Self::Driver>) -> u32 {
        build_error!(VTABLE_DEFAULT_ERROR)
    }

    /// Tells the number of entries of the indirection table (`get_rxfh_indir_size`).
    fn get_rxfh_indir_size(_dev: &mut Locked<'_, Self::Driver>) -> u32 {
        build_error!(VTABLE_DEFAULT_ERROR)
    }

    /// Tells the number of bytes of the key (`get_rxfh_key_size`).
    fn get_rxfh_key_size(_dev: &mut Locked<'_, Self::Driver>) -> u32 {
        build_error!(VTABLE_DEFAULT_ERROR)
    }

    /// Tells what is steered by (`get_rxfh`). The hash function is Toeplitz.
    fn get_rxfh(_dev: &mut Locked<'_, Self::Driver>, _reply: &mut RssReply<'_>) {
        build_error!(VTABLE_DEFAULT_ERROR)
    }

    /// Sets what is steered by (`set_rxfh`).
    fn set_rxfh(
        _dev: &mut Locked<'_, Self::Driver>,
        _request: &RssRequest<'_>,
        _extack: &ExtAck<'_>,
    ) -> Result {
        build_error!(VTABLE_DEFAULT_ERROR)
    }

    /// Tells which fields of that type of flow are hashed (`get_rxfh_fields`), in a context, or, if that is 0, without
    /// one.
    ///
    /// # Errors
    ///
    /// `EOPNOTSUPP` if the device does not know the type, `ENOENT` if there is no such context.
    fn get_rxfh_fields(
        _dev: &mut Locked<'_, Self::Driver>,
        _context: u32,
        _flow: FlowType,
    ) -> Result<HashFields> {
        build_error!(VTABLE_DEFAULT_ERROR)
    }

    /// Sets which fields of that type of flow are hashed (`set_rxfh_fields`), in a context, or, if that is 0, without
    /// one.
    fn set_rxfh_fields(
        _dev: &mut Locked<'_, Self::Driver>,
        _context: u32,
        _flow: FlowType,
        _fields: HashFields,
        _extack: &ExtAck<'_>,
    ) -> Result {
        build_error!(VTABLE_DEFAULT_ERROR)
    }

    /// Makes an RSS context (`create_rxfh_context`). What the request leaves open is the driver's to choose; `reply`
    /// gets all of what it has then. The core has chosen the number; it is below [`CONTEXTS`](Self::CONTEXTS)`.max` and
    /// not in use.
    fn create_rxfh_context(
        _dev: &mut Locked<'_, Self::Driver>,
        _context: u32,
        _request: &RssRequest<'_>,
        _reply: &mut RssReply<'_>,
        _extack: &ExtAck<'_>,
    ) -> Result {
        build_error!(VTABLE_DEFAULT_ERROR)
    }

    /// Changes an RSS context (`modify_rxfh_context`).
    fn modify_rxfh_context(
        _dev: &mut Locked<'_, Self::Driver>,
        _context: u32,
        _request: &RssRequest<'_>,
        _extack: &ExtAck<'_>,
    ) -> Result {
        build_error!(VTABLE_DEFAULT_ERROR)
    }

    /// Removes an RSS context (`remove_rxfh_context`). The core has seen that no rule leads to it, unless the device
    /// goes: then its contexts go with RTNL instead of the instance lock, and rules may still be there.
    fn remove_rxfh_context(
        _dev: &mut Locked<'_, Self::Driver>,
        _context: u32,
        _extack: &ExtAck<'_>,
    ) -> Result {
        build_error!(VTABLE_DEFAULT_ERROR)
    }

    /// Lists the locations of the n-tuple rules (`get_rxnfc`, `ETHTOOL_GRXCLSRLALL`).
    fn get_rules(_dev: &mut Locked<'_, Self::Driver>, _locations: &mut RuleLocations<'_>) {
        build_error!(VTABLE_DEFAULT_ERROR)
    }

    /// Tells how many n-tuple rules there are (`get_rxnfc`, `ETHTOOL_GRXCLSRLCNT`).
    fn get_rule_count(_dev: &mut Locked<'_, Self::Driver>) -> u32 {
        build_error!(VTABLE_DEFAULT_ERROR)
    }

    /// Tells the n-tuple rule at a location (`get_rxnfc`, `ETHTOOL_GRXCLSRULE`).
    ///
    /// # Errors
    ///
    /// `ENOENT` if there is none.
    fn get_rule(_dev: &mut Locked<'_, Self::Driver>, _location: u32) -> Result<FlowRule> {
        build_error!(VTABLE_DEFAULT_ERROR)
    }

    /// Inserts an n-tuple rule (`set_rxnfc`, `ETHTOOL_SRXCLSRLINS`), and returns where. A rule that leads to a context
    /// leads to one that is there.
    ///
    /// # Errors
    ///
    /// `ENOSPC` if there is no room, `EINVAL` or `EOPNOTSUPP` if it says what cannot be; there is no way to say more.
    fn insert_rule(_dev: &mut Locked<'_, Self::Driver>, _rule: &FlowRule) -> Result<u32> {
        build_error!(VTABLE_DEFAULT_ERROR)
    }

    /// Deletes the n-tuple rule at a location (`set_rxnfc`, `ETHTOOL_SRXCLSRLDEL`).
    ///
    /// # Errors
    ///
    /// `EINVAL` if there is no such location.
    fn delete_rule(_dev: &mut Locked<'_, Self::Driver>, _location: u32) -> Result {
        build_error!(VTABLE_DEFAULT_ERROR)
    }

    /// Lists the driver's own statistics (`get_sset_count`, `get_strings`, `get_ethtool_stats`). Their number and
    /// names change only with what the instance lock protects.
    fn statistics(_dev: &mut Locked<'_, Self::Driver>, _report: &mut Report<'_>) {
        build_error!(VTABLE_DEFAULT_ERROR)
    }

    /// Tests the device (`self_test`): without harm to traffic, or with all means if `offline`. Afterwards all is as
    /// it was.
    fn self_test(
        _dev: &mut Locked<'_, Self::Driver>,
        _offline: bool,
        _results: &mut TestResults<'_>,
    ) {
        build_error!(VTABLE_DEFAULT_ERROR)
    }

    /// Tells the statistics of the MAC (`get_eth_mac_stats`).
    fn get_eth_mac_stats(_dev: &mut Locked<'_, Self::Driver>, _stats: &mut EthMacStats) {
        build_error!(VTABLE_DEFAULT_ERROR)
    }

    /// Tells the statistics of MAC control frames (`get_eth_ctrl_stats`).
    fn get_eth_ctrl_stats(_dev: &mut Locked<'_, Self::Driver>, _stats: &mut EthCtrlStats) {
        build_error!(VTABLE_DEFAULT_ERROR)
    }

    /// Tells the statistics of remote monitoring (`get_rmon_stats`).
    fn get_rmon_stats(_dev: &mut Locked<'_, Self::Driver>, _stats: &mut RmonStats) {
        build_error!(VTABLE_DEFAULT_ERROR)
    }
}

/// Fills a key for receive hashing: the same for all devices of this boot (`netdev_rss_key_fill`).
pub fn rss_key(key: &mut [u8]) {
    let n = key.len().min(bindings::NETDEV_RSS_KEY_LEN as usize);
    // SAFETY: The slice is valid for writing `n` bytes, no more than the core has.
    unsafe { bindings::netdev_rss_key_fill(key.as_mut_ptr().cast(), n) };
}
