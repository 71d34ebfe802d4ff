//! The promises of `Records`.

use bytes::Bytes;
use schema::record::{Key, Table};

use super::Subject;
use crate::op::{KEY_BYTES_MAX, VALUE_BYTES_MAX};
use crate::{Error, Expect, Put, Range, Records, Row, Write};

fn stamped(partition: &[u8], sort: &[u8]) -> Key {
    Key::new(Table::Members, &[partition], &[sort])
}
fn conditional(name: &str) -> Key {
    Key::new(Table::Usernames, &[b"na"], &[name.as_bytes()])
}
fn maximum() -> Key {
    Key::new(Table::Markers, &[b"user"], &[b"room"])
}
fn bytes(text: &str) -> Bytes {
    Bytes::copy_from_slice(text.as_bytes())
}
fn write(key: &Key, stamp: u64, text: &str) -> Write {
    Write { key: key.clone(), stamp, value: Some(bytes(text)) }
}

async fn put(store: &impl Records, key: &Key, stamp: u64, text: &str) {
    store.put_many(vec![write(key, stamp, text)]).await.expect("a batch is taken");
}
async fn delete(store: &impl Records, key: &Key, stamp: u64) {
    store.put_many(vec![Write::delete(key.clone(), stamp)]).await.expect("a batch is taken");
}
async fn text(store: &impl Records, key: &Key) -> Option<String> {
    found(store, key).await.map(|(text, _)| text)
}
async fn found(store: &impl Records, key: &Key) -> Option<(String, u64)> {
    let row = store.get(key.clone()).await.expect("a row is read")?;
    assert_eq!(row.key, *key);
    Some((String::from_utf8_lossy(&row.value).into_owned(), row.stamp))
}
async fn sorts(store: &impl Records, range: Range) -> Vec<String> {
    let rows: Vec<Row> = store.scan(range).await.expect("a range is read");
    rows.iter().map(|row| String::from_utf8_lossy(&row.key.sort).into_owned()).collect()
}

pub async fn an_absent_row_is_none(subject: impl Subject) {
    let store = subject.store();
    assert_eq!(found(&*store, &stamped(b"p", b"s")).await, None);
    assert_eq!(found(&*store, &conditional("nobody")).await, None);
    assert_eq!(found(&*store, &maximum()).await, None);
    assert_eq!(sorts(&*store, Range::all(stamped(b"p", b""), 10)).await, [""; 0]);
}

pub async fn the_higher_stamp_wins_in_both_orders(subject: impl Subject) {
    let (store, rising, falling) = (subject.store(), stamped(b"p", b"rising"), stamped(b"p", b"falling"));
    put(&*store, &rising, 1, "old").await;
    put(&*store, &rising, 2, "new").await;
    put(&*store, &falling, 2, "new").await;
    put(&*store, &falling, 1, "old").await;
    assert_eq!(found(&*store, &rising).await, Some(("new".into(), 2)));
    assert_eq!(found(&*store, &falling).await, Some(("new".into(), 2)));
}

pub async fn a_late_lower_stamp_changes_nothing(subject: impl Subject) {
    let (store, key) = (subject.store(), stamped(b"p", b"s"));
    put(&*store, &key, 5, "five").await;
    put(&*store, &key, 4, "four").await;
    delete(&*store, &key, 4).await;
    assert_eq!(found(&*store, &key).await, Some(("five".into(), 5)));
}

pub async fn a_delete_wins_a_tie_in_both_orders(subject: impl Subject) {
    let (store, first, last) = (subject.store(), stamped(b"p", b"first"), stamped(b"p", b"last"));
    delete(&*store, &first, 3).await;
    put(&*store, &first, 3, "put").await;
    put(&*store, &last, 3, "put").await;
    delete(&*store, &last, 3).await;
    assert_eq!(text(&*store, &first).await, None);
    assert_eq!(text(&*store, &last).await, None);
}

pub async fn a_deleted_row_comes_back_only_above_its_stamp(mut subject: impl Subject) {
    let key = stamped(b"p", b"s");
    delete(&*subject.store(), &key, 3).await;
    put(&*subject.store(), &key, 2, "late").await;
    subject.store().sync().await.unwrap();
    subject.reopen();
    put(&*subject.store(), &key, 3, "late").await;
    assert_eq!(text(&*subject.store(), &key).await, None);
    put(&*subject.store(), &key, 4, "back").await;
    assert_eq!(found(&*subject.store(), &key).await, Some(("back".into(), 4)));
}

