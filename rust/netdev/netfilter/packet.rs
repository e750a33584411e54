// SPDX-License-Identifier: GPL-2.0

//! A packet at a hook.

use super::service::Seat;
use super::{Direction, Inet, Queued, Verdict};
use crate::rtnl::Net;
use crate::skb::{Reason, SkBuff};
use core::marker::PhantomData;
use core::ptr::NonNull;
use core::slice;
use kernel::prelude::*;
use kernel::sync::Arc;
use netdev_sys as bindings;

/// Bytes of an Ethernet header.
const ETH_HLEN: u32 = bindings::ETH_HLEN;

/// Tags in a frame behind which an IP header is looked for.
const TAGS_MAX: u32 = 2;

/// Whether an ethertype is one of IP.
fn is_ip(ethertype: u16) -> bool {
    matches!(
        u32::from(ethertype),
        bindings::ETH_P_IP | bindings::ETH_P_IPV6
    )
}

/// A packet at a hook: owned by the one who is called until it is given back.
///
/// # Invariants
///
/// `state` is what the core passes with the packet, valid for `'p`, with `hook` and `pf` of the registration.
pub struct Packet<'p> {
    skb: SkBuff,
    state: NonNull<bindings::nf_hook_state>,
    /// The hook's.
    seat: &'p Arc<Seat>,
    _state: PhantomData<&'p bindings::nf_hook_state>,
}

/// The bytes of a packet as a hook finds them.
#[derive(Clone, Copy)]
pub struct Bytes<'a> {
    /// Those that lie in one piece, from the first header on.
    pub linear: &'a [u8],
    /// Whether they begin with an Ethernet header; with the network header otherwise.
    pub ethernet: bool,
    /// How long the packet is from there on.
    pub length: u32,
    /// Where that is, seen from the data of the buffer.
    offset: i32,
}

impl<'p> Packet<'p> {
    /// # Safety
    ///
    /// The arguments are those of the core's call of a hook; the packet is given away.
    #[inline(always)]
    pub(super) unsafe fn from_raw(
        skb: NonNull<bindings::sk_buff>,
        state: NonNull<bindings::nf_hook_state>,
        seat: &'p Arc<Seat>,
    ) -> Self {
        Packet {
            // SAFETY: The core passes its reference on with the call.
            skb: unsafe { SkBuff::from_raw(skb) },
            // INVARIANT: By the caller's promise.
            state,
            seat,
            _state: PhantomData,
        }
    }

    /// Gives the reference back to the core.
    #[inline(always)]
    pub(super) fn into_skb(self) -> SkBuff {
        self.skb
    }

    /// What the core passed with the packet.
    #[inline(always)]
    pub(super) fn state_ptr(&self) -> *const bindings::nf_hook_state {
        self.state.as_ptr()
    }

