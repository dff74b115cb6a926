#![allow(clippy::disallowed_methods, reason = "tests build the runtime")]

use std::sync::Arc;

use rt::disk::MemoryDisk;

use super::*;

fn paused<T>(scenario: impl AsyncFnOnce(Ctx, Keys<&'static str>) -> T) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().expect("runtime");
    runtime.block_on(async {
        let ctx = Ctx::seeded(1, Arc::new(MemoryDisk::new()));
        scenario(ctx.clone(), Keys::new(ctx)).await
    })
}

#[test]
fn a_key_waits_once_and_runs_once_more_if_added_meanwhile() {
    paused(async |_, keys| {
        keys.add("a");
        keys.add("a");
        assert_eq!(keys.next().await, "a");
        keys.add("a");
        assert_eq!(keys.depth(), 0, "no two workers on one key");
        assert!(keys.done(&"a"));
        assert_eq!(keys.next().await, "a");
        assert!(!keys.done(&"a"));
        assert!(keys.is_idle());
    });
}

#[test]
fn the_earliest_delay_wins_and_a_change_ends_it() {
    paused(async |ctx, keys| {
        keys.add_after("a", Duration::from_secs(60));
        keys.add_after("a", Duration::from_secs(10));
        keys.add_after("a", Duration::from_secs(90));
        assert_eq!(keys.next().await, "a");
        assert_eq!(ctx.now().0.as_secs(), 10);
        keys.done(&"a");
        keys.add_after("a", Duration::from_secs(60));
        keys.add_if_idle("a");
        assert_eq!(keys.depth(), 0, "a resync does not end a delay");
        keys.add("a");
        assert_eq!(keys.next().await, "a");
        assert_eq!(ctx.now().0.as_secs(), 10);
    });
}

#[test]
fn parked_keys_come_back_all_at_once() {
    paused(async |_, keys| {
        keys.park("b");
        keys.park("a");
        assert!(keys.is_idle());
        keys.unpark();
        assert_eq!((keys.next().await, keys.next().await), ("a", "b"));
    });
}
