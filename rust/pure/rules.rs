// SPDX-License-Identifier: GPL-2.0

//! Rules on packets: what they match, which of the matches they act on, and how they are found.
//!
//! - [`field`]: the fields of a packet that can be matched;
//! - [`packet`]: a packet as its fields, as far as its bytes prove them;
//! - [`term`]: one condition on one field;
//! - [`rule`]: terms, modifiers and an action as plain data, in a compact encoding;
//! - [`check`]: whether a rule makes sense where it is to stand;
//! - [`classify`]: which rule a packet matches next, at a cost that doesn't grow with the number of
//!   rules;
//! - [`hull`]: what all rules have in common, so that packets without it are told at once;
//! - [`sequence`]: n-th, probability, rate: which of a rule's packets are acted on;
//! - [`edit`]: changes of the IP header.
//!
//! The meaning of a list of rules is that of a walk in order. Matches look at the packet as it was
//! before the first rule acted on it: a rule that marks a packet doesn't change what later rules
//! match.

pub mod check;
pub mod classify;
pub mod edit;
pub mod field;
pub mod hull;
pub mod packet;
pub mod rule;
pub mod sequence;
mod shape;
pub mod term;
