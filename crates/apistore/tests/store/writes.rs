use crate::support::*;

#[test]
fn a_created_object_has_what_the_server_gives_it() {
    run(async |api| {
        let made = api.config_map("a", "1").await;
        assert_eq!(version(&made), api.store.version());
        assert_eq!(metadata(&made, "namespace"), "n");
        let uid = metadata(&made, "uid");
        assert_eq!(uid.as_str().expect("a uid").as_bytes()[14], b'4', "version 4");
        assert_eq!(api.get("configmaps", "n", "a"), Some(made));
    });
}

#[test]
fn an_update_with_a_version_that_is_not_the_stored_one_is_a_conflict() {
    run(async |api| {
        let mut made = api.config_map("a", "1").await;
        made["data"]["k"] = "2".into();
        let changed = api.update("configmaps", "n", "a", made.clone()).await.expect("updated");
        assert!(version(&changed) > version(&made));
        let refused = api.update("configmaps", "n", "a", made).await.expect_err("stale");
        assert_eq!((refused.code, refused.reason), (409, Some("Conflict")));
    });
}
