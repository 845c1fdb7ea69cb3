use super::*;
use proptest::prelude::*;

fn key(id: u32) -> Key {
    let [src, dst] = [[192, 0, 2, 1], [198, 51, 100, 2]].map(IpAddr::from);
    Key { src, dst, proto: 17, id, realm: 0 }
}

struct Bench {
    fragments: Fragments,
    counters: Counters,
    seconds: i64,
}

impl Bench {
    fn new(config: &Config) -> Self {
        Bench { fragments: Fragments::new(config), counters: Counters::default(), seconds: 0 }
    }

    fn add(&mut self, id: u32, offset: usize, bytes: &[u8], is_last: bool) -> Option<Vec<u8>> {
        let piece = Piece { id, offset, is_last };
        let now = Timestamp::from_seconds(self.seconds);
        let fragment = Fragment { piece, proto: 17, payload: bytes };
        let whole = self.fragments.add(key(id), fragment, now, &mut self.counters)?;
        assert_eq!(whole.proto, 17);
        Some(whole.payload)
    }

    fn faults(&self) -> Vec<(Fault, u64)> {
        self.counters.faults().collect()
    }
}

#[test]
fn any_order_and_several_at_once() {
    let mut bench = Bench::new(&Config::default());
    assert_eq!(bench.add(1, 8, b"fghijklm", false), None);
    assert_eq!(bench.add(2, 0, b"another-", false), None);
    assert_eq!(bench.add(1, 16, b"n", true), None);
    assert_eq!(bench.add(1, 0, b"01234567", false).unwrap(), b"01234567fghijklmn");
    assert_eq!(bench.add(2, 8, b"one", true).unwrap(), b"another-one");
    assert_eq!(bench.fragments.bytes, 0);
    assert_eq!(bench.faults(), []);
}

#[test]
fn the_first_wins_and_differences_are_counted() {
    let mut bench = Bench::new(&Config::default());
    bench.add(1, 0, b"01234567", false);
    bench.add(1, 0, b"01234567", false);
    assert_eq!(bench.faults(), [], "a repetition");
    bench.add(1, 0, b"0123456789abcdef", false);
    assert_eq!(bench.faults(), [(Fault::FragmentOverlap, 1)]);
    assert_eq!(bench.add(1, 8, b"XXXXXXXXend", true).unwrap(), b"0123456789abcdefend");
    assert_eq!(bench.counters.fault(Fault::FragmentConflict), 1);
}

#[test]
fn contradictions_are_refused() {
    let mut bench = Bench::new(&Config::default());
    bench.add(1, 8, b"end", true);
    bench.add(1, 16, b"01234567", false);
    bench.add(1, 8, b"other end", true);
    bench.add(1, 65_528, b"01234567", false);
    bench.add(1, 16, b"", false);
    assert_eq!(bench.faults(), [(Fault::BadFragment, 4)]);
    assert_eq!(bench.add(1, 0, b"01234567", false).unwrap(), b"01234567end");
    for at in 0..1000 {
        bench.add(2, at * 16, b"01234567", false);
    }
    assert_eq!(bench.counters.fault(Fault::BadFragment), 4 + 1000 - MAX_RUNS as u64);
}

#[test]
fn time_and_memory_are_bounded() {
    let config = Config { max_fragment_bytes: 10_000, ..Config::default() };
    let mut bench = Bench::new(&config);
    bench.add(1, 0, b"01234567", false);
    bench.seconds = 31;
    assert_eq!(bench.add(1, 8, b"end", true), None, "too late");
    assert_eq!(bench.faults(), [(Fault::FragmentsMissing, 1)]);
    for id in 2..1000 {
        bench.add(id, 0, &[0; 800], false);
        assert!(bench.fragments.bytes <= 10_000);
        assert!(bench.fragments.order.len() <= 12);
    }
    assert!(bench.counters.fault(Fault::FragmentsEvicted) > 980);
    assert!(bench.add(999, 800, b"end", true).is_some(), "the youngest is there");
    let left = bench.fragments.waiting.len() as u64;
    bench.fragments.finish(&mut bench.counters);
    assert_eq!(bench.counters.fault(Fault::FragmentsMissing), 1 + left);
    assert_eq!(bench.fragments.bytes, 0);
}

#[test]
fn a_clock_that_is_set_back_joins_nothing_old() {
    let mut bench = Bench::new(&Config::default());
    for (id, seconds) in [(1, 120), (2, 100)] {
        bench.seconds = seconds;
        bench.add(id, 0, b"01234567", false);
    }
    // The first has waited for 15 seconds by now, the second for 35.
    bench.seconds = 135;
    assert_eq!(bench.add(2, 8, b"end", true), None);
    assert_eq!(bench.faults(), [(Fault::FragmentsMissing, 1)]);
    assert!(bench.add(1, 8, b"end", true).is_some());
}

proptest! {
    /// Consistent fragments yield the packet, in any order and with any repetitions and overlaps.
    #[test]
    fn any_fragments_that_cover_the_packet(
        packet in proptest::collection::vec(any::<u8>(), 17..400),
        cuts in proptest::collection::vec((0..50_usize, 1..20_usize), 0..12),
        order in any::<prop::sample::Index>(),
    ) {
        let mut pieces: Vec<(usize, usize)> = Vec::new();
        let units = packet.len().div_ceil(8);
        pieces.extend((0..units).map(|unit| (unit, 1)));
        pieces.extend(cuts.iter().map(|&(at, count)| (at % units, count)));
        let middle = order.index(pieces.len());
        pieces.rotate_left(middle);
        let mut bench = Bench::new(&Config::default());
        let mut whole = None;
        for (unit, count) in pieces {
            let (start, end) = (unit * 8, packet.len().min((unit + count) * 8));
            whole = whole.or(bench.add(1, start, &packet[start..end], end == packet.len()));
        }
        prop_assert_eq!(whole.as_ref(), Some(&packet));
        prop_assert_eq!(bench.counters.fault(Fault::FragmentConflict), 0);
        prop_assert_eq!(bench.counters.fault(Fault::BadFragment), 0);
    }

    #[test]
    fn any_fragments_stay_within_bounds(
        pieces in proptest::collection::vec(
            (0..4_u32, 0..70_000_usize, 0..3000_usize, any::<bool>()),
            0..200,
        ),
    ) {
        let config = Config { max_fragment_bytes: 100_000, ..Config::default() };
        let mut bench = Bench::new(&config);
        for (id, offset, length, is_last) in pieces {
            bench.add(id, offset / 8 * 8, &vec![id as u8; length], is_last);
            prop_assert!(bench.fragments.bytes <= 100_000);
        }
        bench.fragments.finish(&mut bench.counters);
        prop_assert_eq!(bench.fragments.bytes, 0);
    }
}
