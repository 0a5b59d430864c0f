using HeartGrains.Audit;
using HeartGrains.Ledger;

namespace HeartGrains.Webhooks;

/// <summary>
/// How far each endpoint has been told, and which targets' states it is yet to be told. Safe for concurrent use. Every method throws <see cref="LedgerException"/> when the store cannot answer.
/// </summary>
public interface IWebhookStore
{
    /// <summary>The place in the log up to which changes were taken over; null for an endpoint that is new.</summary>
    ValueTask<EventPosition?> FindPlaceAsync(string endpoint, CancellationToken cancellationToken);

    /// <summary>
    /// Moves the place and takes the targets over that changed up to there, in one transaction. A target that waits already goes on waiting as it does; a dead one lives again.
    /// </summary>
    ValueTask AdvanceAsync(string endpoint, EventPosition place, IReadOnlyList<ChangedTarget> changed, CancellationToken cancellationToken);

    /// <summary>Targets whose time has come, earliest first.</summary>
    ValueTask<IReadOnlyList<WaitingTarget>> ListDueAsync(string endpoint, long nowMicros, int limit, CancellationToken cancellationToken);

    /// <summary>Delivered: forgets the target, unless it changed since <paramref name="waiting"/> was read; then it is due at <paramref name="nextMicros"/>.</summary>
    ValueTask DeliveredAsync(string endpoint, WaitingTarget waiting, long nextMicros, CancellationToken cancellationToken);

    /// <summary>Failed: due again at <paramref name="nextMicros"/>, or dead when that is null.</summary>
    ValueTask FailedAsync(string endpoint, WaitingTarget waiting, long sinceMicros, long? nextMicros, string error, CancellationToken cancellationToken);

    /// <summary>Counts targets.</summary>
    ValueTask<(long Pending, long Failing, long Dead)> CountAsync(string endpoint, CancellationToken cancellationToken);

    /// <summary>Dead targets, by name, behind <paramref name="after"/>.</summary>
    ValueTask<IReadOnlyList<DeadLetter>> ListDeadAsync(string endpoint, string after, int limit, CancellationToken cancellationToken);

    /// <summary>Lets dead targets live again: one, or all. Returns how many.</summary>
    ValueTask<int> ResendAsync(string endpoint, string? targetId, long dueMicros, CancellationToken cancellationToken);
}

/// <summary>A target that changed, and when it is due to be told.</summary>
public readonly record struct ChangedTarget(Guid Target, string TargetId, long DueMicros);

/// <summary>A target whose state is yet to be told.</summary>
/// <param name="Target">Its key.</param>
/// <param name="TargetId">Its name.</param>
/// <param name="Change">Grows with each change that was taken over.</param>
/// <param name="Attempts">Attempts that failed.</param>
/// <param name="SinceMicros">When the first of them did; 0 when none.</param>
public sealed record WaitingTarget(Guid Target, string TargetId, long Change, int Attempts, long SinceMicros);
