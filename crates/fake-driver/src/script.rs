//! The script of faults: which call, the how-manieth of them, goes wrong in which way. Counting is all the state there is;
//! nothing is drawn at random, so a run can be repeated and a failing script made shorter.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

mod span;
#[cfg(test)]
mod tests;

pub use span::Span;

use crate::{
    code::{Code, Refusal},
    rpc::{Request, Rpc},
};

/// An ordered list of rules. Every rule counts every call that it matches; the first whose turn it is decides.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Script {
    /// The rules, first match first.
    #[serde(default)]
    pub rules: Vec<Rule>,
}

/// What happens to some of the calls of one kind.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// The call, such as `CreateVolume`.
    pub rpc: Rpc,
    /// Only calls that carry a name or id with this text in it.
    #[serde(default, rename = "match", skip_serializing_if = "Option::is_none")]
    pub matching: Option<String>,
    /// Only the call with this number among the matching ones, from 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nth: Option<u64>,
    /// Only the first so many of the matching ones. Neither `nth` nor `times`: all of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub times: Option<u64>,
    /// Refuse, with this code and message. Absent: answer as usual, after the delays below.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<Fault>,
    /// Whether fault, hang or die come before the effect (nothing happened) or after it (it happened, the caller cannot know).
    #[serde(default)]
    pub when: When,
    /// Wait before the effect.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delay: Option<Span>,
    /// Wait after the effect, before the answer: the effect is there although the caller may have given up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub late: Option<Span>,
    /// Never answer.
    #[serde(default)]
    pub hang: bool,
    /// Close the caller's connection instead of answering.
    #[serde(default)]
    pub die: bool,
    /// Let the call take effect twice, as if a network had repeated it; the second answer is the one sent.
    #[serde(default)]
    pub duplicate: bool,
    /// Answer CreateVolume, once it took effect, with this size instead of the true one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer_capacity: Option<i64>,
}

/// A code and a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// The gRPC code.
    pub code: Code,
    /// The message; a general one if empty.
    #[serde(default)]
    pub message: String,
}

/// Before or after the effect.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum When {
    /// Nothing has happened yet.
    #[default]
    Before,
    /// It has happened.
    After,
}

/// Why a script was not accepted.
#[derive(Debug, thiserror::Error)]
pub enum ScriptError {
    /// Not YAML or JSON of the right shape.
    #[error("the fault script does not parse; --print-script-schema shows what it may hold")]
    Parse(#[source] serde_yaml::Error),
    /// A rule that contradicts itself.
    #[error("rule {index} ({rpc}): {what}")]
    Rule {
        /// Its place in the list, from 0.
        index: usize,
        /// Its call.
        rpc: &'static str,
        /// The contradiction.
        what: &'static str,
    },
}

// === impl Script ===

impl Script {
    /// Reads YAML or JSON. An empty text is an empty script.
    ///
    /// # Errors
    /// The text does not parse, or a rule contradicts itself.
    pub fn parse(text: &str) -> Result<Self, ScriptError> {
        let script: Option<Self> = serde_yaml::from_str(text).map_err(ScriptError::Parse)?;
        let script = script.unwrap_or_default();
        for (index, rule) in script.rules.iter().enumerate() {
            if let Some(what) = rule.contradiction() {
                return Err(ScriptError::Rule { index, rpc: rule.rpc.name(), what });
            }
        }
        Ok(script)
    }

    /// The JSON schema of a script.
    #[must_use]
    pub fn schema() -> serde_json::Value {
        schemars::schema_for!(Self).to_value()
    }
}

impl From<Vec<Rule>> for Script {
    fn from(rules: Vec<Rule>) -> Self {
        Self { rules }
    }
}

// === impl Rule ===

impl Rule {
    /// Every call of this kind, and nothing happens to it yet.
    #[must_use]
    pub fn on(rpc: Rpc) -> Self {
        Self {
            rpc,
            matching: None,
            nth: None,
            times: None,
            fault: None,
            when: When::Before,
            delay: None,
            late: None,
            hang: false,
            die: false,
            duplicate: false,
            answer_capacity: None,
        }
    }

