using HeartGrains.Hearts;

namespace HeartGrains.Moderation;

/// <summary>What operators ask that is not one target's matter. A stateless worker: any silo answers, and follows at once what it was told. Its key is 0.</summary>
[Alias("moderation.IModerationGrain")]
public interface IModerationGrain : IGrainWithIntegerKey
{
    /// <summary>Blocks a user until <paramref name="untilMicros"/>, instead of any other time, or ends that with 0. Idempotent.</summary>
    [Alias("Block")]
    ValueTask<BlockReceipt> BlockAsync(string userId, long untilMicros, string reason, HeartOrigin origin, CancellationToken cancellationToken = default);

    /// <summary>Users who are blocked, from behind revision <paramref name="after"/>.</summary>
    [Alias("Blocks")]
    ValueTask<BlockedUsers> BlocksAsync(long after, int limit, CancellationToken cancellationToken = default);

    /// <summary>How a quarantine stands.</summary>
    [Alias("Quarantine")]
    ValueTask<QuarantineReply> QuarantineAsync(string id, CancellationToken cancellationToken = default);

    /// <summary>Writes into the log what an operator ordered elsewhere. The same note again is written once.</summary>
    [Alias("Note")]
    ValueTask<HeartOutcome> NoteAsync(DeskNote note, HeartOrigin origin, CancellationToken cancellationToken = default);

    /// <summary>What the ledger tells of a user's heart for a target.</summary>
    [Alias("Pair")]
    ValueTask<PairReport> PairAsync(string targetId, string userId, CancellationToken cancellationToken = default);
}
