//! Rules that the simulator breaks, one at a time, to show that its laws would notice.
//!
//! Without the feature `mutants` every rule holds and costs nothing. With it, `without` makes this thread break one.

/// What keeps volumes safe. Each is asked in one place, by the code that obeys it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rule {
    /// CreateVolume is written down before it is sent.
    IntentBeforeCreate,
    /// What was written down is settled when a process begins to lead.
    IntentsAreSettled,
    /// An intent stays until the API holds the volume, or the driver has refused it.
    IntentUntilSaved,
    /// A call that may still run is repeated as it was.
    RepeatWhatMayRun,
    /// A claim's volume has one name, whatever the attempt.
    OneNamePerClaim,
    /// Without the lease nobody acts.
    OnlyLeadersAct,
    /// A volume that is attached is not deleted.
    DeleteAfterDetach,
    /// A PersistentVolume stays until its volume is deleted.
    VolumeBeforeRecord,
    /// A PersistentVolume that is attached is held.
    AttachedIsHeld,
    /// An attachment stays until the driver has detached.
    DetachBeforeForget,
    /// A volume that a node uses is not detached.
    DetachWhenUnused,
    /// A claim that a pod uses is protected.
    ClaimInUseStays,
    /// A volume is mounted once it is attached.
    MountAfterAttach,
    /// Staging is written down before it is asked for.
    JournalBeforeStage,
    /// Publishing is written down before it is asked for.
    JournalBeforePublish,
    /// A record stays until the volume is unstaged.
    JournalUntilUnstaged,
    /// Pods' volumes are unpublished before the volume is unstaged.
    UnpublishBeforeUnstage,
    /// A volume is reported in use before it is mounted.
    InUseBeforeMount,
    /// A write holds only for the object that was seen.
    WritesAreGuarded,
    /// That a volume is to be deleted is looked up before it is.
    LookBeforeDelete,
    /// A volume is reported in use until it is unstaged.
    InUseUntilUnstaged,
    /// What was mounted when a process ended is not taken for mounted by the next.
    DoubtAfterRestart,
}

impl Rule {
    /// All of them.
    pub const ALL: [Rule; 22] = [
        Rule::IntentBeforeCreate,
        Rule::IntentsAreSettled,
        Rule::IntentUntilSaved,
        Rule::RepeatWhatMayRun,
        Rule::OneNamePerClaim,
        Rule::OnlyLeadersAct,
        Rule::DeleteAfterDetach,
        Rule::VolumeBeforeRecord,
        Rule::AttachedIsHeld,
        Rule::DetachBeforeForget,
        Rule::DetachWhenUnused,
        Rule::ClaimInUseStays,
        Rule::MountAfterAttach,
        Rule::JournalBeforeStage,
        Rule::JournalBeforePublish,
        Rule::JournalUntilUnstaged,
        Rule::UnpublishBeforeUnstage,
        Rule::InUseBeforeMount,
        Rule::WritesAreGuarded,
        Rule::LookBeforeDelete,
        Rule::InUseUntilUnstaged,
        Rule::DoubtAfterRestart,
    ];
}

/// Whether this rule holds.
#[cfg(not(feature = "mutants"))]
#[inline(always)]
pub const fn on(_: Rule) -> bool {
    true
}

/// Whether this rule holds, on this thread.
#[cfg(feature = "mutants")]
pub fn on(rule: Rule) -> bool {
    BROKEN.with(std::cell::Cell::get) != Some(rule)
}

/// Does something while this thread breaks a rule.
#[cfg(feature = "mutants")]
pub fn without<T>(rule: Rule, work: impl FnOnce() -> T) -> T {
    let before = BROKEN.with(|broken| broken.replace(Some(rule)));
    let result = work();
    BROKEN.with(|broken| broken.set(before));
    result
}

#[cfg(feature = "mutants")]
thread_local! {
    static BROKEN: std::cell::Cell<Option<Rule>> = const { std::cell::Cell::new(None) };
}