    /// Only calls that carry a name or id with this text in it.
    #[must_use]
    pub fn matching(self, text: impl Into<String>) -> Self {
        Self { matching: Some(text.into()), ..self }
    }

    /// Only the call with this number, from 0.
    #[must_use]
    pub fn nth(self, nth: u64) -> Self {
        Self { nth: Some(nth), ..self }
    }

    /// Only the first so many.
    #[must_use]
    pub fn times(self, times: u64) -> Self {
        Self { times: Some(times), ..self }
    }

    /// Refuse.
    #[must_use]
    pub fn fail(self, code: Code, message: impl Into<String>) -> Self {
        Self { fault: Some(Fault { code, message: message.into() }), ..self }
    }

    /// Go wrong after the effect rather than before.
    #[must_use]
    pub fn after(self) -> Self {
        Self { when: When::After, ..self }
    }

    /// Wait before the effect.
    #[must_use]
    pub fn delay(self, delay: Duration) -> Self {
        Self { delay: Some(Span(delay)), ..self }
    }

    /// Wait after the effect.
    #[must_use]
    pub fn late(self, late: Duration) -> Self {
        Self { late: Some(Span(late)), ..self }
    }

    /// Never answer.
    #[must_use]
    pub fn hang(self) -> Self {
        Self { hang: true, ..self }
    }

    /// Close the connection.
    #[must_use]
    pub fn die(self) -> Self {
        Self { die: true, ..self }
    }

    /// Take effect twice.
    #[must_use]
    pub fn duplicate(self) -> Self {
        Self { duplicate: true, ..self }
    }

    /// Answer CreateVolume with this size.
    #[must_use]
    pub fn answer_capacity(self, bytes: i64) -> Self {
        Self { answer_capacity: Some(bytes), ..self }
    }

    /// The refusal of this rule, if it has one.
    #[must_use]
    pub fn refusal(&self) -> Option<Refusal> {
        let fault = self.fault.as_ref()?;
        let message = if fault.message.is_empty() { "the fault script said so" } else { &fault.message };
        Some(Refusal::new(fault.code, message))
    }

    fn contradiction(&self) -> Option<&'static str> {
        let ends = [self.fault.is_some(), self.hang, self.die].into_iter().filter(|e| *e).count();
        let effectless = ends > 0 && self.when == When::Before;
        match () {
            () if ends > 1 => Some("only one of fault, hang and die can happen to a call"),
            () if self.nth.is_some() && self.times.is_some() => Some("nth and times exclude each other"),
            () if effectless && self.late.is_some() => Some("late waits after the effect: add `when: after`, or use delay"),
            () if effectless && self.duplicate => Some("duplicate needs an effect: add `when: after`"),
            () if self.answer_capacity.is_some() && self.rpc != Rpc::CreateVolume => Some("answer_capacity is for CreateVolume"),
            () if self.answer_capacity.is_some() && ends > 0 => Some("answer_capacity needs an answer"),
            () => None,
        }
    }

    fn matches(&self, request: &Request) -> bool {
        self.rpc == request.rpc()
            && self.matching.as_ref().is_none_or(|text| request.subjects().iter().any(|s| s.contains(text.as_str())))
    }

    fn covers(&self, seen: u64) -> bool {
        self.nth.is_none_or(|n| n == seen) && self.times.is_none_or(|n| seen < n)
    }
}

// === impl Judge ===

/// A script under way.
#[derive(Debug, Clone, Default)]
pub struct Judge {
    script: Script,
    seen: Vec<u64>,
}

impl Judge {
    /// From the start.
    #[must_use]
    pub fn new(script: Script) -> Self {
        let seen = vec![0; script.rules.len()];
        Self { script, seen }
    }

    /// The rule for this call, which is counted.
    pub fn judge(&mut self, request: &Request) -> Option<Rule> {
        let mut verdict = None;
        for (rule, seen) in self.script.rules.iter().zip(&mut self.seen) {
            if !rule.matches(request) {
                continue;
            }
            if verdict.is_none() && rule.covers(*seen) {
                verdict = Some(rule.clone());
            }
            *seen += 1;
        }
        verdict
    }
}