    /// The place of the hook.
    #[inline(always)]
    pub(super) fn seat(&self) -> &'p Arc<Seat> {
        self.seat
    }

    #[inline(always)]
    fn state(&self) -> &bindings::nf_hook_state {
        // SAFETY: Valid by the type invariant.
        unsafe { self.state.as_ref() }
    }

    /// Drops the packet for a reason. Tracing names the caller as the place (`sk_skb_reason_drop`).
    #[inline]
    pub fn drop_with(self, reason: Reason) {
        // SAFETY: The reference is owned and given away; hooks run outside hard interrupts, as freeing at once needs.
        unsafe {
            bindings::sk_skb_reason_drop(
                core::ptr::null_mut(),
                self.into_skb().into_raw(),
                reason.as_raw(),
            )
        };
    }

    /// The packet's buffer.
    #[inline(always)]
    pub fn skb(&self) -> &SkBuff {
        &self.skb
    }

    /// The namespace it is in.
    #[inline]
    pub fn net(&self) -> &Net {
        // SAFETY: The core's namespace lives as long as the packet is at the hook.
        unsafe { Net::from_raw(self.state().net) }
    }

    /// The point, if it is one of IP's.
    #[inline]
    pub fn inet(&self) -> Option<Inet> {
        if u32::from(self.state().pf) == bindings::NFPROTO_NETDEV {
            return None;
        }
        Some(match u32::from(self.state().hook) {
            bindings::nf_inet_hooks_NF_INET_PRE_ROUTING => Inet::PreRouting,
            bindings::nf_inet_hooks_NF_INET_LOCAL_IN => Inet::LocalIn,
            bindings::nf_inet_hooks_NF_INET_FORWARD => Inet::Forward,
            bindings::nf_inet_hooks_NF_INET_LOCAL_OUT => Inet::LocalOut,
            _ => Inet::PostRouting,
        })
    }

    /// The direction, if it is at a device.
    #[inline]
    pub fn direction(&self) -> Option<Direction> {
        if u32::from(self.state().pf) != bindings::NFPROTO_NETDEV {
            return None;
        }
        Some(match u32::from(self.state().hook) {
            bindings::nf_dev_hooks_NF_NETDEV_INGRESS => Direction::Ingress,
            _ => Direction::Egress,
        })
    }

    /// # Safety
    ///
    /// `dev` is NULL or one of the state's devices.
    #[inline(always)]
    unsafe fn number(dev: *mut bindings::net_device) -> u32 {
        if dev.is_null() {
            return 0;
        }
        // SAFETY: The core's devices live as long as the packet is at the hook.
        unsafe { (*dev).ifindex as u32 }
    }

    /// Number of the device it came in by, 0 if it came by none or that is over.
    #[inline]
    pub fn in_ifindex(&self) -> u32 {
        // SAFETY: Of the state.
        unsafe { Self::number(self.state().in_) }
    }

    /// Number of the device it is to leave by, 0 if that is not known.
    #[inline]
    pub fn out_ifindex(&self) -> u32 {
        // SAFETY: Of the state.
        unsafe { Self::number(self.state().out) }
    }

    /// Whether the device it is at has Ethernet headers.
    #[inline]
    fn is_ethernet(&self) -> bool {
        let dev = if self.state().in_.is_null() {
            self.state().out
        } else {
            self.state().in_
        };
        // SAFETY: One of the state's devices, which live as long as the packet is at the hook.
        !dev.is_null() && unsafe { u32::from((*dev).type_) } == bindings::ARPHRD_ETHER
    }

    /// Its bytes: at IP's points from the IP header on, at a device from the Ethernet header on, where there is one.
    #[inline]
    pub fn bytes(&self) -> Bytes<'_> {
        match self.direction() {
            None => self.plain_bytes(),
            Some(direction) => self.device_bytes(direction),
        }
    }

    /// Its bytes from its data on.
    #[inline(always)]
    fn plain_bytes(&self) -> Bytes<'_> {
        Bytes {
            linear: self.skb.linear(),
            ethernet: false,
            length: self.skb.len(),
            offset: 0,
        }
    }

    /// [`bytes`](Self::bytes) at a device.
    fn device_bytes(&self, direction: Direction) -> Bytes<'_> {
        let plain = self.plain_bytes();
        match (direction, self.is_ethernet()) {
            // What is sent begins with its link header.
            (Direction::Egress, true) => Bytes {
                ethernet: true,
                ..plain
            },
            (Direction::Egress, false) => {
                let skip = self.skb.network_offset();
                Bytes {
                    linear: plain.linear.get(skip as usize..).unwrap_or(&[]),
                    ethernet: false,
                    length: plain.length.saturating_sub(skip),
                    offset: skip as i32,
                }
            }
            // What was received is past it.
            (Direction::Ingress, true) if self.skb.mac_distance() == Some(ETH_HLEN) => Bytes {
                // SAFETY: The link header lies so many bytes before the data, in the same buffer, and was received.
                linear: unsafe {
                    slice::from_raw_parts(
                        plain.linear.as_ptr().sub(ETH_HLEN as usize),
                        plain.linear.len().wrapping_add(ETH_HLEN as usize),
                    )
                },
                ethernet: true,
                length: plain.length.saturating_add(ETH_HLEN),
                offset: -(ETH_HLEN as i32),
            },
            (Direction::Ingress, _) => plain,
        }
    }

    /// Copies the first bytes, wherever they lie, from where [`bytes`](Self::bytes) begins; returns how many there are.
    pub fn copy_start(&self, to: &mut [u8]) -> usize {
        let bytes = self.bytes();
        let n = to.len().min(bytes.length as usize);
        let Some(to) = to.get_mut(..n) else {
            return 0;
        };
        match self.skb.copy_bits_from(bytes.offset, to) {
            Ok(()) => n,
            Err(_) => 0,
        }
    }

    /// Addresses of the Ethernet header it was received with: destination, then source.
    #[inline]
    pub fn ethernet_addresses(&self) -> Option<&[u8; 12]> {
        if matches!(self.inet(), Some(Inet::LocalOut | Inet::PostRouting)) || !self.is_ethernet() {
            return None;
        }
        let distance = self.skb.mac_distance().filter(|&d| d >= ETH_HLEN)?;
        // SAFETY: The link header lies so many bytes before the data, in the same buffer, and was received. An array of
        // bytes has no alignment.
        Some(unsafe {
            &*self
                .skb
                .linear()
                .as_ptr()
                .sub(distance as usize)
                .cast::<[u8; 12]>()
        })
    }

    /// State of its connection; `None` where connections are not tracked, or only behind the hook. Bits 0 to 6 are
    /// those of `NF_CT_STATE_BIT()`, bit 8 is set in the direction of replies, bit 9 if the connection's source is
    /// translated, and bit 10 if its destination is.
    #[inline]
    pub fn conntrack(&self) -> Option<u16> {
        // SAFETY: Valid; under RCU, so that neither the connection nor the list of hooks goes away.
        let state = unsafe {
            bindings::netdev_nf_ct_state(self.skb.as_ptr(), self.state_ptr(), self.seat.as_raw())
        };
        match state {
            0 => None,
            bits => Some(bits as u16),
        }
    }

    /// Ethertype of what it carries: at IP's points that of the hook, as the packet itself does not always say it
    /// there.
    #[inline(always)]
    pub fn ethertype(&self) -> u16 {
        match u32::from(self.state().pf) {
            bindings::NFPROTO_IPV4 => bindings::ETH_P_IP as u16,
            bindings::NFPROTO_IPV6 => bindings::ETH_P_IPV6 as u16,
            _ => self.skb.protocol(),
        }
    }

    /// Sets the packet's mark.
    #[inline]
    pub fn set_mark(&mut self, mark: u32) {
        self.skb.set_mark(mark);
    }

    /// The network header and what follows, of which the first `length` bytes, or as many as there are, are made
    /// the packet's own first: pages that others have are copied. `None` if it carries no IP.
    ///
    /// # Errors
    ///
    /// `EBUSY` if somebody else has the packet too, `ENOMEM`.
    pub fn network_mut(&mut self, length: u32) -> Result<Option<&mut [u8]>> {
        let Some(offset) = self.network_offset() else {
            return Ok(None);
        };
        let end = offset.saturating_add(length).min(self.skb.len());
        self.make_writable(end, false)?;
        Ok(self.linear_mut().get_mut(offset as usize..end as usize))
    }

    /// Where the IP header lies, seen from the data of the buffer, if the packet carries IP. Ethernet frames say that
    /// themselves, behind up to [`TAGS_MAX`] tags.
    fn network_offset(&self) -> Option<u32> {
        let bytes = self.bytes();
        if !bytes.ethernet {
            return is_ip(self.ethertype()).then(|| self.skb.network_offset());
        }
        let mut at = bytes.offset.checked_add(ETH_HLEN as i32)?;
        for _ in 0..=TAGS_MAX {
            let mut ethertype = [0; 2];
            self.skb
                .copy_bits_from(at.checked_sub(2)?, &mut ethertype)
                .ok()?;
            let ethertype = u16::from_be_bytes(ethertype);
            if is_ip(ethertype) {
                return u32::try_from(at).ok();
            }
            if !matches!(
                u32::from(ethertype),
                bindings::ETH_P_8021Q | bindings::ETH_P_8021AD
            ) {
                return None;
            }
            at = at.checked_add(bindings::VLAN_HLEN as i32)?;
        }
        None
    }

    /// All of the packet from where [`bytes`](Self::bytes) begins, in one piece and its own, with its checksums filled;
    /// who receives it looks at them again.
    ///
    /// # Errors
    ///
    /// `EOPNOTSUPP` for a super frame, otherwise as for [`network_mut`](Self::network_mut).
    pub fn whole_mut(&mut self) -> Result<&mut [u8]> {
        self.make_writable(self.skb.len(), true)?;
        let before = self.bytes().offset.min(0).unsigned_abs() as usize;
        let linear = self.linear_mut();
        let length = linear.len();
        // SAFETY: So many bytes of link header lie before the data, in the same buffer, which is the packet's own.
        Ok(unsafe {
            slice::from_raw_parts_mut(linear.as_mut_ptr().sub(before), length.wrapping_add(before))
        })
    }

    /// How many bytes the stack relies on, counted as by [`bytes`](Self::bytes): the first header, which was looked at.
    fn relied_on(&self) -> u32 {
        let bytes = self.bytes();
        let version = bytes.linear.first().map_or(0, |b| b >> 4);
        if bytes.ethernet {
            ETH_HLEN
        } else if u32::from(self.ethertype()) == bindings::ETH_P_IP && version == 4 {
            let words = bytes.linear.first().map_or(0, |b| b & 0xf);
            u32::from(words).saturating_mul(4).max(20)
        } else if is_ip(self.ethertype()) {
            40
        } else {
            1
        }
    }

    /// Cuts the packet off behind `length` bytes, counted as by [`bytes`](Self::bytes), but never its first header. Its
    /// headers stay as they are.
    ///
    /// # Errors
    ///
    /// As for [`whole_mut`](Self::whole_mut).
    pub fn truncate(&mut self, length: u32) -> Result {
        let length = length.max(self.relied_on());
        let bytes = self.bytes();
        if length >= bytes.length {
            return Ok(());
        }
        let offset = bytes.offset;
        let length = i64::from(length).saturating_add(offset.into()).max(0) as u32;
        // What the stack left open about the checksum lies behind the end, perhaps.
        self.make_writable(self.skb.len(), true)?;
        // SAFETY: Valid, and the packet's own.
        crate::errno::to_result(unsafe { bindings::netdev_skb_trim(self.skb.as_ptr(), length) })
    }

    fn make_writable(&mut self, length: u32, whole: bool) -> Result {
        // SAFETY: Valid; a hook may change a packet it was given.
        crate::errno::to_result(unsafe {
            bindings::netdev_skb_make_writable(self.skb.as_ptr(), length, whole)
        })
    }

    /// The linear data, once it is the packet's own.
    fn linear_mut(&mut self) -> &mut [u8] {
        let length = self.skb.linear().len();
        // SAFETY: So many bytes lie at `data`. `make_writable` has succeeded for those that the callers use: nobody
        // else has them.
        unsafe { slice::from_raw_parts_mut((*self.skb.as_ptr()).data, length) }
    }

    /// Hands it to a program that listens on queue `number` (`NF_QUEUE`); with `bypass` it is accepted if none does.
    ///
    /// # Errors
    ///
    /// Gives the packet back at a device: the core cannot resume it there.
    pub fn queue(self, number: u16, bypass: bool) -> Result<Verdict<'p>, Packet<'p>> {
        if self.direction().is_some() {
            return Err(self);
        }
        let mut verdict = u32::from(number) << bindings::NF_VERDICT_QBITS | bindings::NF_QUEUE;
        if bypass {
            verdict |= bindings::NF_VERDICT_FLAG_QUEUE_BYPASS;
        }
        Ok(Verdict::Queue(Queued {
            packet: self,
            verdict,
        }))
    }
}

impl<'p> Queued<'p> {
    /// Gives the packet and the verdict to the core.
    #[inline]
    pub(super) fn into_parts(self) -> (SkBuff, u32) {
        (self.packet.into_skb(), self.verdict)
    }
}
