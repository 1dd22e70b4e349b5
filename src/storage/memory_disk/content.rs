//! What a simulated file holds: what programs see, what the device has, and the changes between.
//! Knows no names and no calls.
//!
//! The page cache is imitated as far as it matters for crashes. A sync writes whole pages back; a
//! failed one marks them clean though the device does not have them; a power cut leaves each
//! sector in any of the states it went through since the last sync.

use super::Survival;
use super::random::Random;
use std::collections::BTreeMap;
use std::ops::Range;

const SECTOR: usize = 512;
const PAGE: usize = 4096;

/// The two sides of a file and what is between them.
#[derive(Clone, Debug, Default)]
pub(super) struct Content {
    cached: Vec<u8>,
    durable: Vec<u8>,
    pending: Vec<Change>,
    /// Room that was reserved.
    allocated: u64,
}

#[derive(Clone, Debug)]
enum Change {
    Write { offset: usize, bytes: Vec<u8> },
    Resize { from: usize, to: usize },
}

impl Change {
    fn apply(&self, bytes: &mut Vec<u8>) {
        match self {
            Self::Write { offset, bytes: written } => {
                let end = offset + written.len();
                if bytes.len() < end {
                    bytes.resize(end, 0);
                }
                bytes[*offset..end].copy_from_slice(written);
            }
            Self::Resize { from: _, to } => bytes.resize(*to, 0),
        }
    }

    /// The bytes that are other than before.
    fn touched(&self) -> Range<usize> {
        match self {
            Self::Write { offset, bytes } => *offset..offset + bytes.len(),
            Self::Resize { from, to } => *from.min(to)..*from.max(to),
        }
    }

    fn blocks(&self, size: usize) -> Range<usize> {
        let touched = self.touched();
        if touched.is_empty() { 0..0 } else { touched.start / size..touched.end.div_ceil(size) }
    }
}

impl Content {
    /// A file that was always there.
    pub(super) fn settled(bytes: Vec<u8>) -> Self {
        Self { cached: bytes.clone(), durable: bytes, ..Self::default() }
    }

    pub(super) fn cached(&self) -> &[u8] {
        &self.cached
    }

    /// Room that the file takes.
    pub(super) fn occupied(&self) -> u64 {
        self.allocated.max(self.cached.len() as u64)
    }

    pub(super) fn occupied_with(&self, length: u64) -> u64 {
        self.occupied().max(length)
    }

    pub(super) fn allocate(&mut self, length: u64) {
        self.allocated = self.allocated.max(length);
    }

    pub(super) fn write(&mut self, offset: usize, bytes: &[u8]) {
        self.change(Change::Write { offset, bytes: bytes.to_vec() });
    }

    pub(super) fn resize(&mut self, length: usize) {
        self.allocated = 0;
        self.change(Change::Resize { from: self.cached.len(), to: length });
    }

    fn change(&mut self, change: Change) {
        change.apply(&mut self.cached);
        self.pending.push(change);
    }

    /// The device gets the pages that are dirty, and the length.
    pub(super) fn sync(&mut self) {
        self.durable.resize(self.cached.len(), 0);
        for change in std::mem::take(&mut self.pending) {
            copy_blocks(&change.blocks(PAGE), PAGE, &self.cached, &mut self.durable);
        }
    }

    /// The device got nothing, yet the pages count as clean from now on.
    pub(super) fn fail_sync(&mut self) {
        self.pending.clear();
    }

    /// Clean pages come from the device again.
    pub(super) fn drop_cache(&mut self) {
        let mut fresh = self.durable.clone();
        fresh.resize(self.cached.len(), 0);
        for change in &self.pending {
            copy_blocks(&change.blocks(PAGE), PAGE, &self.cached, &mut fresh);
        }
        self.cached = fresh;
    }

    /// What a power cut leaves.
    pub(super) fn survive(&self, survival: Survival, random: &mut Random) -> Self {
        let mut survivor = self.clone();
        match survival {
            Survival::KeepAll | Survival::ContentsOnly => survivor.sync(),
            Survival::LoseAll | Survival::NamesOnly => {}
            Survival::Random(_) => survivor.durable = self.tear(random),
        }
        Self::settled(survivor.durable)
    }

    /// Leaves each sector in one of the states it went through, and so the length.
    fn tear(&self, random: &mut Random) -> Vec<u8> {
        let mut touches: BTreeMap<usize, usize> = BTreeMap::new();
        for sector in self.pending.iter().flat_map(|change| change.blocks(SECTOR)) {
            *touches.entry(sector).or_default() += 1;
        }
        for count in touches.values_mut() {
            *count = random.below(*count + 1);
        }
        let mut torn = self.durable.clone();
        let mut running = self.durable.clone();
        let mut lengths = vec![self.durable.len()];
        for change in &self.pending {
            change.apply(&mut running);
            lengths.push(running.len());
            for sector in change.blocks(SECTOR) {
                let left = touches.get_mut(&sector).expect("each touched sector was counted");
                if *left > 0 {
                    *left -= 1;
                    let end = ((sector + 1) * SECTOR).max(torn.len());
                    torn.resize(end, 0);
                    running_sector(&running, sector, &mut torn);
                }
            }
        }
        torn.resize(lengths[random.below(lengths.len())], 0);
        torn
    }

    /// Changes a byte on both sides, as rot does.
    pub(super) fn flip_bit(&mut self, bit: usize) {
        self.cached[bit / 8] ^= 1 << (bit % 8);
        self.flip_bit_on_device(bit);
    }

    /// The cache still shows what it should be.
    pub(super) fn flip_bit_on_device(&mut self, bit: usize) {
        self.durable[bit / 8] ^= 1 << (bit % 8);
    }
}

/// Copies a sector as it is at a moment; what lies behind the end is zero.
fn running_sector(running: &[u8], sector: usize, torn: &mut [u8]) {
    let start = sector * SECTOR;
    for (place, byte) in torn[start..start + SECTOR].iter_mut().enumerate() {
        *byte = running.get(start + place).copied().unwrap_or(0);
    }
}

fn copy_blocks(blocks: &Range<usize>, size: usize, from: &[u8], to: &mut [u8]) {
    let end = (blocks.end * size).min(from.len()).min(to.len());
    let start = (blocks.start * size).min(end);
    to[start..end].copy_from_slice(&from[start..end]);
}
