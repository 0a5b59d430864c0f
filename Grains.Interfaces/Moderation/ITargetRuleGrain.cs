using HeartGrains.Hearts;
using HeartGrains.Live;
using Orleans.Concurrency;

namespace HeartGrains.Moderation;

/// <summary>
/// What operators and their jobs ask of a target. The grain is that of <see cref="IHeartGrain"/>, with the same key. Orders run one at a time, so that memory ends as the ledger does.
/// </summary>
[Alias("moderation.ITargetRuleGrain")]
public interface ITargetRuleGrain : IGrainWithStringKey
{
    /// <summary>Freezes the target or lets it go: who is to change a heart is refused then, but for jobs. Idempotent.</summary>
    [Alias("Freeze")]
    ValueTask<RuleReceipt> FreezeAsync(bool isFrozen, string reason, HeartOrigin origin, CancellationToken cancellationToken = default);

    /// <summary>Makes the target another name of <paramref name="to"/>, for good. Idempotent.</summary>
    [Alias("Redirect")]
    ValueTask<RuleReceipt> RedirectAsync(string to, string reason, HeartOrigin origin, CancellationToken cancellationToken = default);

    /// <summary>
    /// Moves the user's heart, if it is here, to where the target was moved: it is given there, then taken back here, and nothing of the user's comes in between. Idempotent.
    /// </summary>
    [AlwaysInterleave, Alias("MoveHeart")]
    ValueTask<HeartReceipt> MoveHeartAsync(string userId, HeartOrigin origin, CancellationToken cancellationToken = default);

    /// <summary>Takes the opening balance of the target <paramref name="from"/>, which was moved here, and adds it to this one's. Idempotent.</summary>
    [Alias("TakeOpening")]
    ValueTask<OpeningReceipt> TakeOpeningAsync(string from, string reason, HeartOrigin origin, CancellationToken cancellationToken = default);

    /// <summary>What is here, nothing forwarded, once all that was on its way to the ledger when this was asked has arrived or failed.</summary>
    [AlwaysInterleave, Alias("Settle")]
    ValueTask<HeartState> SettleAsync(CancellationToken cancellationToken = default);

    /// <summary>
    /// As <see cref="IHeartGrain.ReadAsync"/>, once what had been ordered or was on its way to the ledger when this was asked has arrived or failed: no event of the log that was seen before is newer than the answer.
    /// </summary>
    [Alias("ReadInTurn")]
    ValueTask<HeartState> ReadInTurnAsync(CancellationToken cancellationToken = default);

    /// <summary>
    /// As <see cref="IHeartGrain.WatchAsync"/>, for who watches this target under the other name <paramref name="alias"/>, whose versions are <paramref name="ahead"/> of this one's.
    /// </summary>
    [AlwaysInterleave, Alias("WatchAs")]
    ValueTask<HeartState> WatchAsAsync(string alias, long ahead, ILiveObserver observer, CancellationToken cancellationToken = default);

    /// <summary>Ends that.</summary>
    [AlwaysInterleave, Alias("UnwatchAs")]
    ValueTask UnwatchAsAsync(string alias, ILiveObserver observer, CancellationToken cancellationToken = default);

    /// <summary>How this activation sees the target, what it is told to do, and where it is. Nothing is forwarded.</summary>
    [AlwaysInterleave, Alias("Explain")]
    ValueTask<TargetReport> ExplainAsync(string? userId, CancellationToken cancellationToken = default);
}
