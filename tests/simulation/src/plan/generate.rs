//! A plan from a seed.

use super::{Act, Damage, Plan, Shape, Step};
use crate::draw::Draw;
use crate::fault::Rates;

impl Plan {
    /// The plan of this seed. What a seed means changes with this code; what it found is kept as a plan.
    pub fn of_seed(seed: u64) -> Self {
        let mut draw = Draw::new(seed);
        let shape = Shape {
            replicas: if draw.one_in(3) { 2 } else { 1 },
            attach: !draw.one_in(5),
            stage: !draw.one_in(5),
            topology: draw.one_in(3),
            secrets: draw.one_in(4),
            intents: !draw.one_in(20),
            republish: draw.one_in(8),
            clear: !draw.one_in(3),
        };
        let mut steps = people(&mut draw);
        let span = steps.iter().map(|step| step.at).max().unwrap_or(0) + 5_000;
        steps.extend(fate(&mut draw, &shape, span));
        steps.sort_by_key(|step| step.at);
        // Most runs have something of each; some have much of one, and some nothing by chance.
        let rates = match draw.below(5) {
            0 => Rates::default(),
            1 => Rates { api: 800, watch: 200, call: 100, kill: 0 },
            2 => Rates { api: 50, watch: 50, call: 2000, kill: 100 },
            3 => Rates { api: 50, watch: 2000, call: 200, kill: 0 },
            _ => Rates { api: 200, watch: 300, call: 500, kill: 60 },
        };
        Self { seed, shape, steps, rates, faults: Vec::new() }
    }
}

/// Claims and pods come and go.
fn people(draw: &mut Draw) -> Vec<Step> {
    let mut steps = Vec::new();
    let claims = 1 + draw.below(4);
    for n in 0..claims {
        let name = format!("c{n}");
        let class = ["fast", "fast", "wait", "keep"][draw.below(4) as usize].to_owned();
        let mode = ["ReadWriteOnce", "ReadWriteOnce", "ReadWriteMany", "ReadWriteOncePod"][draw.below(4) as usize].to_owned();
        let made = draw.below(15_000);
        steps.push(Step { at: made, act: Act::CreateClaim { name: name.clone(), class, mode, block: draw.one_in(6) } });
        let later = made + draw.below(30_000);
        match draw.below(9) {
            0 | 1 => steps.push(Step { at: later, act: Act::DeleteClaim { name } }),
            // At the worst moment: while the driver works on it.
            2 => steps.push(Step { at: made + draw.below(400), act: Act::DeleteClaim { name } }),
            3 => steps.push(Step { at: later, act: Act::ReplaceClaim { name } }),
            4 => steps.push(Step { at: later, act: Act::DeleteVolume { claim: name } }),
            5 => {
                let deleted = later + draw.below(3_000);
                steps.push(Step { at: later, act: Act::Retain { claim: name.clone() } });
                match draw.below(3) {
                    0 => {}
                    1 => steps.push(Step { at: deleted, act: Act::DeleteClaim { name } }),
                    _ => {
                        steps.push(Step { at: deleted, act: Act::DeleteClaim { name: name.clone() } });
                        steps.push(Step { at: deleted + 2_000 + draw.below(10_000), act: Act::FreeVolume { claim: name } });
                    }
                }
            }
            // While it is on its way out.
            6 => {
                steps.push(Step { at: later, act: Act::DeleteClaim { name: name.clone() } });
                steps.push(Step { at: later + draw.below(400), act: Act::Retain { claim: name } });
            }
            _ => {}
        }
    }
    for n in 0..draw.below(4) {
        let name = format!("p{n}");
        let wanted =
            (0..1 + draw.below(2)).map(|_| format!("c{}", draw.below(claims))).collect::<std::collections::BTreeSet<_>>();
        let made = draw.below(20_000);
        let claims: Vec<String> = wanted.into_iter().collect();
        steps.push(Step { at: made, act: Act::CreatePod { name: name.clone(), claims: claims.clone() } });
        let later = made + draw.below(30_000);
        if draw.one_in(3) {
            // Another takes its place, a little before or after it has let go of everything.
            steps.push(Step { at: later + draw.below(1_500), act: Act::CreatePod { name: format!("{name}-next"), claims } });
        }
        match draw.below(6) {
            0 | 1 => steps.push(Step { at: later, act: Act::DeletePod { name } }),
            2 => steps.push(Step { at: later, act: Act::ForceDeletePod { name } }),
            3 => steps.push(Step { at: later, act: Act::EndPod { name } }),
            _ => {}
        }
    }
    steps
}

/// What happens besides.
fn fate(draw: &mut Draw, shape: &Shape, span: u64) -> Vec<Step> {
    let processes = ["provisioner-a", "attacher-a", "binder", "mounter", "provisioner-b", "attacher-b"];
    let known = if shape.replicas > 1 { 6 } else { 4 };
    (0..draw.below(5))
        .map(|_| {
            let process = processes[draw.below(known) as usize].to_owned();
            let long = 500 + draw.below(25_000);
            let act = match draw.below(22) {
                0..4 => Act::Kill { process },
                4..8 => Act::KillAfterTurns { process, turns: 1 + draw.below(3000) },
                8..11 => Act::Freeze { process, ms: long * 2 },
                11 => Act::Reboot,
                12 => {
                    Act::DamageJournal { how: [Damage::Truncated, Damage::BitFlipped, Damage::Deleted][draw.below(3) as usize] }
                }
                13 => Act::FillDisk { ms: long },
                14 => Act::ApiDown { ms: long },
                15 => Act::DriverDown { ms: long },
                16 => Act::Compact,
                17 if draw.one_in(2) => Act::ForbidIntents { ms: long },
                17 => Act::DeleteClass { name: "fast".to_owned() },
                18 if shape.secrets => Act::DeleteSecret,
                18 => Act::DeleteNode,
                19 => Act::KillMounts,
                20 => Act::Reboot,
                _ => Act::OutOfService { ms: long },
            };
            Step { at: draw.below(span), act }
        })
        .collect()
}