pub async fn repeating_a_batch_changes_nothing(subject: impl Subject) {
    let (store, one, two) = (subject.store(), stamped(b"p", b"1"), stamped(b"p", b"2"));
    let batch = vec![write(&one, 1, "one"), Write::delete(two.clone(), 1)];
    for _ in 0..3 {
        store.put_many(batch.clone()).await.unwrap();
    }
    assert_eq!(found(&*store, &one).await, Some(("one".into(), 1)));
    put(&*store, &one, 2, "newer").await;
    store.put_many(batch[..1].to_vec()).await.unwrap();
    assert_eq!(found(&*store, &one).await, Some(("newer".into(), 2)));
    assert_eq!(text(&*store, &two).await, None);
}

pub async fn a_batch_that_names_a_row_twice_keeps_the_higher_stamp(subject: impl Subject) {
    let (store, key) = (subject.store(), stamped(b"p", b"s"));
    store.put_many(vec![write(&key, 2, "two"), write(&key, 1, "one"), write(&key, 3, "three"), write(&key, 2, "two")]).await.unwrap();
    assert_eq!(found(&*store, &key).await, Some(("three".into(), 3)));
}

pub async fn a_maximum_only_rises(subject: impl Subject) {
    let (store, key) = (subject.store(), maximum());
    for (stamp, expected) in [(3, 3), (2, 3), (3, 3), (7, 7), (1, 7)] {
        store.put_max(key.clone(), bytes(&stamp.to_string()), stamp).await.unwrap();
        assert_eq!(found(&*store, &key).await, Some((expected.to_string(), expected)));
    }
}

pub async fn absent_is_put_once(subject: impl Subject) {
    let (store, key) = (subject.store(), conditional("name"));
    assert_eq!(store.put(key.clone(), bytes("ada"), Expect::Absent).await.unwrap(), Put::Done { version: 1 });
    assert_eq!(store.put(key.clone(), bytes("bob"), Expect::Absent).await.unwrap(), Put::Conflict { version: 1 });
    assert_eq!(found(&*store, &key).await, Some(("ada".into(), 1)));
}

pub async fn a_version_must_match(subject: impl Subject) {
    let (store, key) = (subject.store(), conditional("name"));
    for version in [0, 1] {
        assert_eq!(store.put(key.clone(), bytes("x"), Expect::Version(version)).await.unwrap(), Put::Conflict { version: 0 });
    }
    store.put(key.clone(), bytes("one"), Expect::Absent).await.unwrap();
    assert_eq!(store.put(key.clone(), bytes("two"), Expect::Version(1)).await.unwrap(), Put::Done { version: 2 });
    for version in [1, 3] {
        assert_eq!(store.put(key.clone(), bytes("late"), Expect::Version(version)).await.unwrap(), Put::Conflict { version: 2 });
    }
    assert_eq!(found(&*store, &key).await, Some(("two".into(), 2)));
}

pub async fn any_is_put_over_everything(subject: impl Subject) {
    let (store, key) = (subject.store(), conditional("name"));
    for version in 1..4 {
        assert_eq!(store.put(key.clone(), bytes("x"), Expect::Any).await.unwrap(), Put::Done { version });
    }
}

pub async fn a_deleted_conditional_row_is_absent(subject: impl Subject) {
    let (store, key) = (subject.store(), conditional("name"));
    store.delete(key.clone()).await.unwrap();
    store.put(key.clone(), bytes("ada"), Expect::Absent).await.unwrap();
    store.delete(key.clone()).await.unwrap();
    assert_eq!(text(&*store, &key).await, None);
    assert_eq!(sorts(&*store, Range::all(key.clone(), 10)).await, [""; 0]);
    assert_eq!(store.put(key.clone(), bytes("bob"), Expect::Version(1)).await.unwrap(), Put::Conflict { version: 0 });
    assert_eq!(store.put(key, bytes("bob"), Expect::Absent).await.unwrap(), Put::Done { version: 1 });
}

