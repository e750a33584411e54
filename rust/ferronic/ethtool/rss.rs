// SPDX-License-Identifier: GPL-2.0

//! Receive-side scaling: `ethtool -x`, `-X`, with and without a context, and the fields of hashes (`-n`, `-N`).
//!
//! A change is prepared in full, with the snapshot that the other end's engine will read, before anything of it is
//! stored; so it happens or it does not.

use crate::limits::CHANNELS_DEFAULT;
use crate::port::{Port, PortState};
use crate::rules::{self, Context};
use crate::steer::{Steer, SteerConfig};
use kernel::prelude::*;
use netdev::device::Locked;
use netdev::errno::EOPNOTSUPP;
use netdev::ethtool::{FlowType, HashFields, RssReply, RssRequest, Transforms};
use netdev::netlink::ExtAck;
use netdev::sync::Snapshot;
use pure::flow::{self, Fields, Transform};
use pure::steer;

/// Tells table, key and transformation.
pub(super) fn get(dev: &mut Locked<'_, Port>, reply: &mut RssReply<'_>) {
    tell(&dev.state().steer, reply);
}

fn tell(config: &SteerConfig, reply: &mut RssReply<'_>) {
    if let Some(table) = reply.indirection() {
        for (to, from) in table.iter_mut().zip(&config.indirection) {
            *to = u32::from(*from);
        }
    }
    if let Some(key) = reply.key() {
        for (to, from) in key.iter_mut().zip(&config.key) {
            *to = *from;
        }
    }
    let bits = config.transform.to_rxh();
    reply.set_transform(Transforms::from_bits(bits).unwrap_or(Transforms::NONE));
}

/// Sets table, key and transformation of a context, or, as 0, those without one.
pub(super) fn set(
    dev: &mut Locked<'_, Port>,
    context: u32,
    request: &RssRequest<'_>,
    extack: &ExtAck<'_>,
) -> Result {
    let state = dev.state();
    let mut new = state.rss(context).ok_or(ENOENT)?.copy()?;
    amend(&mut new, state, request, extack)?;
    if !state.rules_fit(state.channels, context, &new.indirection) {
        extack.message(c"indir: with it, n-tuple rules would lead to queues that are not in use");
        return Err(EINVAL);
    }
    publish(dev, context, new)
}

/// Makes a context: what the request leaves open is as without a context, but for the table.
///
/// That spreads evenly over as many channels as a port has at first. The core lets no channel go that the table of a
/// context names, whoever made that table, and does not grow it; one over all channels would be in the way of `-L`.
pub(super) fn create(
    dev: &mut Locked<'_, Port>,
    context: u32,
    request: &RssRequest<'_>,
    reply: &mut RssReply<'_>,
    extack: &ExtAck<'_>,
) -> Result {
    let state = dev.state();
    let mut config = state.steer.copy()?;
    let channels = state.channels.min(CHANNELS_DEFAULT);
    steer::spread(&mut config.indirection, channels as u16);
    amend(&mut config, state, request, extack)?;
    tell(&config, reply);
    state.contexts.reserve(1, GFP_KERNEL_ACCOUNT)?;
    let spread = rules::snapshot(&config, &config.indirection)?;

    let (device, state) = dev.parts();
    state.keys = state.keys.max(config.generation);
    // There is room.
    let _ = state.contexts.push_within_capacity(Context {
        id: context,
        config,
    });
    let steering = &device.data().end().steering;
    steering.publish_context(context, Some(spread));
    Ok(())
}

/// Removes a context. No rule leads to it.
pub(super) fn remove(dev: &mut Locked<'_, Port>, context: u32) {
    let (device, state) = dev.parts();
    if let Some(at) = state.contexts.iter().position(|c| c.id == context) {
        drop(state.contexts.remove(at));
    }
    let steering = &device.data().end().steering;
    steering.publish_context(context, None);
}

