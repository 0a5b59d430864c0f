using System.Text.Json;
using HeartGrains.Audit;
using HeartGrains.Hearts;
using HeartGrains.Jobs;
using HeartGrains.Ledger;

namespace HeartGrains.Moderation;

/// <summary>Gives a quarantine's hearts back: those whose users have not decided anew meanwhile and are not forgotten.</summary>
internal sealed class ReleaseWork(IModerationStore store, Moderator moderator, JobHearts hearts) : IJobWork
{
    /// <summary>The kind; the subject is the quarantine.</summary>
    public const string Name = ModerationJobs.Release;

    private const int PageLimit = 200;

    /// <inheritdoc/>
    public string Kind => Name;

    /// <inheritdoc/>
    public async ValueTask<JobPage> RunPageAsync(Job job, CancellationToken cancellationToken)
    {
        var order = JsonSerializer.Deserialize(job.Arguments!, ModerationWorkJson.Default.QuarantineEndOrder)!;
        if (job.Checkpoint is null)
            return await QuarantineEnds.BeginAsync(store, moderator, job, order, QuarantineState.Releasing, QuarantineState.Released, "released", cancellationToken);

        var page = await store.ReadHeldAsync(order.Id, PageLimit, cancellationToken);
        if (page.Count == 0)
        {
            await store.AdvanceQuarantineAsync(order.Id, QuarantineState.Releasing, QuarantineState.Released, null, cancellationToken);
            return JobPage.Done(await QuarantineEnds.TellAsync(store, order, cancellationToken));
        }

        // Given by the page before a crash: released, too.
        HeldState[] ours = [.. page.Where(state => !IsForgotten(state) && (state is { LastKind: HeartEventKind.Withdrawn } ? state.LastJob == order.Id : state.LastJob == job.Id))];
        await hearts.ForEachAsync(
            ours, (state, token) => hearts.GiveAsync(state.TargetId, state.UserId, job.Origin(HeartCause.Released), token), cancellationToken);
        await store.ForgetHeldAsync(order.Id, [.. page.Select(static state => state.Held)], ours.Length, page.Count - ours.Length, cancellationToken);
        return JobPage.Next("on", await QuarantineEnds.TellAsync(store, order, cancellationToken));
    }

    private static bool IsForgotten(in HeldState state) => state.UserId.StartsWith(EventProof.TombstonePrefix, StringComparison.Ordinal);
}

/// <summary>Makes a quarantine final: what it held is forgotten, and stays out of the counts.</summary>
internal sealed class RollbackWork(IModerationStore store, Moderator moderator) : IJobWork
{
    /// <summary>The kind; the subject is the quarantine.</summary>
    public const string Name = ModerationJobs.Rollback;

    private const int PageLimit = 200;

    /// <inheritdoc/>
    public string Kind => Name;

    /// <inheritdoc/>
    public async ValueTask<JobPage> RunPageAsync(Job job, CancellationToken cancellationToken)
    {
        var order = JsonSerializer.Deserialize(job.Arguments!, ModerationWorkJson.Default.QuarantineEndOrder)!;
        if (job.Checkpoint is null)
            return await QuarantineEnds.BeginAsync(store, moderator, job, order, QuarantineState.RollingBack, QuarantineState.RolledBack, "rolled_back", cancellationToken);

        var page = await store.ReadHeldAsync(order.Id, PageLimit, cancellationToken);
        if (page.Count > 0)
        {
            await store.ForgetHeldAsync(order.Id, [.. page.Select(static state => state.Held)], 0, 0, cancellationToken);
            return JobPage.Next("on", await QuarantineEnds.TellAsync(store, order, cancellationToken));
        }

        await store.AdvanceQuarantineAsync(order.Id, QuarantineState.RollingBack, QuarantineState.RolledBack, null, cancellationToken);
        return JobPage.Done(await QuarantineEnds.TellAsync(store, order, cancellationToken));
    }
}

/// <summary>What the two ends of a quarantine have in common.</summary>
internal static class QuarantineEnds
{
    /// <summary>Takes the quarantine on the way to its end, with the decision; refuses when it is not held, or on the way to the other end.</summary>
    public static async Task<JobPage> BeginAsync(
        IModerationStore store, Moderator moderator, Job job, QuarantineEndOrder order, QuarantineState way, QuarantineState end, string action, CancellationToken cancellationToken)
    {
        var decision = moderator.Decide(action, order.Reason, job.Origin(HeartCause.User), null, "", ("quarantine", order.Id)) with { Id = job.DecisionId(0) };
        await store.AdvanceQuarantineAsync(order.Id, QuarantineState.Held, way, decision, cancellationToken);
        var found = await store.FindQuarantineAsync(order.Id, cancellationToken);
        var told = await TellAsync(store, order, cancellationToken);
        return found?.State == way ? JobPage.Next("on", told)
            : found?.State == end ? JobPage.Done(told)
            : JobPage.Failed(told);
    }

    /// <summary>The figures.</summary>
    public static async Task<string> TellAsync(IModerationStore store, QuarantineEndOrder order, CancellationToken cancellationToken)
    {
        var found = await store.FindQuarantineAsync(order.Id, cancellationToken);
        return JsonSerializer.Serialize(
            new QuarantineProgress(order.Id, found?.Held ?? 0, found?.Released ?? 0, found?.Skipped ?? 0), ModerationWorkJson.Default.QuarantineProgress);
    }
}
