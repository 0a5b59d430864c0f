using System.Globalization;
using System.Text.Json;
using HeartGrains.Hearts;
using HeartGrains.Jobs;

namespace HeartGrains.Audit;

/// <summary>Compares everything, a second a page: first the blocks of the chain, then the targets in the order of their keys.</summary>
internal sealed class VerifyWork(Verifier verifier, IAuditStore store, TimeProvider time) : IJobWork
{
    private const int BlocksAtOnce = 10;
    private const int TargetsAtOnce = 20;
    private static readonly TimeSpan PageTime = TimeSpan.FromSeconds(1);

    /// <inheritdoc/>
    public string Kind => VerifyJob.Kind;

    /// <inheritdoc/>
    public async ValueTask<JobPage> RunPageAsync(Job job, CancellationToken cancellationToken)
    {
        var asked = JsonSerializer.Deserialize(job.Arguments!, AuditJson.Default.VerifyArguments)!;
        var done = job.Checkpoint is null ? new VerifyProgress() : JsonSerializer.Deserialize(job.Progress, AuditJson.Default.VerifyProgress)!;

        // Off the grain's turns: a store in this process does not wait while it reads.
        var next = await Task.Run(
            () => RunAsync(asked, done, Place.Parse(job.Checkpoint), asked.Repair ? job.Origin(HeartCause.User) : null, cancellationToken), cancellationToken);
        done.Agrees = done.Findings.Count == 0;
        if (await verifier.FindHeadAsync(cancellationToken) is { } head) done.Head = new VerifyHead(head.Number, Convert.ToHexStringLower(head.Hash));
        var progress = JsonSerializer.Serialize(done, AuditJson.Default.VerifyProgress);
        return next is { } place ? JobPage.Next(place.ToString(), progress) : JobPage.Done(progress);
    }

    private async Task<Place?> RunAsync(VerifyArguments asked, VerifyProgress done, Place? from, HeartOrigin? repairer, CancellationToken cancellationToken)
    {
        var started = time.GetTimestamp();
        var place = from ?? new Place(0, Guid.Empty);
        if (from is null && await verifier.CheckSeenAnywhereAsync(cancellationToken) is { } lost) done.Add([lost]);
        if (from is null && asked.SinceSeal is { } kept)
        {
            if (await verifier.CheckKeptAsync(new SealHead(kept.Number, Convert.FromHexString(kept.Hash)), cancellationToken) is { } finding) done.Add([finding]);
            else place = place with { Block = kept.Number };
        }

        while (place.Block is { } block)
        {
            var report = await verifier.VerifyBlocksAsync(block + 1, BlocksAtOnce, cancellationToken);
            done.Blocks += report.Blocks;
            done.Events += report.Events;
            done.Add(report.Findings);
            place = place with { Block = report.Blocks < BlocksAtOnce ? null : report.Last };
            if (time.GetElapsedTime(started) >= PageTime) return place;
        }

        while (true)
        {
            var targets = await store.ListTargetsAsync(place.Target, TargetsAtOnce, cancellationToken);
            foreach (var target in targets)
            {
                var report = await verifier.VerifyTargetAsync(target, null, repairer, cancellationToken);
                done.Targets++;
                if (report.IsRepaired) done.Repaired++;
                done.Add(report.Findings);
                place = place with { Target = target };

                // Looked at behind the work: each page goes at least one step on, however long it takes to begin.
                if (time.GetElapsedTime(started) >= PageTime) return place;
            }

            if (targets.Count < TargetsAtOnce) return null;
        }
    }

    /// <summary>Where a page ends.</summary>
    /// <param name="Block">The last block compared; null when the chain is done.</param>
    /// <param name="Target">The last target compared.</param>
    private readonly record struct Place(long? Block, Guid Target)
    {
        public static Place? Parse(string? checkpoint) => checkpoint is null ? null
            : checkpoint.StartsWith("block ", StringComparison.Ordinal) ? new Place(long.Parse(checkpoint.AsSpan(6), NumberStyles.None, CultureInfo.InvariantCulture), Guid.Empty)
            : new Place(null, Guid.Parse(checkpoint.AsSpan(7)));

        public override string ToString() => Block is { } block ? $"block {block}" : $"target {Target}";
    }
}
