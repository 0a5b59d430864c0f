using HeartGrains.Hearts;
using HeartGrains.Ledger;
using HeartGrains.Moderation;

namespace HeartGrains.Audit;

/// <summary>Holds the list of blocked users against what operators decided about them: each user's where their last decision stands.</summary>
internal sealed class BlockedProof(IAuditStore store, TimeProvider time)
{
    private readonly Dictionary<HeartId, (long Version, long Block)> _decided = [];

    /// <summary>Looks at an event of a block of the log.</summary>
    public void Read(in RawEvent row, long block)
    {
        // Most decisions are others'.
        if (row is not { Kind: HeartEventKind.Decided, Detail: { } detail } || !detail.Contains("blocked\"", StringComparison.Ordinal)) return;
        if (ModerationDetail.ActionOf(detail) is "blocked" or "unblocked") _decided[row.Heart] = (row.Position.Version, block);
    }

    /// <summary>What is wrong with the users who were met; and, if asked, with those who are blocked and nobody blocked.</summary>
    public async Task<IReadOnlyList<(long? Block, string Text)>> CheckAsync(bool isForStrays, CancellationToken cancellationToken)
    {
        var now = time.NowMicros();
        var found = new List<(long?, string)>();
        foreach (var (user, (version, block)) in _decided)
        {
            var (until, last) = await store.FindBlockOrdersAsync(user, cancellationToken);
            if (last?.Version == version && Lasting(until) != Lasting(ModerationDetail.UntilOf(last.Detail))) found.Add((block, $"the user of decision {version} is blocked for another time than was decided, or is not"));
        }

        if (isForStrays && await store.CountStrayBlocksAsync(now, cancellationToken) is > 0 and var strays) found.Add((null, $"{strays} users are blocked by no decision about them"));
        return found;

        // What is over is forgotten some day.
        long Lasting(long untilMicros) => untilMicros > now ? untilMicros : 0;
    }
}
