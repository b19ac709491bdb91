//! A writer of one partition beside a store and a broker that outlive it.

use std::collections::BTreeMap;

use super::*;
use proptest::prelude::*;

const SMALL: Bounds = Bounds { records: 2, bytes: 1_000 };
const LARGE: Bounds = Bounds { records: 5, bytes: 1_000 };
/// Of a topic that is long enough; some days are short.
const RECORDS: i64 = 200;

fn timestamp_ms(offset: i64) -> i64 {
    [0, 3, 4, 30, 31, 32, 77, 150].iter().filter(|&&midnight| offset >= midnight).count() as i64 * 86_400_000
}

/// What outlives a writer: the objects by their first offset, and the commit.
#[derive(Default)]
struct World {
    store: BTreeMap<i64, Object>,
    committed: i64,
    words: String,
}

struct Writer {
    part: Part,
    /// Handed over, and not in the store.
    under_way: Vec<(Ticket, Object)>,
    /// Asked for, and not with the brokers; then with them, and not told.
    commits: VecDeque<Commit>,
}

impl Writer {
    fn start(world: &World, bounds: Bounds) -> Self {
        let part = Part::new("t", 0, 0, world.committed, (0, RECORDS), bounds, Beyond::read(&world.words));
        Self { part, under_way: Vec::new(), commits: VecDeque::new() }
    }

    fn read(&mut self) {
        if self.part.position < RECORDS && self.part.wants_records() {
            let offset = self.part.position;
            self.part.add(offset, timestamp_ms(offset), Some(b"{}"));
        }
    }

    fn hand_over(&mut self) {
        if let Some(object) = self.part.take() {
            let ticket = self.part.sent(object.next, object.is_early);
            self.under_way.push((ticket, object));
        }
    }

    /// The store takes one of those that are under way; whether the writer hears of it is another matter.
    fn store(&mut self, world: &mut World, which: usize, is_heard: bool) {
        if self.under_way.is_empty() {
            return;
        }
        let index = which % self.under_way.len();
        let (ticket, object) = self.under_way[index].clone();
        let before = world.store.insert(object.first, object.clone());
        assert!(before.is_none_or(|before| before == object), "the same name holds the same");
        if is_heard {
            self.under_way.remove(index);
            self.part.watermark.acknowledge(ticket);
        }
    }

    fn ask_for_commit(&mut self) {
        if self.commits.is_empty() {
            self.commits.extend(self.part.to_commit());
        }
    }

    fn commit(&mut self, world: &mut World, is_heard: bool) {
        let Some(commit) = self.commits.front() else { return };
        (world.committed, world.words) = (commit.checkpoint.offset, commit.words.clone().unwrap());
        if is_heard && let Some(commit) = self.commits.pop_front() {
            self.part.committed(&commit);
        }
    }

    /// Everything goes well until nothing moves any more.
    fn settle(&mut self, world: &mut World) {
        for _ in 0..3 * RECORDS {
            self.read();
            self.hand_over();
            self.store(world, 0, true);
            self.ask_for_commit();
            self.commit(world, true);
        }
    }

    fn end(&mut self, world: &mut World) {
        self.settle(world);
        assert!(self.part.is_settled());
        self.part.end();
        self.ask_for_commit();
        self.commit(world, true);
        assert!(self.part.has_said());
    }
}

proptest! {
    /// Writers are killed and come back with other bounds, at any moment, and every record is in one object.
    #[test]
    fn every_record_is_in_one_object_whatever_bounds_come_after_a_crash(steps in prop::collection::vec((0_u8..16, any::<u8>()), 1..400)) {
        let mut world = World::default();
        let mut writer = Writer::start(&world, SMALL);
        for (step, chance) in steps {
            match step {
                0 => writer = Writer::start(&world, if chance < 128 { SMALL } else { LARGE }),
                1..=6 => (0..=chance % 8).for_each(|_| writer.read()),
                7..=9 => writer.hand_over(),
                10..=12 => writer.store(&mut world, chance.into(), chance < 200),
                13 => writer.ask_for_commit(),
                _ => writer.commit(&mut world, chance < 200),
            }
        }
        writer.settle(&mut world);
        prop_assert!(writer.part.roller.bounds() == writer.part.bounds, "the new bounds come");
        let mut next = 0;
        for object in world.store.values() {
            prop_assert_eq!(object.first, next, "no gap, no overlap: {:?}", world.store);
            next = object.next;
        }
        prop_assert!(RECORDS - next < LARGE.records as i64);
    }
}

#[test]
fn nothing_is_handed_over_before_it_is_said_how_it_ends() {
    let mut world = World::default();
    let mut writer = Writer::start(&world, SMALL);
    (0..2).for_each(|_| writer.read());
    writer.hand_over();
    assert!(writer.under_way.is_empty());
    writer.ask_for_commit();
    writer.commit(&mut world, true);
    assert_eq!((world.committed, &world.words[..]), (0, "market-hub-s3/1 records=2 bytes=1000 beyond=4"));
    writer.hand_over();
    assert_eq!(writer.under_way.len(), 1);
}

#[test]
fn a_writer_that_ends_in_peace_leaves_the_next_one_free() {
    let mut world = World::default();
    let mut writer = Writer::start(&world, SMALL);
    (0..9).for_each(|_| {
        writer.read();
        writer.ask_for_commit();
        writer.commit(&mut world, true);
        writer.hand_over();
        writer.store(&mut world, 0, true);
    });
    writer.part.position = RECORDS;
    writer.end(&mut world);
    let next = Writer::start(&world, LARGE);
    assert_eq!((next.part.left, next.part.roller.bounds()), (0, LARGE));
    assert!(!next.part.has_said(), "and that one says what it makes");
    world.words = Beyond::some(SMALL).words();
    let next = Writer::start(&world, LARGE);
    assert_eq!((next.part.left, next.part.roller.bounds()), (OBJECTS_MAX, SMALL), "as one that was killed does not");
}

#[test]
fn no_more_is_ahead_of_the_commit_than_was_said() {
    let mut world = World::default();
    let mut writer = Writer::start(&world, Bounds { records: 1, bytes: 9 });
    writer.ask_for_commit();
    writer.commit(&mut world, true);
    for offset in 0..=OBJECTS_MAX as i64 {
        writer.part.add(offset, 0, None);
        writer.hand_over();
    }
    assert_eq!(writer.under_way.len(), OBJECTS_MAX);
    writer.store(&mut world, 0, true);
    writer.hand_over();
    assert_eq!(writer.under_way.len(), OBJECTS_MAX - 1, "acknowledged is not committed");
    writer.ask_for_commit();
    writer.commit(&mut world, true);
    writer.hand_over();
    assert_eq!(writer.under_way.len(), OBJECTS_MAX);
}

#[test]
fn behind_a_gap_objects_begin_where_it_is_committed_that_they_do() {
    let mut world = World { committed: 1, ..World::default() };
    let mut writer = Writer::start(&world, SMALL);
    writer.read();
    writer.part.jump(50);
    writer.ask_for_commit();
    writer.commit(&mut world, true);
    writer.hand_over();
    assert!(writer.under_way[0].1.is_early, "what was read before stands alone");
    assert!(!writer.part.wants_records());
    writer.store(&mut world, 0, true);
    writer.ask_for_commit();
    writer.commit(&mut world, true);
    assert_eq!(world.committed, 2);
    writer.hand_over();
    writer.ask_for_commit();
    writer.commit(&mut world, true);
    assert_eq!(world.committed, 50);
    writer.settle(&mut world);
    assert_eq!(world.store.keys().take(3).copied().collect::<Vec<_>>(), [1, 50, 52]);
}
