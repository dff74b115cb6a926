use apistore::ListRequest;
use apistore::VersionMatch;

use crate::support::*;

#[test]
fn a_list_is_in_the_order_of_names_and_as_of_the_last_change_of_anything() {
    run(async |api| {
        for name in ["b", "a", "c"] {
            api.config_map(name, "1").await;
        }
        let listing = api.list(all()).await.expect("a list");
        assert_eq!(names(&listing), ["a", "b", "c"]);
        assert_eq!(listing.version, api.store.version());
    });
}

#[test]
fn every_page_is_as_of_the_first() {
    run(async |api| {
        for name in ["a", "b", "c", "d"] {
            api.config_map(name, "1").await;
        }
        let first = api.list(ListRequest { limit: Some(2), ..all() }).await.expect("a page");
        assert_eq!((names(&first), first.remaining), (vec!["a", "b"], Some(2)));
        api.config_map("cc", "later").await;
        api.delete("configmaps", "n", "d").await.expect("deleted");
        api.merge("configmaps", "n", "c", serde_json::json!({"data": {"k": "2"}})).await.expect("patched");
        let second = api.list(ListRequest { resume: first.resume, ..all() }).await.expect("a page");
        assert_eq!((names(&second), second.version, second.resume.as_deref()), (vec!["c", "d"], first.version, None));
        assert_eq!(second.items[0].value()["data"]["k"], "1");
    });
}

#[test]
fn a_page_that_is_too_old_can_be_gone_on_from_at_the_present() {
    run(async |api| {
        for name in ["a", "b", "c"] {
            api.config_map(name, "1").await;
        }
        let first = api.list(ListRequest { limit: Some(1), ..all() }).await.expect("a page");
        api.delete("configmaps", "n", "b").await.expect("deleted");
        api.store.compact();
        let refused = api.list(ListRequest { resume: first.resume, ..all() }).await.expect_err("forgotten");
        assert_eq!((refused.code, refused.reason), (410, Some("Expired")));
        let rest = api.list(ListRequest { resume: refused.resume, ..all() }).await.expect("the rest");
        assert_eq!(names(&rest), ["c"]);
        assert_eq!(rest.version, api.store.version());
    });
}

#[test]
fn a_version_that_does_not_exist_yet_is_waited_for_and_then_refused() {
    run(async |api| {
        let wanted = api.store.version() + 1;
        let listing = api.list(ListRequest { version: VersionMatch::NotOlderThan(wanted), ..all() });
        let write = api.config_map("a", "1");
        let (listing, _) = futures::join!(listing, write);
        assert_eq!(names(&listing.expect("it came")), ["a"]);
        let refused = api.list(ListRequest { version: VersionMatch::Exact(wanted + 5), ..all() }).await.expect_err("never came");
        assert_eq!((refused.code, refused.reason), (504, Some("Timeout")));
        assert_eq!(refused.message, format!("Timeout: Too large resource version: {}, current: {wanted}", wanted + 5));
    });
}
