// SPDX-License-Identifier: GPL-2.0

//! What rules count.
//!
//! A rule has a slot: for each CPU a cell that only that CPU writes, and three words that all CPUs share, for rules
//! that have to know how many packets came before. Slots come in chunks, which rulesets hold by counted references; so
//! a rule keeps its slot, and what it counted, when rulesets are exchanged.

use kernel::cpu::nr_cpu_ids;
use kernel::prelude::*;
use kernel::sync::Arc;
use netdev::counter::Counter;
use netdev::memory::allocated;
use netdev::sync::AtomicWord;

/// Slots of a chunk.
const CHUNK: u32 = 256;

/// What one CPU has counted for one slot. Softirqs are off while it is written.
#[derive(Default)]
struct Cell {
    packets: Counter,
    bytes: Counter,
}

/// What all CPUs share.
pub(super) struct State {
    /// Packets, or segments, that matched before: the next one's ordinal.
    pub(super) ordinal: AtomicWord,
    /// Times that the rule acted, and those when it would have but for its limit.
    pub(super) acted: AtomicWord,
    /// What of a rate limit is used up.
    pub(super) used: AtomicWord,
}

impl State {
    const fn new() -> Self {
        State {
            ordinal: AtomicWord::new(0),
            acted: AtomicWord::new(0),
            used: AtomicWord::new(0),
        }
    }
}

/// Some slots.
pub(super) struct Chunk {
    /// Those of the first CPU, then those of the next.
    cells: KVVec<Cell>,
    states: KVVec<State>,
}

/// A slot's sums.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub(crate) struct Counts {
    /// Packets that matched.
    pub(crate) packets: u64,
    /// Their bytes.
    pub(crate) bytes: u64,
    /// Times that a rule with modifiers acted.
    pub(crate) acted: u64,
}

impl Chunk {
    fn new() -> Result<Arc<Chunk>> {
        let cpus = nr_cpu_ids() as usize;
        let count = cpus.saturating_mul(CHUNK as usize);
        let mut cells = KVVec::with_capacity(count, GFP_KERNEL_ACCOUNT)?;
        for _ in 0..count {
            cells.push(Cell::default(), GFP_KERNEL_ACCOUNT)?;
        }
        let mut states = KVVec::with_capacity(CHUNK as usize, GFP_KERNEL_ACCOUNT)?;
        for _ in 0..CHUNK {
            states.push(State::new(), GFP_KERNEL_ACCOUNT)?;
        }
        Ok(Arc::new(Chunk { cells, states }, GFP_KERNEL_ACCOUNT)?)
    }

    /// The cells of a slot, one for each CPU.
    fn of(&self, at: usize) -> impl Iterator<Item = &Cell> {
        let of_cpus = self.cells.chunks_exact(CHUNK as usize);
        of_cpus.filter_map(move |cells| cells.get(at))
    }
}

/// The slots that a ruleset's rules have, and its policy.
pub(super) struct Chunks(KVec<Arc<Chunk>>);

impl Chunks {
    pub(super) const fn new() -> Self {
        Chunks(KVec::new())
    }

    fn find(&self, slot: u32) -> Option<(&Chunk, usize)> {
        let chunk = self.0.get((slot / CHUNK) as usize)?;
        Some((chunk, (slot % CHUNK) as usize))
    }

    /// Counts a packet. Softirqs are off, and `cpu` is this one.
    #[inline]
    pub(super) fn count(&self, slot: u32, cpu: u32, bytes: u32) {
        let Some((chunk, at)) = self.find(slot) else {
            return;
        };
        let first = cpu.wrapping_mul(CHUNK) as usize;
        if let Some(cell) = chunk.cells.get(first.wrapping_add(at)) {
            cell.packets.inc();
            cell.bytes.add(bytes.into());
        }
    }

    /// What all CPUs share of a slot.
    #[inline]
    pub(super) fn state(&self, slot: u32) -> Option<&State> {
        let (chunk, at) = self.find(slot)?;
        chunk.states.get(at)
    }

