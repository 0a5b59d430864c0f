using HeartGrains.Live;
using Orleans.Concurrency;

namespace HeartGrains.Hearts;

/// <summary>
/// One target and everyone who loves it. The grain key is the target id as given (1–256 UTF-8 bytes).
/// Calls of different users interleave; calls of one user are answered in order.
/// </summary>
[Alias("hearts.IHeartGrain")]
public interface IHeartGrain : IGrainWithStringKey
{
    /// <summary>Gives the user's heart. Idempotent: a repeat returns what the first call returned. <paramref name="origin"/> is <see cref="HeartOrigin.Claimed"/> when null.</summary>
    [AlwaysInterleave, Alias("Give")]
    ValueTask<HeartReceipt> GiveAsync(string userId, HeartOrigin? origin = null, CancellationToken cancellationToken = default);

    /// <summary>Takes the user's heart back. Idempotent. <paramref name="origin"/> as above.</summary>
    [AlwaysInterleave, Alias("Withdraw")]
    ValueTask<HeartReceipt> WithdrawAsync(string userId, HeartOrigin? origin = null, CancellationToken cancellationToken = default);

    /// <summary>
    /// Makes one user's heart another's, both in one commit, so that the count never shows two; a target that both love counts once. Idempotent. <see cref="HeartReceipt.Changed"/> says whether <paramref name="fromUserId"/>
    /// loved the target until now; the receipt is of <paramref name="toUserId"/>, and its time is 0 where nothing changed. Refused as <see cref="HeartOutcome.Frozen"/> where the target is frozen and the count would change.
    /// </summary>
    [AlwaysInterleave, Alias("Merge")]
    ValueTask<HeartReceipt> MergeAsync(string fromUserId, string toUserId, HeartOrigin origin, CancellationToken cancellationToken = default);

    /// <summary>Count and version, and whether <paramref name="userId"/> loves the target when it is not null.</summary>
    [AlwaysInterleave, Alias("Read")]
    ValueTask<HeartState> ReadAsync(string? userId, CancellationToken cancellationToken = default);

    /// <summary>
    /// Tells <paramref name="observer"/> of every change for a minute from now, and answers as <see cref="ReadAsync"/> does: what changed before is in the answer, what changes
    /// after it is told. It watches even when the state could not be read.
    /// </summary>
    [AlwaysInterleave, Alias("Watch")]
    ValueTask<HeartState> WatchAsync(ILiveObserver observer, CancellationToken cancellationToken = default);

    /// <summary>Ends that, so that a target without a heart does not stay in memory for it.</summary>
    [AlwaysInterleave, Alias("Unwatch")]
    ValueTask UnwatchAsync(ILiveObserver observer, CancellationToken cancellationToken = default);

    /// <summary>
    /// Sets what was counted elsewhere before the target came here. Idempotent: it replaces what was set before, and touches neither hearts nor version. One that changes is an event.
    /// One at a time, so that memory ends as the ledger does.
    /// </summary>
    [Alias("SetOpening")]
    ValueTask<OpeningReceipt> SetOpeningAsync(long opening, string reason, HeartOrigin origin, CancellationToken cancellationToken = default);
}
