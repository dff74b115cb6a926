//! Intents, and what users do meanwhile.

use simulation::{Act, ApiFault};

use crate::scenario::Scenario;

/// The answer to the PersistentVolume's creation never comes; meanwhile it is bound, and deleted by hand, which holds until its
/// claim goes. It is saved all the same: the intent ends, and no second volume is made when the first is gone.
#[test]
fn a_bound_volume_that_was_deleted_by_hand_ends_its_intent() {
    Scenario::new()
        .claim(1000, "c0", "fast")
        .api("provisioner-a CREATE persistentvolumes pv:c0", 0, ApiFault::Silent)
        .at(5000, Act::DeleteVolume { claim: "c0".into() })
        .at(60_000, Act::DeleteClaim { name: "c0".into() })
        .promises(|story| {
            story.saw_in_order(&[
                "open intents: pv:c0",
                "deletes the volume",
                "open intents:",
                "deletes claim",
                "done: DeleteVolume",
            ]);
            assert_eq!(story.count("done: CreateVolume pv:c0"), 1);
        });
}
