using System.Collections.Concurrent;
using System.Text.Json;
using HeartGrains.Hearts;
using HeartGrains.Ledger;
using HeartGrains.Moderation;
using HeartGrains.Users;
using Microsoft.Extensions.Logging;
using Orleans.Core.Internal;
using Orleans.Runtime;

namespace HeartGrains.Audit;

/// <summary>Compares targets and the chain with the log, tells what it finds, and makes anew what is only folded from the log.</summary>
internal sealed partial class Verifier(
    IAuditStore store, ISealStore seals, IEventLog log, IUserLog users, KeptHead head, SealHeads others, HeartKeys keys, IGrainFactory grains, TimeProvider time, AuditMetrics metrics, ILogger<Verifier> logger)
{
    private static readonly TimeSpan GrainPatience = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);

    // That a decision is there is looked up once for many targets; that it was taken away is found by the chain.
    private const int ErasureLimit = 1_000;
    private static readonly TimeSpan ErasureMemory = TimeSpan.FromMinutes(1);
    private readonly ConcurrentDictionary<string, long> _erasures = new();
    private readonly RuleProof _rules = new(store, keys);

    /// <summary>The last seal, to be kept elsewhere; one that was seen and is lost, rather than what stands in its place.</summary>
    public async ValueTask<SealHead?> FindHeadAsync(CancellationToken cancellationToken)
    {
        var last = await seals.FindLastSealAsync(cancellationToken);
        return head.Last is { } seen && !(last?.Number > seen.Number) ? seen : last?.Head;
    }

    /// <summary>Compares a target; mends what can be mended if <paramref name="repairer"/> is given.</summary>
    public async Task<VerifiedTarget> VerifyTargetAsync(Guid target, string? targetId, HeartOrigin? repairer, CancellationToken cancellationToken)
    {
        var (fold, findings) = await CompareAsync(target, targetId, cancellationToken);

        // Seen once, it may have been a message that came late; what is wrong stays wrong.
        if (findings.Length > 0) (fold, findings) = await CompareAsync(target, targetId, cancellationToken);
        metrics.TargetCompared();
        foreach (var finding in findings)
        {
            metrics.Found(finding);
            Log.Found(logger, finding.Kind, target, finding.Text);
        }

        if (repairer is null || !findings.Any(static finding => FindingKinds.IsRepairable(finding.Kind))) return new VerifiedTarget(fold.Version, fold.Count, findings, false, findings);
        await RepairAsync(target, fold.TargetId ?? targetId, findings, repairer, cancellationToken);
        var (after, left) = await CompareAsync(target, targetId, cancellationToken);
        return new VerifiedTarget(after.Version, after.Count, findings, true, left);
    }

    /// <summary>Compares the blocks from one on, and returns the last one compared.</summary>
    public async Task<ChainReport> VerifyBlocksAsync(long from, int limit, CancellationToken cancellationToken)
    {
        var found = await seals.ReadSealsAsync(Math.Max(1, from - 1), limit + 1, cancellationToken);
        var previous = from > 1 ? found.FirstOrDefault(seal => seal.Number == from - 1) : null;
        var blocks = found.Where(seal => seal.Number >= from).Take(limit).ToList();
        var findings = new List<Finding>();
        if (blocks.Count == 0) return new ChainReport(from - 1, 0, 0, []);

        using var chain = new EventChain(keys);
        var proof = new EventProof(keys);
        var blocked = new BlockedProof(store, time);
        var (events, expected) = (0L, from);
        foreach (var seal in blocks)
        {
            if (seal.Number != expected || (seal.Number > 1 && previous is null)) Add(seal.Number, FindingKinds.Chain, $"the seal before block {seal.Number} is missing");
            expected = seal.Number + 1;
            events += await CompareAsync(seal, previous, chain, proof, blocked, Add, cancellationToken);
            previous = seal;
        }

        await CheckTombstonesAsync(proof, findings, null, cancellationToken);
        foreach (var (block, text) in await blocked.CheckAsync(from == 1, cancellationToken)) Add(block, FindingKinds.Rule, text);
        metrics.BlocksCompared(blocks.Count);
        foreach (var finding in findings)
        {
            metrics.Found(finding);
            Log.FoundInBlock(logger, finding.Kind, finding.Block, finding.Text);
        }

        return new ChainReport(blocks[^1].Number, blocks.Count, events, [.. findings]);

        void Add(long? block, string kind, string text)
        {
            if (findings.Count < TargetFold.FindingLimit) findings.Add(new Finding(kind, null, block, text));
        }
    }

    /// <summary>Whether the chain still has the seal that was kept elsewhere; null when it has.</summary>
    public Task<Finding?> CheckKeptAsync(SealHead kept, CancellationToken cancellationToken) => CheckAsync(kept, "was kept elsewhere", cancellationToken);

    /// <summary>Whether the chain still has the last seal that this process saw, now or before it started; null when it has, or when none was seen.</summary>
    public async Task<Finding?> CheckSeenAsync(CancellationToken cancellationToken) =>
        head.Last is { } seen ? await CheckAsync(seen, "this silo saw", cancellationToken) : null;

    /// <summary>The same of all silos' heads that can be had; null when the chain has them all.</summary>
    public async Task<Finding?> CheckSeenAnywhereAsync(CancellationToken cancellationToken)
    {
        if (await CheckSeenAsync(cancellationToken) is { } finding) return finding;
        foreach (var seen in (await others.ReadAsync(cancellationToken)).Heads)
            if (await CheckAsync(seen, "another silo saw", cancellationToken) is { } found) return found;
        return null;
    }

    private async Task<Finding?> CheckAsync(SealHead kept, string how, CancellationToken cancellationToken)
    {
        var found = await seals.ReadSealsAsync(kept.Number, 1, cancellationToken);
        var text = found.Count == 0 || found[0].Number != kept.Number ? $"the chain does not reach block {kept.Number}, which {how}"
            : found[0].Hash.AsSpan().SequenceEqual(kept.Hash) ? null
            : $"block {kept.Number} has another hash than {how}";
        if (text is null) return null;
        var finding = new Finding(FindingKinds.Chain, null, kept.Number, text);
        metrics.Found(finding);
        Log.FoundInBlock(logger, finding.Kind, finding.Block, finding.Text);
        return finding;
    }

    private async Task<long> CompareAsync(EventSeal seal, EventSeal? previous, EventChain chain, EventProof proof, BlockedProof blocked, Action<long?, string, string> add, CancellationToken cancellationToken)
    {
        var events = 0L;
        chain.Start(previous?.Hash ?? EventChain.Origin, seal.Number);
        await seals.ScanAsync(
            previous?.Position ?? 0,
            seal.Position,
            (in row) =>
            {
                events++;
                chain.Add(row);
                blocked.Read(row, seal.Number);
                if (proof.Check(row) is { } wrong) add(seal.Number, FindingKinds.Key, $"target {row.Position.Target}: {wrong}");
            },
            cancellationToken);
        var made = chain.Finish(seal.Position, seal.AtMicros);
        if (events != seal.Events) add(seal.Number, FindingKinds.Chain, $"block {seal.Number} has {events} events where {seal.Events} were sealed");
        else if (!made.Hash.AsSpan().SequenceEqual(seal.Hash)) add(seal.Number, FindingKinds.Chain, $"block {seal.Number} is not as it was sealed");
        if (!chain.IsGenuine(seal)) add(seal.Number, FindingKinds.Chain, $"the seal of block {seal.Number} was not made under the ledger's key");
        return events;
    }

    private async Task<(TargetFold Fold, Finding[] Findings)> CompareAsync(Guid target, string? targetId, CancellationToken cancellationToken)
    {
        // The grain first: all it tells is in the log by then, however busy the target is.
        targetId ??= (await store.FindNamesAsync([target], cancellationToken)).GetValueOrDefault(target);
        var grain = targetId is null ? null : await ReadGrainAsync(targetId, cancellationToken);
        var proof = new EventProof(keys);
        var fold = new TargetFold(proof, grain?.Version ?? 0);
        await store.ScanTargetAsync(target, fold, cancellationToken);
        fold.Finish();
        if (grain is { } state) fold.CompareGrain(state.Count);
        var findings = new List<Finding>(fold.Findings.Select(finding => new Finding(finding.Kind, fold.TargetId ?? targetId, null, finding.Text)));

        if (grain is { } before && before.Version < fold.Version && await IsLeftBehindAsync(targetId!, fold.Version, cancellationToken))
        {
            // A lost answer that landed late, or a silo that was cut off: no drift, and mended by reading.
            await ForgetAsync(targetId!);
            Log.LeftBehind(logger, target);
            if (await ReadGrainAsync(targetId!, cancellationToken) is { } again && again.Version < fold.Version)
                findings.Add(new Finding(FindingKinds.Grain, targetId, null, $"the grain is at version {again.Version} where the log is at {fold.Version}"));
        }

        var opening = await store.FindOpeningAsync(target, long.MaxValue, cancellationToken);
        if (opening.Decided is { } decided && decided != opening.Stored)
            findings.Add(new Finding(FindingKinds.Opening, fold.TargetId ?? targetId, null, $"the opening balance is {opening.Stored} where {decided} was decided"));
        if (await _rules.CheckAsync(target, fold.TargetId ?? targetId, cancellationToken) is { } rule) findings.Add(rule);
        await CheckTombstonesAsync(proof, findings, fold.TargetId ?? targetId, cancellationToken);
        return (fold, [.. findings]);
    }

    /// <summary>Of the target itself: a read would tell how the one stands that it was moved to.</summary>
    private async Task<TargetReport?> ReadGrainAsync(string targetId, CancellationToken cancellationToken)
    {
        try
        {
            var state = await grains.GetGrain<ITargetRuleGrain>(IdSpan.Create(targetId)).ExplainAsync(null, cancellationToken).AsTask().WaitAsync(GrainPatience, time, cancellationToken);
            return state.Outcome == HeartOutcome.Committed ? state : null;
        }
        catch (Exception exception) when (exception is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
        {
            // Silos come and go, this one too; what is stored can be compared without it.
            return null;
        }
    }

    /// <summary>Whether the grain stays behind the log, and not only for the moment of a heart that is on its way.</summary>
    private async Task<bool> IsLeftBehindAsync(string targetId, long version, CancellationToken cancellationToken)
    {
        for (var look = 0; look < 10; look++)
        {
            if (await ReadGrainAsync(targetId, cancellationToken) is not { } state || state.Version >= version) return false;
            await Task.Delay(Pause, time, cancellationToken);
        }

        return true;
    }

    /// <summary>Makes the grain read its target again.</summary>
    private ValueTask ForgetAsync(string targetId) => grains.GetGrain<IHeartGrain>(IdSpan.Create(targetId)).AsReference<IGrainManagementExtension>().DeactivateOnIdle();

    /// <summary>A name may be replaced only where somebody was forgotten; and as often as was said then, which is counted once, where the decision stands: names of a hundred thousand targets may have one receipt.</summary>
    private async Task CheckTombstonesAsync(EventProof proof, List<Finding> findings, string? targetId, CancellationToken cancellationToken)
    {
        foreach (var receipt in proof.Tombstones.Keys)
            if (!await IsErasedAsync(receipt, cancellationToken)) Add($"names are replaced by the receipt {receipt}, which no erasure has");
        foreach (var (receipt, said) in proof.Erasures)
        {
            if ((await users.CountAsync(EventProof.TombstonePrefix + receipt, receipt, cancellationToken)).Rows is var rows && rows != said)
                Add($"the receipt {receipt} replaces {rows} names where the erasure says {said}");
        }

        void Add(string text)
        {
            if (findings.Count < TargetFold.FindingLimit) findings.Add(new Finding(FindingKinds.Tombstone, targetId, null, text));
        }
    }

    private async ValueTask<bool> IsErasedAsync(string receipt, CancellationToken cancellationToken)
    {
        if (_erasures.TryGetValue(receipt, out var seenAt) && time.GetElapsedTime(seenAt) < ErasureMemory) return true;
        if (!(await store.FindDecisionsAsync(receipt, cancellationToken)).Any(detail => Erasure.Read(detail)?.Receipt == receipt)) return false;
        if (_erasures.Count >= ErasureLimit) _erasures.Clear();
        _erasures[receipt] = time.GetTimestamp();
        return true;
    }

    /// <summary>Said before it is done: what stops in between leaves a decision of something that is still to be mended, and never something mended that nobody decided.</summary>
    private async Task RepairAsync(Guid target, string? targetId, Finding[] findings, HeartOrigin repairer, CancellationToken cancellationToken)
    {
        var now = time.NowMicros();
        var detail = JsonSerializer.Serialize(
            new RepairDetail("repaired", "verify", targetId, [.. findings.Select(static finding => finding.Kind).Distinct()]), AuditJson.Default.RepairDetail);
        await log.DecideAsync(new Decision(Random.Shared.NextInt64(), now, target, "", default, repairer, keys.OfNetwork(default, now, repairer), detail), cancellationToken);
        await store.RebuildAsync(target, cancellationToken);
        if (targetId is not null) await ForgetAsync(targetId);
        Log.Repaired(logger, target);
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Error, "Drift ({Kind}) of target {Target}: {Text}")]
        public static partial void Found(ILogger logger, string kind, Guid target, string text);

        [LoggerMessage(2, LogLevel.Error, "Drift ({Kind}) in block {Block} of the log: {Text}")]
        public static partial void FoundInBlock(ILogger logger, string kind, long? block, string text);

        [LoggerMessage(4, LogLevel.Information, "The grain of target {Target} was behind its log and was made to read it again")]
        public static partial void LeftBehind(ILogger logger, Guid target);

        [LoggerMessage(3, LogLevel.Warning, "The projections of target {Target} were made anew from the log")]
        public static partial void Repaired(ILogger logger, Guid target);
    }
}

/// <summary>Blocks compared.</summary>
/// <param name="Last">The last of them; the one before the first when there was none.</param>
/// <param name="Blocks">How many.</param>
/// <param name="Events">How many events in them.</param>
/// <param name="Findings">What was found.</param>
internal sealed record ChainReport(long Last, int Blocks, long Events, Finding[] Findings);
