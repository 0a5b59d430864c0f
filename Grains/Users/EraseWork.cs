using System.Text.Json;
using HeartGrains.Audit;
using HeartGrains.Hearts;
using HeartGrains.Jobs;
using HeartGrains.Ledger;
using HeartGrains.Moderation;

namespace HeartGrains.Users;

/// <summary>
/// Forgets a user. A page of the user's rows at a time: the hearts that they gave are withdrawn through the targets' grains, which know what is given now; then these rows bear the tombstone. So no row loses its
/// name while its heart counts, and a page that is done again finds its rows renamed. When a pass has found nothing, operations that run by then and may still give the user a heart, under a name they have read before, are
/// waited for; the pass after that is the last: what is given later is a new heart of somebody new.
/// </summary>
internal sealed class EraseWork(IEventLog log, IUserLog users, IJobStore jobs, JobHearts hearts, IEnumerable<IUserData> data, HeartKeys keys, TimeProvider time) : IJobWork
{
    /// <summary>The kind of these operations.</summary>
    public const string Name = UserJobs.Erase;

    private const int PageSize = 500;
    private const int OpenLimit = 1_000;

    /// <inheritdoc/>
    public string Kind => Name;

    /// <inheritdoc/>
    public async ValueTask<JobReply?> AnswerAtOnceAsync(Job job, CancellationToken cancellationToken)
    {
        var userId = UserOf(job);
        var rows = await log.ReadAsync(EventPosition.Start, long.MaxValue, new EventFilter(null, userId), 1, cancellationToken);
        return rows.Count > 0 || (await FindGiversAsync([userId], cancellationToken)).Count > 0 ? null : job.ToReply(Tell(0, 0));
    }

    /// <inheritdoc/>
    public async ValueTask<JobPage> RunPageAsync(Job job, CancellationToken cancellationToken)
    {
        var state = job.Checkpoint is { } checkpoint ? JsonSerializer.Deserialize(checkpoint, UserJson.Default.EraseState)! : new EraseState([UserOf(job)], 0, 0, default, 0, 0, 0, 0);
        var tombstone = TombstoneOf(job.Id);
        if (state.IsForgotten) return JobPage.Done(await DecideAsync(job, state.Names[0], tombstone, cancellationToken));
        if (state.Awaited is { Count: > 0 } awaited)
        {
            await ThrowIfOpenAsync(awaited, cancellationToken);
            return Next(FromStart(state) with { Name = 0, Awaited = [] });
        }

        var name = state.Names[state.Name];
        var rows = await log.ReadAsync(new EventPosition(state.Order, state.Target, state.Version), long.MaxValue, new EventFilter(null, name), PageSize, cancellationToken);
        if (rows.Count > 0) return Next(await ForgetAsync(job, state, name, tombstone, rows, cancellationToken));

        // What committed late may stand before what was read.
        if (state.Found > 0) return Next(FromStart(state));
        foreach (var held in data) await held.EraseAsync(name, tombstone, cancellationToken);
        if (state.Name + 1 < state.Names.Count) return Next(FromStart(state) with { Name = state.Name + 1 });

        // Stored before it is counted: whoever does the last page again must not find, and rename, what came since.
        var givers = state.Awaited is null ? await FindGiversAsync(state.Names, cancellationToken) : [];
        return Next(givers.Count > 0 ? state with { Awaited = givers } : state with { IsForgotten = true });
    }

    /// <summary>What stands for the user from then on.</summary>
    public static string TombstoneOf(string receipt) => EventProof.TombstonePrefix + receipt;

    private static string UserOf(Job job) => JsonSerializer.Deserialize(job.Arguments!, UserJson.Default.EraseArguments)!.UserId;

    private static EraseState FromStart(EraseState state) => state with { Order = 0, Target = default, Version = 0, Found = 0 };

    private static JobPage Next(EraseState state) => JobPage.Next(JsonSerializer.Serialize(state, UserJson.Default.EraseState), Tell(state.Hearts, state.Rows));

    private static string Tell(long hearts, long rows) => JsonSerializer.Serialize(new EraseProgress(hearts, rows), UserJson.Default.EraseProgress);