pub async fn one_of_many_at_once_wins_a_name(subject: impl Subject) {
    let claim = |number: usize| {
        let store = subject.store();
        tokio::spawn(async move { store.put(conditional("name"), bytes(&number.to_string()), Expect::Absent).await.unwrap() })
    };
    let mut winners = Vec::new();
    for (number, claimed) in (0..50).map(claim).collect::<Vec<_>>().into_iter().enumerate() {
        if claimed.await.expect("a claim ends") == (Put::Done { version: 1 }) {
            winners.push(number.to_string());
        }
    }
    assert_eq!(winners.len(), 1);
    assert_eq!(text(&*subject.store(), &conditional("name")).await, winners.pop());
}

/// Rows a, b, c, d, e of one partition.
async fn alphabet(store: &impl Records) {
    let writes = ["c", "a", "e", "b", "d"].map(|sort| write(&stamped(b"p", sort.as_bytes()), 1, sort));
    store.put_many(writes.into()).await.unwrap();
}
fn all() -> Range {
    Range::all(stamped(b"p", b"x"), 10)
}

pub async fn a_scan_is_in_the_order_of_sort_keys(subject: impl Subject) {
    let store = subject.store();
    let keys: [&[u8]; 7] = [b"", b"\0", b"\0\xff", b"a", b"aa", b"b", b"\xff\xff"];
    for key in [3, 6, 0, 5, 1, 4, 2] {
        put(&*store, &stamped(b"p", keys[key]), 1, "row").await;
    }
    let rows = store.scan(all()).await.unwrap();
    assert_eq!(rows.iter().map(|row| &row.key.sort[..]).collect::<Vec<_>>(), keys);
    let mut newest = store.scan(all().newest_first()).await.unwrap();
    newest.reverse();
    assert_eq!(newest, rows);
}

pub async fn a_scan_keeps_to_its_bounds(subject: impl Subject) {
    let store = subject.store();
    alphabet(&*store).await;
    assert_eq!(sorts(&*store, all().from("b")).await, ["b", "c", "d", "e"]);
    assert_eq!(sorts(&*store, all().to("d")).await, ["a", "b", "c"]);
    assert_eq!(sorts(&*store, all().from("b").to("d")).await, ["b", "c"]);
    assert_eq!(sorts(&*store, all().from("bb").to("dd")).await, ["c", "d"]);
    assert_eq!(sorts(&*store, all().from("d").to("b")).await, [""; 0]);
    assert_eq!(sorts(&*store, Range { limit: 2, ..all().from("b") }).await, ["b", "c"]);
    assert_eq!(sorts(&*store, Range { limit: 0, ..all() }).await, [""; 0]);
}

pub async fn a_scan_from_the_newest_end_keeps_to_its_bounds(subject: impl Subject) {
    let store = subject.store();
    alphabet(&*store).await;
    assert_eq!(sorts(&*store, Range { limit: 2, ..all().newest_first() }).await, ["e", "d"]);
    assert_eq!(sorts(&*store, all().from("b").to("d").newest_first()).await, ["c", "b"]);
    assert_eq!(sorts(&*store, Range { limit: 1, ..all().to("d").newest_first() }).await, ["c"]);
}

pub async fn deleted_rows_do_not_count_in_a_scan(subject: impl Subject) {
    let store = subject.store();
    alphabet(&*store).await;
    delete(&*store, &stamped(b"p", b"a"), 2).await;
    delete(&*store, &stamped(b"p", b"d"), 2).await;
    assert_eq!(sorts(&*store, Range { limit: 2, ..all() }).await, ["b", "c"]);
    assert_eq!(sorts(&*store, Range { limit: 2, ..all().newest_first() }).await, ["e", "c"]);
}

pub async fn several_scans_at_once_are_answered_in_their_order(subject: impl Subject) {
    let store = subject.store();
    alphabet(&*store).await;
    put(&*store, &stamped(b"q", b"b"), 1, "other").await;
    let one = |partition, sort| Range::one(stamped(partition, sort));
    let ranges = vec![all().from("d"), one(b"q", b"b"), one(b"q", b"a"), all().newest_first(), one(b"p", b"b"), one(b"p", b"")];
    let mut each = Vec::new();
    for range in &ranges {
        each.push(store.scan(range.clone()).await.unwrap());
    }
    let together = store.scan_all(ranges).await.unwrap();
    assert_eq!(together, each);
    assert_eq!(together.iter().map(Vec::len).collect::<Vec<_>>(), [2, 1, 0, 5, 1, 0]);
    assert_eq!(store.scan_all(Vec::new()).await.unwrap(), [[]; 0]);
}

