//! CreateVolume and what may be lost around it.

use fake_driver::Code;
use simulation::{Act, Deadly};

use crate::scenario::Scenario;

/// external-provisioner#486: the sidecar dies while CreateVolume is under way, the claim goes meanwhile. Upstream leaks the volume;
/// ours finds its intent, asks again by the same name, and deletes what came of it.
#[test]
fn a_volume_whose_claim_goes_while_its_provisioner_is_dead_is_deleted() {
    for moment in [Deadly::Arrival, Deadly::Effect, Deadly::Answer] {
        Scenario::new()
            .claim(1000, "c0", "fast")
            .dies("provisioner-a CreateVolume pv:c0", 0, moment)
            .at(1200, Act::DeleteClaim { name: "c0".into() })
            .promises(|story| story.saw_in_order(&["is killed", "provisioner-a starts", "done: CreateVolume", "done: DeleteVolume"]));
    }
}

/// A driver that has no room now has some later: the claim is asked for again, and gets its volume.
#[test]
fn a_claim_that_was_refused_is_asked_for_again() {
    Scenario::new()
        .keep()
        .claim(1000, "c0", "fast")
        .refused("provisioner-a CreateVolume pv:c0", 3, Code::ResourceExhausted)
        .promises(|story| assert_eq!(story.count("done: CreateVolume pv:c0"), 1));
}
