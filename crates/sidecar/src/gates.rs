//! Feature gates: named switches whose freedom ends with their maturity.

use std::collections::BTreeMap;

use crate::Exit;
use crate::values::Gates;

/// How mature a gate's feature is, and so who may turn it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Off unless asked for; `AllAlpha` turns it.
    Alpha,
    /// Mostly on; `AllBeta` turns it.
    Beta,
    /// Done. Setting it only warns.
    Ga,
    /// Done and fixed at its default: setting it to anything else is an error.
    Locked,
}

/// One gate that a program knows.
#[derive(Debug, Clone, Copy)]
pub struct Gate {
    /// Upstream's name for it.
    pub name: &'static str,
    /// Whether it is on when nobody says anything.
    pub default: bool,
    /// Its maturity.
    pub stage: Stage,
}

/// The gates of a program, decided.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FeatureGates {
    enabled: BTreeMap<&'static str, bool>,
    explicit: Vec<&'static str>,
}

impl FeatureGates {
    /// Decides all `known` gates. Later values win; `AllAlpha` and `AllBeta` turn what is not named itself. Pure; what
    /// deserves a warning is added to `notices`.
    ///
    /// # Errors
    /// A gate that is unknown, or locked at another value.
    pub fn decide(known: &[Gate], asked: &[Gates], notices: &mut Vec<String>) -> Result<Self, Exit> {
        let asked: Vec<_> = asked.iter().flat_map(|gates| &gates.0).collect();
        let whole = |name: &str| asked.iter().rev().find(|(asked, _)| asked == name).map(|(_, on)| *on);
        let (all_alpha, all_beta) = (whole("AllAlpha"), whole("AllBeta"));
        let mut gates = Self::default();
        for gate in known {
            let on = match gate.stage {
                Stage::Alpha => all_alpha.unwrap_or(gate.default),
                Stage::Beta => all_beta.unwrap_or(gate.default),
                Stage::Ga | Stage::Locked => gate.default,
            };
            gates.enabled.insert(gate.name, on);
        }
        for (name, on) in asked {
            if matches!(name.as_str(), "AllAlpha" | "AllBeta") {
                continue;
            }
            let Some(gate) = known.iter().find(|gate| gate.name == name) else {
                let names: Vec<_> = known.iter().map(|gate| gate.name).collect();
                return Err(Exit::failed(format!("--feature-gates: unknown gate {name:?}, known are: {}", names.join(", "))));
            };
            match gate.stage {
                Stage::Locked if *on != gate.default => {
                    return Err(Exit::failed(format!("--feature-gates: {name} is locked to {} and cannot be changed", gate.default)));
                }
                Stage::Ga | Stage::Locked => notices.push(format!(
                    "--feature-gates: {name} is generally available; setting it will stop working in a later release, leave it out"
                )),
                Stage::Alpha | Stage::Beta => {}
            }
            gates.enabled.insert(gate.name, *on);
            gates.explicit.push(gate.name);
        }
        Ok(gates)
    }

    /// Whether the gate is on. A gate the program does not know is off.
    pub fn enabled(&self, name: &str) -> bool {
        self.enabled.get(name).copied().unwrap_or(false)
    }

    /// Whether the command line named this gate itself.
    pub fn explicit(&self, name: &str) -> bool {
        self.explicit.contains(&name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN: &[Gate] = &[
        Gate { name: "Young", default: false, stage: Stage::Alpha },
        Gate { name: "Grown", default: true, stage: Stage::Beta },
        Gate { name: "Done", default: true, stage: Stage::Ga },
        Gate { name: "Fixed", default: true, stage: Stage::Locked },
    ];

    fn decide(text: &str) -> Result<(FeatureGates, usize), Exit> {
        let mut notices = Vec::new();
        let gates = FeatureGates::decide(KNOWN, &[text.parse().unwrap()], &mut notices)?;
        Ok((gates, notices.len()))
    }

    #[test]
    fn a_gate_follows_the_last_word_about_it_and_its_default_without_one() {
        let (gates, notices) = decide("Young=true,Young=false,Grown=false").unwrap();
        assert_eq!(["Young", "Grown", "Done", "Fixed"].map(|name| gates.enabled(name)), [false, false, true, true]);
        assert_eq!(notices, 0);
        assert!(gates.explicit("Young") && !gates.explicit("Done"));
    }

    #[test]
    fn whole_stages_turn_what_is_not_named() {
        let (gates, _) = decide("AllAlpha=true,AllBeta=false,Grown=true").unwrap();
        assert_eq!(["Young", "Grown"].map(|name| gates.enabled(name)), [true, true]);
    }

    #[test]
    fn a_finished_gate_only_warns_and_a_locked_one_cannot_change() {
        assert_eq!(decide("Done=false").unwrap().1, 1);
        assert_eq!(decide("Fixed=true").unwrap().1, 1);
        assert!(decide("Fixed=false").unwrap_err().to_string().contains("Fixed is locked"));
    }

    #[test]
    fn an_unknown_gate_is_named_and_ends_the_program_with_1() {
        let exit = decide("Nosuch=true").unwrap_err();
        assert_eq!(exit.code(), 1);
        assert!(exit.to_string().contains("\"Nosuch\"") && exit.to_string().contains("Young"));
    }
}