pub async fn partitions_do_not_leak_into_each_other(subject: impl Subject) {
    let store = subject.store();
    // Each is a prefix of another, with and without its sort key, or ends where a neighbour begins.
    let partitions: [&[u8]; 7] = [b"", b"a", b"ab", b"abc", b"b", b"\xff", b"\xff\xff"];
    for partition in partitions {
        for sort in [&b""[..], b"a", b"bc", b"\xff"] {
            put(&*store, &stamped(partition, sort), 1, "row").await;
        }
    }
    for partition in partitions {
        for range in [Range::all(stamped(partition, b""), 100), Range::all(stamped(partition, b""), 100).newest_first()] {
            let rows = store.scan(range).await.unwrap();
            assert_eq!(rows.len(), 4, "{partition:?}");
            assert!(rows.iter().all(|row| row.key.partition == partition), "{rows:?}");
        }
    }
}

pub async fn tables_do_not_leak_into_each_other(subject: impl Subject) {
    let store = subject.store();
    let key = |table| Key::new(table, &[b"p"], &[b"s"]);
    let tables = [Table::History, Table::Annotations, Table::Members, Table::Rooms];
    for table in tables {
        put(&*store, &key(table), 1, table.name()).await;
    }
    for table in tables {
        assert_eq!(text(&*store, &key(table)).await.as_deref(), Some(table.name()));
        assert_eq!(store.scan(Range::all(key(table), 10)).await.unwrap().len(), 1);
    }
}

pub async fn a_row_without_a_sort_key_is_found(subject: impl Subject) {
    let (store, key) = (subject.store(), stamped(b"p", b""));
    put(&*store, &key, 1, "only").await;
    assert_eq!(text(&*store, &key).await.as_deref(), Some("only"));
    assert_eq!(sorts(&*store, all()).await, [""]);
}

pub async fn a_row_that_is_too_large_is_refused_whole(subject: impl Subject) {
    let store = subject.store();
    let (small, long) = (stamped(b"p", b"s"), stamped(&[b'p'; KEY_BYTES_MAX], b"s"));
    let large = Write { key: stamped(b"p", b"large"), stamp: 1, value: Some(vec![0; VALUE_BYTES_MAX + 1].into()) };
    for writes in [vec![write(&small, 1, "row"), large], vec![write(&small, 1, "row"), write(&long, 1, "row")]] {
        assert!(matches!(store.put_many(writes).await, Err(Error::Unusable(_))));
        assert_eq!(text(&*store, &small).await, None);
    }
    let long = Key { table: Table::Usernames, ..long };
    assert_eq!(found(&*store, &long).await, None);
    assert_eq!(sorts(&*store, Range::all(long.clone(), 10)).await, [""; 0]);
    assert!(matches!(store.put(long.clone(), Bytes::new(), Expect::Absent).await, Err(Error::Unusable(_))));
    assert!(matches!(store.delete(long).await, Err(Error::Unusable(_))));
    let largest = Write { key: small.clone(), stamp: 1, value: Some(vec![b'x'; VALUE_BYTES_MAX].into()) };
    store.put_many(vec![largest]).await.unwrap();
    assert_eq!(text(&*store, &small).await.map(|text| text.len()), Some(VALUE_BYTES_MAX));
}

pub async fn reopening_keeps_what_was_synced(mut subject: impl Subject) {
    let store = subject.store();
    alphabet(&*store).await;
    delete(&*store, &stamped(b"p", b"c"), 2).await;
    store.put_max(maximum(), bytes("seven"), 7).await.unwrap();
    store.sync().await.unwrap();
    drop(store);
    subject.reopen();
    assert_eq!(sorts(&*subject.store(), all()).await, ["a", "b", "d", "e"]);
    assert_eq!(found(&*subject.store(), &maximum()).await, Some(("seven".into(), 7)));
}

pub async fn reopening_keeps_conditional_rows_without_a_sync(mut subject: impl Subject) {
    let (kept, gone) = (conditional("kept"), conditional("gone"));
    subject.store().put(kept.clone(), bytes("ada"), Expect::Absent).await.unwrap();
    subject.store().put(gone.clone(), bytes("bob"), Expect::Absent).await.unwrap();
    subject.store().delete(gone.clone()).await.unwrap();
    subject.reopen();
    assert_eq!(found(&*subject.store(), &kept).await, Some(("ada".into(), 1)));
    assert_eq!(found(&*subject.store(), &gone).await, None);
}
