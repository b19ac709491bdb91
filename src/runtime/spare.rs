//! Empty batches that a worker fills again, so that its lanes allocate nothing on their way. What they keep of memory is bounded: a backlog needs many at
//! once, each grows to the size of the largest that it ever held, and what is left of it afterwards would stay for ever.

use crate::batch::Batch;

/// See the module. `memory <= memory_max`, the memory of all batches together.
pub(super) struct Spare {
    batches: Vec<Batch>,
    memory: usize,
    memory_max: usize,
}

impl Spare {
    /// None yet; at most `memory_max` bytes of them are ever kept.
    pub(super) const fn new(memory_max: usize) -> Self {
        Self { batches: Vec::new(), memory: 0, memory_max }
    }

    /// An empty batch: the one that was used last, for it is still in the cache.
    pub(super) fn take(&mut self) -> Batch {
        let batch = self.batches.pop().unwrap_or_default();
        self.memory -= batch.memory();
        batch
    }

    /// Keeps an empty batch, if there is room for it.
    pub(super) fn keep(&mut self, batch: Batch) {
        let memory = self.memory + batch.memory();
        if memory <= self.memory_max {
            self.memory = memory;
            self.batches.push(batch);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::batch::{Destination, Place};

    fn used(bytes: usize) -> Batch {
        let mut batch = Batch::default();
        let mut writer = batch.begin(Destination::Output, Place::default(), 0);
        writer.value(|out| out.resize(bytes, 0));
        writer.finish();
        batch.clear(usize::MAX);
        batch
    }

    #[test]
    fn what_a_backlog_needed_is_not_kept() {
        let mut spare = Spare::new(10_000);
        (0..100).for_each(|_| spare.keep(used(1_000)));
        let memory: usize = spare.batches.iter().map(Batch::memory).sum();
        assert!((5_000..=10_000).contains(&memory), "{memory}");
        assert_eq!(memory, spare.memory);
        while spare.take().memory() > 0 {}
        assert_eq!(spare.memory, 0);
        spare.keep(used(20_000));
        assert_eq!(spare.take().memory(), 0, "one that is larger than all may be");
    }
}
