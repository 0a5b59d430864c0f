using System.Text.Json;
using HeartGrains.Audit;
using HeartGrains.Hearts;
using HeartGrains.Jobs;
using HeartGrains.Ledger;
using HeartGrains.Moderation;

namespace HeartGrains.Users;

/// <summary>
/// Makes an anonymous reader's hearts an account's. Each target does its part in one commit (<see cref="IHeartGrain.MergeAsync"/>), so that none is lost and none counted twice whenever it stops. A pass that moved
/// nothing is the last. Who is blocked takes nothing over. On a frozen target a heart may change hands, which changes no count; where both love it, the reader's is left.
/// </summary>
internal sealed class MergeWork(IEventLog log, IUserLog users, JobHearts hearts, ReaderAccounts accounts, HeartKeys keys, Moderator moderator, TimeProvider time) : IJobWork
{
    /// <summary>The kind of these operations.</summary>
    public const string Name = UserJobs.Merge;

    private const int PageSize = 500;

    /// <inheritdoc/>
    public string Kind => Name;

    /// <inheritdoc/>
    public async ValueTask<JobReply?> AnswerAtOnceAsync(Job job, CancellationToken cancellationToken)
    {
        var (reader, account) = JsonSerializer.Deserialize(job.Arguments!, UserJson.Default.MergeArguments)!;
        if (moderator.Blocks.Find(keys.OfUser(account)) is { } until) return new JobReply(HeartOutcome.Blocked, null, until);
        var rows = await log.ReadAsync(EventPosition.Start, long.MaxValue, new EventFilter(null, reader), 1, cancellationToken);
        return rows.Count > 0 ? null : job.ToReply(JsonSerializer.Serialize(new MergeProgress(0, 0, 0), UserJson.Default.MergeProgress));
    }

    /// <inheritdoc/>
    public async ValueTask<JobPage> RunPageAsync(Job job, CancellationToken cancellationToken)
    {
        var (reader, account) = JsonSerializer.Deserialize(job.Arguments!, UserJson.Default.MergeArguments)!;
        var state = job.Checkpoint is { } checkpoint ? JsonSerializer.Deserialize(checkpoint, UserJson.Default.MergeState)! : new MergeState(0, default, 0, 0, 0, 0);

        // Since it began: what has gone over stays there.
        if (moderator.Blocks.Find(keys.OfUser(account)) is not null) return JobPage.Failed(await DecideAsync(job, reader, account, state, cancellationToken));
        var rows = await log.ReadAsync(new EventPosition(state.Order, state.Target, state.Version), long.MaxValue, new EventFilter(null, reader), PageSize, cancellationToken);
        if (rows.Count == 0)
        {
            return state.Found > 0
                ? await NextAsync(state with { Order = 0, Target = default, Version = 0, Found = 0, Left = 0 })
                : JobPage.Done(await DecideAsync(job, reader, account, state, cancellationToken));
        }

        var origin = job.Origin(HeartCause.Merged);
        var (moved, left) = (0L, 0L);
        string[] targets = [.. rows.Where(static row => row.Kind == HeartEventKind.Given).Select(static row => row.TargetId).Distinct()];
        await hearts.ForEachAsync(
            targets,
            async (target, token) =>
            {
                var receipt = await hearts.CommitAsync(call => hearts.Grain(target).MergeAsync(reader, account, origin, call), static receipt => receipt.Outcome == HeartOutcome.Frozen ? HeartOutcome.Committed : receipt.Outcome, token);
                if (receipt.Changed) Interlocked.Increment(ref moved);
                if (receipt.Outcome == HeartOutcome.Frozen) Interlocked.Increment(ref left);
            },
            cancellationToken);
        var last = rows[^1].Position;
        return await NextAsync(new MergeState(last.Order, last.Target, last.Version, state.Found + moved, state.Targets + targets.Length, state.Withdrawn + moved, state.Left + left));
    }

    private static ValueTask<JobPage> NextAsync(MergeState state) => new(JobPage.Next(
        JsonSerializer.Serialize(state, UserJson.Default.MergeState), JsonSerializer.Serialize(new MergeProgress(state.Withdrawn, 0, state.Targets), UserJson.Default.MergeProgress)));

    /// <summary>Says it in the log of both, if anything was done or it was not said yet, with the figures as the log has them: by it, hearts of the reader that come back are the account's, and an erasure finds the reader.</summary>
    private async Task<string> DecideAsync(Job job, string reader, string account, MergeState state, CancellationToken cancellationToken)
    {
        var moved = (await users.CountAsync(account, job.Id, cancellationToken)).Given;
        var already = (await users.CountAsync(reader, job.Id, cancellationToken)).Withdrawn - moved;
        long? left = state.Left > 0 ? state.Left : null;
        var (from, into) = (keys.OfUser(reader), keys.OfUser(account));
        if (moved + already > 0 || await accounts.FindIdAsync(reader, cancellationToken) != into)
        {
            // The reader's last: it is the one that is looked for when the page is done again.
            await SayAsync(0, account, into, new MergedDetail("merged", moved, already, from.ToString(), null, left));
            await SayAsync(1, reader, from, new MergedDetail("merged", moved, already, null, into.ToString(), left));
        }

        return JsonSerializer.Serialize(new MergeProgress(moved, already, moved + already + state.Left, left), UserJson.Default.MergeProgress);

        async Task SayAsync(int ordinal, string userId, HeartId user, MergedDetail detail)
        {
            var now = time.NowMicros();
            var origin = job.Origin(HeartCause.Merged);
            await log.DecideAsync(
                new Decision(job.DecisionId(ordinal), now, null, userId, user, origin, keys.OfNetwork(user, now, origin), JsonSerializer.Serialize(detail, UserJson.Default.MergedDetail)), cancellationToken);
        }
    }
}
