using HeartGrains.Audit;
using HeartGrains.Hearts;
using HeartGrains.Ledger;
using HeartGrains.Ledger.Memory;

namespace HeartGrains.Tests.Ledger;

/// <summary>
/// A ledger that misbehaves by a seeded dice, the way databases do: it loses answers before and after the commit, refuses, and lets a rival
/// write first. What it says was committed is; what it says was refused is not.
/// </summary>
internal sealed class FaultyLedger(MemoryLedger inner, int seed, double faults) : IHeartLedger
{
    private readonly Random _dice = new(seed);

    /// <summary>Everything that was ever committed, in order.</summary>
    public List<HeartEvent> Log { get; } = [];

    public Task InitializeAsync(string keyFingerprint, CancellationToken cancellationToken) => Task.CompletedTask;

    public async ValueTask<AppendOutcome> AppendAsync(ReadOnlyMemory<HeartEvent> batch)
    {
        await Task.Yield();
        if (Chance()) return AppendOutcome.Refused;
        if (Chance()) return AppendOutcome.Unknown;
        if (Chance()) await RivalAsync(batch.Span[_dice.Next(batch.Length)]);
        var outcome = await CommitAsync(batch);
        return Chance() ? AppendOutcome.Unknown : outcome;
    }

    public async ValueTask<IReadOnlyList<WrittenVersion>> FindVersionsAsync(ReadOnlyMemory<HeartEvent> batch, CancellationToken cancellationToken)
    {
        if (Chance()) throw new LedgerException("lost");
        return await inner.FindVersionsAsync(batch, cancellationToken);
    }

    public ValueTask<TargetSnapshot> LoadAsync(Guid target, int recentLimit, CancellationToken cancellationToken) =>
        inner.LoadAsync(target, recentLimit, cancellationToken);

    public ValueTask<CurrentHeart?> FindHeartAsync(Guid target, HeartId heart, CancellationToken cancellationToken) =>
        inner.FindHeartAsync(target, heart, cancellationToken);

    public ValueTask<bool> SetOpeningAsync(Guid target, string targetId, long opening, OpeningDecision decide, CancellationToken cancellationToken) =>
        inner.SetOpeningAsync(target, targetId, opening, decide, cancellationToken);

    public ValueTask<HeartUserPage> ListUsersAsync(Guid target, long before, int limit, CancellationToken cancellationToken) =>
        inner.ListUsersAsync(target, before, limit, cancellationToken);

    public ValueTask<TopTarget[]> ListTopAsync(int limit, CancellationToken cancellationToken) => inner.ListTopAsync(limit, cancellationToken);

    public ValueTask<int> FoldAsync(int limit, CancellationToken cancellationToken) => inner.FoldAsync(limit, cancellationToken);

    public ValueTask CheckAsync(CancellationToken cancellationToken) => inner.CheckAsync(cancellationToken);

    /// <summary>Another activation writes one version of the target, of a user of its own.</summary>
    private async ValueTask RivalAsync(HeartEvent theirs)
    {
        var rival = theirs with { Writer = -1, UserId = $"rival{Log.Count}", Heart = new HeartId((ulong)Log.Count, ulong.MaxValue) };
        await CommitAsync(new[] { rival });
    }

    private async ValueTask<AppendOutcome> CommitAsync(ReadOnlyMemory<HeartEvent> batch)
    {
        var outcome = await inner.AppendAsync(batch);
        if (outcome == AppendOutcome.Committed) Log.AddRange(batch.Span);
        return outcome;
    }

    private bool Chance() => _dice.NextDouble() < faults;
}
