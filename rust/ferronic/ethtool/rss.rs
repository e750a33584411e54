// SPDX-License-Identifier: GPL-2.0

//! Receive-side scaling: `ethtool -x`, `-X`, and the fields of hashes (`-n`, `-N`).
//!
//! A change is prepared in full, with the snapshot that the other end's engine will read, before anything of it is
//! stored; so it happens or it does not.

use crate::port::Port;
use crate::steer::{Steer, SteerConfig};
use kernel::prelude::*;
use netdev::device::Locked;
use netdev::errno::EOPNOTSUPP;
use netdev::ethtool::{FlowType, HashFields, RssReply, RssRequest, Transforms};
use netdev::netlink::ExtAck;
use netdev::sync::Snapshot;
use pure::flow::{self, Fields, Transform};

/// Tells table, key and transformation.
pub(super) fn get(dev: &mut Locked<'_, Port>, reply: &mut RssReply<'_>) {
    let steer = &dev.state().steer;
    if let Some(table) = reply.indirection() {
        for (to, from) in table.iter_mut().zip(&steer.indirection) {
            *to = u32::from(*from);
        }
    }
    if let Some(key) = reply.key() {
        for (to, from) in key.iter_mut().zip(&steer.key) {
            *to = *from;
        }
    }
    let bits = steer.transform.to_rxh();
    reply.set_transform(Transforms::from_bits(bits).unwrap_or(Transforms::NONE));
}

/// Sets table, key and transformation.
pub(super) fn set(
    dev: &mut Locked<'_, Port>,
    request: &RssRequest<'_>,
    extack: &ExtAck<'_>,
) -> Result {
    let channels = dev.state().channels;
    let mut new = copy(&dev.state().steer)?;
    if let Some(table) = request.indirection {
        if table.len() != new.indirection.len() {
            extack.message(c"indir: not as long as the table of the device");
            return Err(EINVAL);
        }
        for (to, from) in new.indirection.iter_mut().zip(table) {
            if *from >= channels {
                extack.message(c"indir: a queue that is not in use");
                return Err(EINVAL);
            }
            *to = *from as u16;
        }
    }
    if let Some(key) = request.key {
        new.key = *<&[u8; pure::toeplitz::KEY_MIN]>::try_from(key).map_err(|_| {
            extack.message(c"hkey: a key has 40 bytes");
            EINVAL
        })?;
        new.generation = new.generation.wrapping_add(1);
    }
    if let Some(transform) = request.transform {
        new.transform = Transform::from_rxh(transform.bits()).ok_or(EOPNOTSUPP())?;
        if new.transform != Transform::None && !new.fields.is_symmetric() {
            extack.message(c"input-xfrm: a type of flow is hashed by fields of one direction only");
            return Err(EINVAL);
        }
    }
    publish(dev, new)
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
pub(super) fn get_fields(dev: &mut Locked<'_, Port>, flow: FlowType) -> Result<HashFields> {
    let fields = dev.state().steer.fields.get(flow_type(flow)?);
    Ok(HashFields(fields.to_rxh()))
}

/// Sets the fields of a type of flow.
pub(super) fn set_fields(
    dev: &mut Locked<'_, Port>,
    flow: FlowType,
    fields: HashFields,
    extack: &ExtAck<'_>,
) -> Result {
    let flow = flow_type(flow).inspect_err(|_| {
        extack.message(c"flow-hash: only IP is hashed");
    })?;
    let mut new = copy(&dev.state().steer)?;
    let taken = Fields::from_rxh(fields.0).is_some_and(|f| new.fields.set(flow, f));
    if !taken {
        extack.message(c"flow-hash: packets of this type have no such field to hash");
        return Err(EINVAL);
    }
    if new.transform != Transform::None && !new.fields.is_symmetric() {
        extack.message(c"flow-hash: the transformation of inputs wants both directions alike");
        return Err(EINVAL);
    }
    publish(dev, new)
}

/// A copy to change.
fn copy(old: &SteerConfig) -> Result<SteerConfig> {
    let mut indirection = KVec::with_capacity(old.indirection.len(), GFP_KERNEL_ACCOUNT)?;
    indirection.extend_from_slice(&old.indirection, GFP_KERNEL_ACCOUNT)?;
    Ok(SteerConfig {
        key: old.key,
        indirection,
        transform: old.transform,
        fields: old.fields,
        generation: old.generation,
    })
}

/// Stores what was prepared and, if the port is up, lets the other end steer by it.
fn publish(dev: &mut Locked<'_, Port>, new: SteerConfig) -> Result {
    let (device, state) = dev.parts();
    if state.up.is_some() {
        let mut snapshot = Snapshot::init(Steer::closed())?;
        snapshot
            .get_mut()
            .set(&new, &new.indirection, state.channels);
        device.data().end().steer.publish(snapshot);
    }
    state.steer = new;
    Ok(())
}
