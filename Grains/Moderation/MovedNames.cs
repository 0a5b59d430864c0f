using HeartGrains.Hearts;
using HeartGrains.Ledger;

namespace HeartGrains.Moderation;

/// <summary>Follows an old name to where its hearts are. Nobody can order a chain that is longer than <see cref="ModerationLimits.Chain"/> or leads round; a hand in the table can.</summary>
internal static class MovedNames
{
    /// <summary>The names that a target was moved to, one after the other; none when it is itself. Throws <see cref="LedgerException"/> when they lead nowhere.</summary>
    public static async ValueTask<IReadOnlyList<string>> FollowAsync(this IModerationStore store, HeartKeys keys, Guid target, CancellationToken cancellationToken) =>
        await store.FollowAsync(keys, await store.FindRuleAsync(target, cancellationToken), cancellationToken) ?? throw new LedgerException($"the rule of target {target} leads round or too far");

    /// <summary>The same by the rule that a target has; null when they lead nowhere.</summary>
    public static async ValueTask<IReadOnlyList<string>?> FollowAsync(this IModerationStore store, HeartKeys keys, TargetRule? rule, CancellationToken cancellationToken)
    {
        var names = new List<string>();
        for (; rule?.MovedTo is { } to; rule = await store.FindRuleAsync(keys.OfTarget(to), cancellationToken))
        {
            if (names.Count == ModerationLimits.Chain) return null;
            names.Add(to);
        }

        return names;
    }
}
