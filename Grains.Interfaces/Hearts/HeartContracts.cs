namespace HeartGrains.Hearts;

/// <summary>What became of a call that wanted to change a heart. Refusals are values: nothing was committed.</summary>
public enum HeartOutcome : byte
{
    /// <summary>The state is committed and is what the caller asked for, by this call or an earlier one.</summary>
    Committed = 0,

    /// <summary>Definitely not committed: the queue to the ledger is full.</summary>
    QueueFull = 1,

    /// <summary>Definitely not committed: the ledger cannot be reached or refuses writes.</summary>
    LedgerUnavailable = 2,

    /// <summary>Definitely not committed: another activation of the target wrote first; call again at once.</summary>
    Conflict = 3,

    /// <summary>The ledger's answer was lost: it may have been committed. The same call again is safe.</summary>
    Unknown = 4,

    /// <summary>Definitely not committed: operators froze the target.</summary>
    Frozen = 5,

    /// <summary>Definitely not committed: operators let the user give no hearts for a time.</summary>
    Blocked = 6,

    /// <summary>Definitely not committed: the target is another's old name, which has no opening balance of its own.</summary>
    Moved = 7,
}

/// <summary>The answer to giving or withdrawing a heart.</summary>
/// <param name="Outcome">Whether it was committed; the other fields are meaningful only when it was.</param>
/// <param name="Changed">This call changed the state: the heart is new, or it was there and is gone.</param>
/// <param name="Id">The heart's id, the same for every call of this user on this target.</param>
/// <param name="Count">How many users love the target.</param>
/// <param name="Version">The target's version: the number of events in its log.</param>
/// <param name="GivenAtMicros">When the heart was given, in microseconds since 1970-01-01 UTC; 0 when there is none. To a user who is <see cref="HeartOutcome.Blocked"/>: until when.</param>
/// <param name="LedgerMillis">How much of the time the heart waited for its commit, in milliseconds.</param>
[GenerateSerializer, Immutable, Alias("hearts.HeartReceipt")]
public readonly record struct HeartReceipt(
    [property: Id(0)] HeartOutcome Outcome,
    [property: Id(1)] bool Changed,
    [property: Id(2)] HeartId Id,
    [property: Id(3)] long Count,
    [property: Id(4)] long Version,
    [property: Id(5)] long GivenAtMicros,
    [property: Id(6)] int LedgerMillis = 0);

/// <summary>What a reader sees of a target.</summary>
/// <param name="Outcome"><see cref="HeartOutcome.Committed"/>, or why the target could not be read.</param>
/// <param name="Count">How many users love the target; 0 when it was never seen.</param>
/// <param name="Version">The number of events in the target's log; 0 when it was never seen.</param>
/// <param name="Hearted">Whether the user asked about loves it; null when none was asked about.</param>
/// <param name="Opening">What was counted elsewhere before the target came here; never part of <paramref name="Count"/>.</param>
[GenerateSerializer, Immutable, Alias("hearts.HeartState")]
public readonly record struct HeartState(
    [property: Id(0)] HeartOutcome Outcome,
    [property: Id(1)] long Count,
    [property: Id(2)] long Version,
    [property: Id(3)] bool? Hearted,
    [property: Id(4)] long Opening = 0);

/// <summary>The answer to setting a target's opening balance.</summary>
/// <param name="Outcome"><see cref="HeartOutcome.Committed"/>, or <see cref="HeartOutcome.Unknown"/>: perhaps set; the same call again is safe.</param>
/// <param name="Changed">It was another before.</param>
[GenerateSerializer, Immutable, Alias("hearts.OpeningReceipt")]
public readonly record struct OpeningReceipt([property: Id(0)] HeartOutcome Outcome, [property: Id(1)] bool Changed);