/// Changes what the request says.
fn amend(
    new: &mut SteerConfig,
    state: &PortState,
    request: &RssRequest<'_>,
    extack: &ExtAck<'_>,
) -> Result {
    if let Some(table) = request.indirection {
        if table.len() != new.indirection.len() {
            extack.message(c"indir: not as long as the table of the device");
            return Err(EINVAL);
        }
        for (to, from) in new.indirection.iter_mut().zip(table) {
            if *from >= state.channels {
                extack.message(c"indir: a queue that is not in use");
                return Err(EINVAL);
            }
            *to = *from as u16;
        }
    }
    if let Some(key) = request.key {
        new.key = *<&[u8; pure::toeplitz::KEY_MAX]>::try_from(key).map_err(|_| {
            extack.message(c"hkey: a key has 52 bytes");
            EINVAL
        })?;
        new.generation = state.keys.wrapping_add(1);
    }
    if let Some(transform) = request.transform {
        new.transform = Transform::from_rxh(transform.bits()).ok_or(EOPNOTSUPP())?;
        if new.transform != Transform::None && !new.fields.is_symmetric() {
            extack.message(c"input-xfrm: a type of flow is hashed by fields of one direction only");
            return Err(EINVAL);
        }
    }
    Ok(())
}

/// The type of flow as the steering knows it.
fn flow_type(flow: FlowType) -> Result<flow::FlowType> {
    Ok(match flow {
        FlowType::Tcp4 => flow::FlowType::Tcp4,
        FlowType::Udp4 => flow::FlowType::Udp4,
        FlowType::Sctp4 => flow::FlowType::Sctp4,
        FlowType::Ip4 => flow::FlowType::Ip4,
        FlowType::Tcp6 => flow::FlowType::Tcp6,
        FlowType::Udp6 => flow::FlowType::Udp6,
        FlowType::Sctp6 => flow::FlowType::Sctp6,
        FlowType::Ip6 => flow::FlowType::Ip6,
        FlowType::Ether => return Err(EOPNOTSUPP()),
    })
}

/// Tells the fields of a type of flow.
pub(super) fn get_fields(
    dev: &mut Locked<'_, Port>,
    context: u32,
    flow: FlowType,
) -> Result<HashFields> {
    let config = dev.state().rss(context).ok_or(ENOENT)?;
    Ok(HashFields(config.fields.get(flow_type(flow)?).to_rxh()))
}

/// Sets the fields of a type of flow.
pub(super) fn set_fields(
    dev: &mut Locked<'_, Port>,
    context: u32,
    flow: FlowType,
    fields: HashFields,
    extack: &ExtAck<'_>,
) -> Result {
    let flow = flow_type(flow).inspect_err(|_| {
        extack.message(c"flow-hash: only IP is hashed");
    })?;
    let mut new = dev.state().rss(context).ok_or(ENOENT)?.copy()?;
    let taken = Fields::from_rxh(fields.0).is_some_and(|f| new.fields.set(flow, f));
    if !taken {
        extack.message(c"flow-hash: packets of this type have no such field to hash");
        return Err(EINVAL);
    }
    if new.transform != Transform::None && !new.fields.is_symmetric() {
        extack.message(c"flow-hash: the transformation of inputs wants both directions alike");
        return Err(EINVAL);
    }
    publish(dev, context, new)
}

/// Stores what was prepared, and lets the other end steer by it.
fn publish(dev: &mut Locked<'_, Port>, context: u32, new: SteerConfig) -> Result {
    let (device, state) = dev.parts();
    let end = device.data().end();
    let generation = new.generation;
    if context != 0 {
        let spread = rules::snapshot(&new, &new.indirection)?;
        let found = state.contexts.iter_mut().find(|c| c.id == context);
        found.ok_or(ENOENT)?.config = new;
        end.steering.publish_context(context, Some(spread));
    } else {
        if state.up.is_some() {
            let mut snapshot = Snapshot::init(Steer::closed())?;
            snapshot
                .get_mut()
                .set(&new, &new.indirection, state.channels);
            end.steer.publish(snapshot);
        }
        state.steer = new;
    }
    state.keys = state.keys.max(generation);
    Ok(())
}