    /// <summary>
    /// Operations that run and give hearts to users by names they have read: merges of one of these users, and releases, which do not say whose. All others change hearts only that are given now.
    /// </summary>
    private async Task<List<string>> FindGiversAsync(List<string> names, CancellationToken cancellationToken)
    {
        var merges = await jobs.ListOpenOfKindAsync(MergeWork.Name, OpenLimit, cancellationToken);
        var releases = await jobs.ListOpenOfKindAsync(ReleaseWork.Name, OpenLimit, cancellationToken);
        if (merges.Count == OpenLimit || releases.Count == OpenLimit) throw new JobStalledException("Too many operations run to tell which of them concern the user.");
        return [.. merges.Where(IsOfOneOfThem).Concat(releases).Select(static job => job.Id)];

        bool IsOfOneOfThem(Job merge)
        {
            var (reader, account) = JsonSerializer.Deserialize(merge.Arguments!, UserJson.Default.MergeArguments)!;
            return names.Contains(account) || names.Contains(reader);
        }
    }

    private async Task ThrowIfOpenAsync(List<string> ids, CancellationToken cancellationToken)
    {
        foreach (var id in ids)
        {
            if (await jobs.FindAsync(id, cancellationToken) is { State: JobState.Running }) throw new JobStalledException("A merge or a release that may give the user hearts has not ended yet.");
        }
    }

    private async Task<EraseState> ForgetAsync(Job job, EraseState state, string name, string tombstone, IReadOnlyList<LoggedEvent> rows, CancellationToken cancellationToken)
    {
        var origin = job.Origin(HeartCause.Erased);
        var withdrawn = 0L;
        string[] targets = [.. rows.Where(static row => row.Kind == HeartEventKind.Given).Select(static row => row.TargetId).Distinct()];
        await hearts.ForEachAsync(
            targets,
            async (target, token) =>
            {
                if ((await hearts.WithdrawAsync(target, name, origin, token)).Changed) Interlocked.Increment(ref withdrawn);
            },
            cancellationToken);

        // Kept before their decisions lose the name by which they are found: a page done again would not meet them any more.
        if (await FindReadersAsync(state, rows, cancellationToken) is { Count: > 0 } readers) return state with { Names = [.. state.Names, .. readers], Hearts = state.Hearts + withdrawn };

        // Whoever compares the log meanwhile finds by it why names are replaced.
        if (state.Rows == 0) await SayAsync(job, 1, state.Names[0], tombstone, new ErasedDetail("erasing", job.Id), cancellationToken);
        var renamed = await users.RenameAsync(name, tombstone, [.. rows.Select(static row => row.Position)], cancellationToken);
        var last = rows[^1].Position;
        return state with
        {
            Order = last.Order,
            Target = last.Target,
            Version = last.Version,
            Found = state.Found + rows.Count,
            Hearts = state.Hearts + withdrawn,
            Rows = state.Rows + renamed,
        };
    }

    private async Task<List<string>> FindReadersAsync(EraseState state, IReadOnlyList<LoggedEvent> rows, CancellationToken cancellationToken)
    {
        var readers = new List<string>();
        foreach (var row in rows)
        {
            if (row.Kind == HeartEventKind.Decided && await FindMergedAsync(row, cancellationToken) is { } reader && !state.Names.Contains(reader) && !readers.Contains(reader)) readers.Add(reader);
        }

        return readers;
    }

    /// <summary>The reader whose hearts this user has taken over, whose history is the user's too.</summary>
    private async ValueTask<string?> FindMergedAsync(LoggedEvent decision, CancellationToken cancellationToken) =>
        MergedDetail.TryRead(decision.Detail) is { From: { } from } && HeartId.TryParse(from, out var reader) && await users.FindUserAsync(reader, cancellationToken) is { } name
            && !name.StartsWith(EventProof.TombstonePrefix, StringComparison.Ordinal) ? name : null;

    /// <summary>Says it in the log, with the figures as the log has them: a page that was done twice counts once. Of nobody there is nothing to say.</summary>
    private async Task<string> DecideAsync(Job job, string userId, string tombstone, CancellationToken cancellationToken)
    {
        var tally = await users.CountAsync(tombstone, job.Id, cancellationToken);
        if (tally.Rows > 0) await SayAsync(job, 0, userId, tombstone, new ErasedDetail("erased", job.Id, tally.Withdrawn, tally.Rows), cancellationToken);
        return Tell(tally.Withdrawn, tally.Rows);
    }

    private async Task SayAsync(Job job, int ordinal, string userId, string tombstone, ErasedDetail detail, CancellationToken cancellationToken)
    {
        var now = time.NowMicros();
        await log.DecideAsync(
            new Decision(job.DecisionId(ordinal), now, null, tombstone, keys.OfUser(userId), job.Origin(HeartCause.Erased), 0, JsonSerializer.Serialize(detail, UserJson.Default.ErasedDetail)), cancellationToken);
    }
}
