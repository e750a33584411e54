// SPDX-License-Identifier: GPL-2.0

//! What attributes of a request may hold.

use netdev_sys as bindings;

/// What an attribute may hold (`struct nla_policy`).
#[repr(transparent)]
pub struct Policy(pub(crate) bindings::nla_policy);

// SAFETY: Constant data.
unsafe impl Sync for Policy {}

/// Bounds of an unsigned integer, both inclusive (`struct netlink_range_validation`).
#[repr(transparent)]
pub struct Range(bindings::netlink_range_validation);

impl Range {
    /// From `min` to `max`.
    pub const fn new(min: u64, max: u64) -> Range {
        Range(bindings::netlink_range_validation { min, max })
    }
}

impl Policy {
    const fn zeroed() -> bindings::nla_policy {
        // SAFETY: Plain data; all zeros is NLA_UNSPEC.
        unsafe { core::mem::zeroed() }
    }

    const fn of(kind: u32) -> bindings::nla_policy {
        let mut p = Self::zeroed();
        p.type_ = kind as u8;
        p
    }

    const fn in_range(kind: u32, range: &'static Range) -> Policy {
        let mut p = Self::of(kind);
        p.validation_type = bindings::nla_policy_validation_NLA_VALIDATE_RANGE_PTR as u8;
        p.__bindgen_anon_1.range = &range.0;
        Policy(p)
    }

    /// Largest number of an attribute of a link kind (`RTNL_MAX_TYPE`).
    pub const LINK_MAX: usize = 50;

    /// Refused.
    pub const REJECT: Policy = Policy(Self::of(bindings::NLA_REJECT));

    /// Not said: strict validation refuses it as not supported here.
    pub const UNSPEC: Policy = Policy(Self::of(bindings::NLA_UNSPEC));

    /// An integer of 8 bits.
    pub const U8: Policy = Policy(Self::of(bindings::NLA_U8));

    /// An integer of 16 bits.
    pub const U16: Policy = Policy(Self::of(bindings::NLA_U16));

    /// An integer of 32 bits.
    pub const U32: Policy = Policy(Self::of(bindings::NLA_U32));

    /// An integer of 32 or 64 bits, as the sender likes.
    pub const UINT: Policy = Policy(Self::of(bindings::NLA_UINT));

    /// A signed integer of 32 bits.
    pub const S32: Policy = Policy(Self::of(bindings::NLA_S32));

    /// Nothing: that it is there says it.
    pub const FLAG: Policy = Policy(Self::of(bindings::NLA_FLAG));

    /// An integer of 8 bits within bounds.
    pub const fn u8_in(range: &'static Range) -> Policy {
        Self::in_range(bindings::NLA_U8, range)
    }

    /// An integer of 16 bits within bounds.
    pub const fn u16_in(range: &'static Range) -> Policy {
        Self::in_range(bindings::NLA_U16, range)
    }

    /// An integer of 32 bits within bounds.
    pub const fn u32_in(range: &'static Range) -> Policy {
        Self::in_range(bindings::NLA_U32, range)
    }

    /// An integer of 32 or 64 bits within bounds.
    pub const fn uint_in(range: &'static Range) -> Policy {
        Self::in_range(bindings::NLA_UINT, range)
    }

    /// A string of at most `max` bytes and a zero byte.
    pub const fn string(max: u16) -> Policy {
        let mut p = Self::of(bindings::NLA_NUL_STRING);
        p.len = max;
        Policy(p)
    }

    /// Attributes within the attribute, which `policy` judges by their numbers. It may not be empty: the core tells
    /// user space of its first entry whatever its length.
    #[inline(always)]
    pub const fn nested(policy: &'static [Policy]) -> Policy {
        assert!(!policy.is_empty());
        let mut p = Self::of(bindings::NLA_NESTED);
        p.len = policy.len().saturating_sub(1) as u16;
        p.__bindgen_anon_1.nested_policy = policy.as_ptr().cast();
        Policy(p)
    }

    /// An integer of 32 bits up to `max`, which has to fit into 15 bits.
    pub const fn u32_max(max: u16) -> Policy {
        let mut p = Self::of(bindings::NLA_U32);
        p.validation_type = bindings::nla_policy_validation_NLA_VALIDATE_MAX as u8;
        p.__bindgen_anon_1.__bindgen_anon_1 = bindings::nla_policy__bindgen_ty_1__bindgen_ty_1 {
            min: 0,
            max: max as i16,
        };
        Policy(p)
    }

    /// How many bytes there are at least, if this is [`min_len`](Self::min_len).
    pub(crate) const fn least(&self) -> i16 {
        let binary = self.0.type_ as u32 == bindings::NLA_BINARY;
        let min = bindings::nla_policy_validation_NLA_VALIDATE_MIN;
        if binary && self.0.validation_type as u32 == min {
            // SAFETY: With that validation the member is one of numbers.
            unsafe { self.0.__bindgen_anon_1.__bindgen_anon_1.min }
        } else {
            0
        }
    }

    /// Bytes, at least `len` of them.
    pub const fn min_len(len: u16) -> Policy {
        let mut p = Self::of(bindings::NLA_BINARY);
        p.validation_type = bindings::nla_policy_validation_NLA_VALIDATE_MIN as u8;
        p.__bindgen_anon_1.__bindgen_anon_1 = bindings::nla_policy__bindgen_ty_1__bindgen_ty_1 {
            min: len as i16,
            max: 0,
        };
        Policy(p)
    }
}
