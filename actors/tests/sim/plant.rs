//! The seventeen bugs of the two models of the journal, and two more, each planted on demand: in the store's wire (`net.rs`), in the
//! driver that stands in the place of the shells (`node.rs`, `slot.rs`, `room.rs`) or in the clients. Product code has none
//! of them.

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Plant {
    // Of taking over and appending.
    /// The store takes an append by its epoch alone, whatever head it expects.
    EpochOnly,
    /// Fencing does not reach the segments after the first. One ledger has one epoch for all its segments, so the wire
    /// plays the bug: once a slot has rolled, appends of a fenced epoch are taken.
    NoFenceOnRoll,
    /// A new owner does not know the requests that its predecessor journaled.
    NoDedup,
    /// An unknown outcome is taken for Applied.
    AckUnknown,
    /// The store writes a block wherever it is told to, over another one too.
    PlainWrite,
    /// After an unknown outcome the batch is made anew, of all that waits, under the same name.
    RebuildBatch,
    /// All owners have one epoch.
    SameEpoch,
    /// A resend is answered by what is admitted.
    AnswerAdmitted,
    // Of what follows the journal.
    /// The slot serves without what lies above the watermark.
    ServeBeforeReplay,
    /// The watermark rises with every append.
    WatermarkEarly,
    /// The journal is trimmed up to its head.
    TrimEarly,
    /// A cmid is looked for in the recent events alone.
    RingOnly,
    /// The last writer of a history row wins.
    NoTimestamps,
    /// A resend says the head that the client knows by now.
    ResendNewAfter,
    /// Erasing a row takes its cmid too.
    ErasureForgets,
    /// A room wakes from history first and looks at the tail then.
    WakeHistoryFirst,
    /// An erasure's stamp is that of the row it erases.
    LowStamp,
    // Not of the models: found by this simulation in the shells.
    /// What a room that failed had sent to its slot is journaled all the same.
    SubmitOfTheDead,
    /// A slot that serves again says nothing of what landed unseen.
    SilentRestart,
    // Of several nodes (`cluster/`).
    /// Once a slot was handed over, the store takes appends of the epoch before.
    EpochUnchecked,
    /// Who gives a room away does not follow it.
    SubscriberLost,
    /// Who follows again is not shown what it missed, and goes on from there.
    NoGapFill,
    /// A follower shows whatever it is shown, and who cannot be shown all stays.
    HoleShown,
    /// Who is cut off gives itself what the others have, and keeps that.
    TwoOwners,
    /// What is forwarded again is another request.
    NewCmid,
    /// Whoever hears `begin` asks for nothing again.
    BeginForgotten,
    /// A slot is told that it is ours before its rooms are said to be behind.
    BehindForGood,
    /// Who does not begin to show a room is not asked again.
    NotAskedAgain,
}