    /// What a slot has counted.
    pub(super) fn counts(&self, slot: u32) -> Counts {
        let mut counts = Counts::default();
        let Some((chunk, at)) = self.find(slot) else {
            return counts;
        };
        for cell in chunk.of(at) {
            counts.packets = counts.packets.wrapping_add(cell.packets.get());
            counts.bytes = counts.bytes.wrapping_add(cell.bytes.get());
        }
        if let Some(state) = chunk.states.get(at) {
            counts.acted = state.acted.read();
        }
        counts
    }

    /// Sets a slot to zero. Nobody counts in it.
    fn clear(&self, slot: u32) {
        let Some((chunk, at)) = self.find(slot) else {
            return;
        };
        for cell in chunk.of(at) {
            cell.packets.add(cell.packets.get().wrapping_neg());
            cell.bytes.add(cell.bytes.get().wrapping_neg());
        }
        if let Some(state) = chunk.states.get(at) {
            for word in [&state.ordinal, &state.acted, &state.used] {
                word.xchg(0);
            }
        }
    }

    /// The same slots, for another ruleset.
    pub(super) fn share(&self) -> Result<Chunks> {
        let mut chunks = KVec::with_capacity(self.0.len(), GFP_KERNEL_ACCOUNT)?;
        for chunk in &self.0 {
            chunks.push(chunk.clone(), GFP_KERNEL_ACCOUNT)?;
        }
        Ok(Chunks(chunks))
    }
}

/// All slots of a chain, and which of them are free. Behind the table's mutex.
pub(super) struct Slots {
    chunks: Chunks,
    /// Free ones; there is room for all there are, so that giving one back cannot fail.
    free: KVVec<u32>,
}

impl Slots {
    pub(super) const fn new() -> Self {
        Slots {
            chunks: Chunks::new(),
            free: KVVec::new(),
        }
    }

    /// Sees to it that so many slots can be taken.
    pub(super) fn reserve(&mut self, count: usize) -> Result {
        while self.free.len() < count {
            let first = (self.chunks.0.len() as u32).saturating_mul(CHUNK);
            let all = (first as usize).saturating_add(CHUNK as usize);
            // Room first: what fails changes nothing that counts.
            self.free
                .reserve(all.saturating_sub(self.free.len()), GFP_KERNEL_ACCOUNT)?;
            self.chunks.0.reserve(1, GFP_KERNEL_ACCOUNT)?;
            let _ = self.chunks.0.push_within_capacity(Chunk::new()?);
            // The lowest is to be taken first.
            for slot in (first..first.saturating_add(CHUNK)).rev() {
                let _ = self.free.push_within_capacity(slot);
            }
        }
        Ok(())
    }

    /// Takes a slot, all zeros.
    pub(super) fn take(&mut self) -> Result<u32> {
        self.reserve(1)?;
        self.free.pop().ok_or(ENOMEM)
    }

    /// Gives one back. Nobody counts in it: a grace period has passed since a ruleset had it.
    pub(super) fn give(&mut self, slot: u32) {
        self.chunks.clear(slot);
        let _ = self.free.push_within_capacity(slot);
    }

    /// How many slots there are, free or not.
    pub(super) fn count(&self) -> usize {
        self.chunks.0.len().saturating_mul(CHUNK as usize)
    }

    /// All slots.
    pub(super) fn chunks(&self) -> &Chunks {
        &self.chunks
    }

    /// Bytes that they take, as allocated: what all CPUs share, and the cells of the CPUs.
    pub(super) fn memory(&self) -> (usize, usize) {
        let lists = allocated(&self.free).saturating_add(allocated(&self.chunks.0));
        self.chunks
            .0
            .iter()
            .fold((lists, 0), |(shared, cells), chunk| {
                let own = allocated(&chunk.states).saturating_add(size_of::<Chunk>());
                (
                    own.saturating_add(shared),
                    allocated(&chunk.cells).saturating_add(cells),
                )
            })
    }
}
