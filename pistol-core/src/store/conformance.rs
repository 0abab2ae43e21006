//! What every store must do, said once and asked of each.

use super::{Batch, Row, Store, Table};

/// Makes an empty store.
pub(crate) type Make<'a> = &'a mut dyn FnMut() -> Box<dyn Store>;

/// Asks everything of the stores that `make` makes.
pub(crate) fn check(make: Make) {
    rows_are_read_back_as_written(make);
    an_empty_value_is_a_value(make);
    writes_of_a_batch_take_effect_in_order(make);
    a_removed_row_is_gone_and_removing_again_is_harmless(make);
    tables_do_not_see_each_other(make);
    a_range_is_ordered_by_bytes_and_leaves_out_its_end(make);
    a_range_stops_at_its_bytes_but_returns_at_least_one_row(make);
    an_empty_or_reversed_range_has_no_rows(make);
    pages_joined_give_the_whole_range(make);
    an_empty_batch_changes_nothing(make);
    a_frozen_store_stays_as_it_was(make);
}

fn store_of(make: Make, rows: &[(&[u8], &[u8])]) -> Box<dyn Store> {
    let mut store = make();
    let mut batch = Batch::default();
    for (key, value) in rows {
        batch.put(Table::Tail, *key, *value);
    }
    store.commit(&batch).unwrap();
    store
}

fn keys(rows: &[Row]) -> Vec<&[u8]> {
    rows.iter().map(|(key, _)| key.as_slice()).collect()
}

fn rows_are_read_back_as_written(make: Make) {
    let long = vec![7; 100_000];
    let store = store_of(make, &[(b"a", b"1"), (b"", b"no key"), (b"long", &long)]);
    assert_eq!(store.read(Table::Tail, b"a").unwrap().unwrap(), b"1");
    assert_eq!(store.read(Table::Tail, b"").unwrap().unwrap(), b"no key");
    assert_eq!(store.read(Table::Tail, b"long").unwrap().unwrap(), long);
    assert_eq!(store.read(Table::Tail, b"b").unwrap(), None);
}

fn an_empty_value_is_a_value(make: Make) {
    let store = store_of(make, &[(b"a", b"")]);
    assert_eq!(store.read(Table::Tail, b"a").unwrap(), Some(Vec::new()));
    assert_eq!(store.range(Table::Tail, b"a", b"b", 10).unwrap().len(), 1);
}

fn writes_of_a_batch_take_effect_in_order(make: Make) {
    let mut store = make();
    let mut batch = Batch::default();
    batch.put(Table::Tail, b"a", b"1");
    batch.put(Table::Names, b"a", b"other table");
    batch.put(Table::Tail, b"a", b"2");
    batch.put(Table::Tail, b"b", b"1");
    batch.remove(Table::Tail, b"b");
    batch.remove(Table::Tail, b"c");
    batch.put(Table::Tail, b"c", b"1");
    store.commit(&batch).unwrap();
    assert_eq!(keys(&store.range(Table::Tail, b"", b"z", 100).unwrap()), [b"a", b"c"]);
    assert_eq!(store.read(Table::Tail, b"a").unwrap().unwrap(), b"2");
}

fn a_removed_row_is_gone_and_removing_again_is_harmless(make: Make) {
    let mut store = store_of(make, &[(b"a", b"1"), (b"b", b"2")]);
    let mut batch = Batch::default();
    batch.remove(Table::Tail, b"a");
    store.commit(&batch).unwrap();
    store.commit(&batch).unwrap();
    assert_eq!(store.read(Table::Tail, b"a").unwrap(), None);
    assert_eq!(store.read(Table::Tail, b"b").unwrap().unwrap(), b"2");
}

fn tables_do_not_see_each_other(make: Make) {
    let mut store = make();
    let mut batch = Batch::default();
    for table in Table::ALL {
        batch.put(table, b"key", format!("{table:?}"));
    }
    store.commit(&batch).unwrap();
    for table in Table::ALL {
        let expected = format!("{table:?}").into_bytes();
        assert_eq!(store.range(table, b"k", b"l", 100).unwrap(), [(b"key".to_vec(), expected)]);
    }
}

fn a_range_is_ordered_by_bytes_and_leaves_out_its_end(make: Make) {
    let store = store_of(make, &[(b"b", b""), (&[0xff], b""), (b"ab", b""), (b"a", b""), (&[0], b"")]);
    let rows = store.range(Table::Tail, b"a", &[0xff], 100).unwrap();
    assert_eq!(keys(&rows), [b"a".as_slice(), b"ab", b"b"]);
    assert_eq!(store.range(Table::Tail, b"", &[0xff, 0], 100).unwrap().len(), 5);
}

fn a_range_stops_at_its_bytes_but_returns_at_least_one_row(make: Make) {
    let store = store_of(make, &[(b"a", b"123"), (b"b", b"123"), (b"c", b"123")]);
    for (bytes_max, rows) in [(0, 1), (4, 1), (7, 1), (8, 2), (11, 2), (12, 3), (usize::MAX, 3)] {
        let read = store.range(Table::Tail, b"", b"z", bytes_max).unwrap();
        assert_eq!(read.len(), rows, "with {bytes_max} bytes");
    }
}

fn an_empty_or_reversed_range_has_no_rows(make: Make) {
    let store = store_of(make, &[(b"a", b"1"), (b"b", b"2")]);
    for (from, to) in [(b"a", b"a"), (b"b", b"a"), (b"c", b"d")] {
        assert_eq!(store.range(Table::Tail, from, to, 100).unwrap(), []);
    }
    assert_eq!(store.range(Table::Peers, b"a", b"z", 100).unwrap(), []);
}

fn pages_joined_give_the_whole_range(make: Make) {
    let mut store = make();
    let mut batch = Batch::default();
    for number in 0..500_u32 {
        batch.put(Table::Tail, number.to_be_bytes(), vec![1; 50]);
    }
    store.commit(&batch).unwrap();
    let (mut from, mut seen) = (Vec::new(), 0_u32);
    loop {
        let page = store.range(Table::Tail, &from, &[0xff; 4], 1_000).unwrap();
        let Some((last, _)) = page.last() else { break };
        from = [last.as_slice(), &[0]].concat();
        for (key, _) in page {
            assert_eq!(key, seen.to_be_bytes());
            seen += 1;
        }
    }
    assert_eq!(seen, 500);
}

fn an_empty_batch_changes_nothing(make: Make) {
    let mut store = store_of(make, &[(b"a", b"1")]);
    store.commit(&Batch::default()).unwrap();
    assert_eq!(store.range(Table::Tail, b"", b"z", 100).unwrap().len(), 1);
}

#[expect(clippy::disallowed_methods, reason = "that another thread may read it is what is tested")]
fn a_frozen_store_stays_as_it_was(make: Make) {
    let mut store = store_of(make, &[(b"a", b"1"), (b"b", b"2")]);
    let frozen = store.frozen().unwrap();
    let mut batch = Batch::default();
    batch.put(Table::Tail, b"a", b"3");
    batch.remove(Table::Tail, b"b");
    batch.put(Table::Tail, b"c", b"4");
    store.commit(&batch).unwrap();
    let again = frozen.frozen().unwrap();
    for frozen in [frozen, again] {
        let read = move || frozen.range(Table::Tail, b"", b"z", 100).unwrap();
        let rows = std::thread::spawn(read).join().unwrap();
        assert_eq!(rows, [(b"a".to_vec(), b"1".to_vec()), (b"b".to_vec(), b"2".to_vec())]);
    }
}
