use super::*;
use crate::fixtures::{claim, pod, reference, volume};

fn keys<K: Kind>(objects: &[Arc<K>]) -> Vec<String> {
    objects.iter().map(|object| object.meta().key.to_string()).collect()
}

#[test]
fn volumes_are_found_by_the_claim_they_are_for_and_when_they_are_for_nobody() {
    let caches = Caches::default();
    let index = Index::new(&caches);
    caches.volumes.apply((*volume("free", |_| ())).clone());
    caches.volumes.apply((*volume("held", |v| v.claim = Some(reference("c", "")))).clone());
    assert_eq!(keys(&index.free_volumes()), ["free"]);
    assert_eq!(keys(&index.volumes_of("ns/c")), ["held"]);
    caches.volumes.apply((*volume("free", |v| (v.claim, v.meta.version) = (Some(reference("c", "")), 2))).clone());
    assert!(index.free_volumes().is_empty());
    assert_eq!(keys(&index.volumes_of("ns/c")), ["free", "held"]);
    caches.volumes.delete(&volume("held", |v| v.meta.version = 3).meta);
    assert_eq!(keys(&index.volumes_of("ns/c")), ["free"]);
}

#[test]
fn objects_from_before_the_index_are_in_it() {
    let caches = Caches::default();
    caches.claims.apply((*claim("c", |_| ())).clone());
    caches.claims.apply((*claim("d", |c| c.volume = Some("v".into()))).clone());
    assert_eq!(keys(&Index::new(&caches).claims_without_volume()), ["ns/c"]);
}

#[test]
fn pods_are_found_by_each_of_their_claims_and_while_they_have_no_node() {
    let caches = Caches::default();
    let index = Index::new(&caches);
    caches.pods.apply((*pod("p", &["c", "d"], |_| ())).clone());
    assert_eq!(keys(&index.pods_of("ns/d")), ["ns/p"]);
    assert_eq!(keys(&index.unscheduled_pods()), ["ns/p"]);
    caches.pods.apply((*pod("p", &["c", "d"], |p| (p.node, p.meta.version) = ("n".into(), 2))).clone());
    assert!(index.unscheduled_pods().is_empty());
    assert_eq!(keys(&index.pods_of("ns/c")), ["ns/p"]);
}
