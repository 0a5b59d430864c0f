using System.Collections.Concurrent;
using System.Text.Json;
using HeartGrains.Audit;
using HeartGrains.Hearts;
using HeartGrains.Jobs;
using HeartGrains.Ledger;
using HeartGrains.Users;

namespace HeartGrains.Moderation;

/// <summary>
/// Gives a quarantine's hearts back: those whose users have not decided anew meanwhile, under whichever name, and are not forgotten, and that no other quarantine has taken. The heart of an anonymous reader who is an account by now is given to that, so that nobody counts twice.
/// </summary>
internal sealed class ReleaseWork(IModerationStore store, HeartKeys keys, Moderator moderator, JobHearts hearts, ReaderAccounts accounts) : IJobWork
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
        HeldState[] ours = [.. page.Where(state => !IsForgotten(state.UserId) && (state is { LastKind: HeartEventKind.Withdrawn } ? state.LastJob == order.Id : state.LastJob == job.Id))];
        var owners = new Dictionary<string, string>();
        foreach (var user in ours.Select(static state => state.UserId).Distinct()) owners[user] = await accounts.FindAsync(user, cancellationToken);
        var places = new Dictionary<string, string>();
        foreach (var target in ours.Select(static state => state.TargetId).Distinct()) places[target] = await moderator.FindPlaceAsync(target, cancellationToken);
        var released = new ConcurrentDictionary<(string Place, string User), bool>();
        await hearts.ForEachAsync(
            ours,
            async (state, token) =>
            {
                var (place, owner) = (places[state.TargetId], owners[state.UserId]);
                if (IsForgotten(owner) || await IsSettledAsync(order.Id, state, keys.OfTarget(place), owner, token)) return;
                var given = await hearts.GiveAsync(place, owner, job.Origin(HeartCause.Released), token);

                // Unchanged: the owner has one by themselves, or this operation gave it before a crash.
                if (given.Changed || (await store.ListLatestAsync(keys.OfTarget(place), owner, 1, token)).Any(last => last.Kind == HeartEventKind.Given && last.Origin.Job == job.Id))
                    released.TryAdd((place, owner), true);
            },
            cancellationToken);
        await store.ForgetHeldAsync(order.Id, [.. page.Select(static state => state.Held)], released.Count, page.Count - released.Count, cancellationToken);
        return JobPage.Next("on", await QuarantineEnds.TellAsync(store, order, cancellationToken));
    }

    /// <summary>
    /// Whether the heart was decided upon since under another name of the user or the target: taken back there, or taken by another quarantine. Of the held heart itself that is known.
    /// </summary>
    private async Task<bool> IsSettledAsync(string quarantine, HeldState state, Guid place, string owner, CancellationToken cancellationToken)
    {
        if (owner == state.UserId && place == state.Held.Target) return false;
        long? heldOrder = null;
        foreach (var target in new HashSet<Guid> { state.Held.Target, place })
        {
            foreach (var user in new HashSet<string> { state.UserId, owner })
            {
                if (target == state.Held.Target && user == state.UserId) continue;
                if (await store.ListLatestAsync(target, user, 1, cancellationToken) is not [{ Kind: HeartEventKind.Withdrawn } last, ..]) continue;
                if (last.Origin.Cause == HeartCause.User && await IsLaterAsync(last)) return true;
                if (last.Origin is { Cause: HeartCause.Quarantined, Job: { } other } && other != quarantine && (await IsHoldingAsync(other) || await IsLaterAsync(last))) return true;
            }
        }

        return false;

        async Task<bool> IsLaterAsync(LoggedEvent last)
        {
            // Than the heart, by its log; in another target's log, than its quarantine.
            if (last.Position.Target == state.Held.Target) return last.Position.Version > state.Held.Version;
            heldOrder ??= (await store.ListLatestAsync(state.Held.Target, state.UserId, 1, cancellationToken))[0].Position.Order;
            return last.Position.Order > heldOrder;
        }

        async Task<bool> IsHoldingAsync(string other) =>
            (await store.FindQuarantineAsync(other, cancellationToken))?.State is not (QuarantineState.Released or QuarantineState.RolledBack or null);
    }

    private static bool IsForgotten(string userId) => userId.StartsWith(EventProof.TombstonePrefix, StringComparison.Ordinal);
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
