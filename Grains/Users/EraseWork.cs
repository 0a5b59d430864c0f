using System.Text.Json;
using HeartGrains.Audit;
using HeartGrains.Hearts;
using HeartGrains.Jobs;
using HeartGrains.Ledger;

namespace HeartGrains.Users;

/// <summary>
/// Forgets a user. A page of the user's rows at a time: the hearts that they gave are withdrawn through the targets' grains, which know what is given now; then these rows bear the tombstone. So no row loses its
/// name while its heart counts, and a page that is done again finds its rows renamed. A pass that found nothing is the last: what is given later is a new heart of somebody new.
/// </summary>
internal sealed class EraseWork(IEventLog log, IUserLog users, JobHearts hearts, IEnumerable<IUserData> data, HeartKeys keys, TimeProvider time) : IJobWork
{
    /// <summary>The kind of these operations.</summary>
    public const string Name = UserJobs.Erase;

    private const int PageSize = 500;
    private const string MergedPrefix = "{\"action\":\"merged\"";

    /// <inheritdoc/>
    public string Kind => Name;

    /// <inheritdoc/>
    public async ValueTask<JobPage> RunPageAsync(Job job, CancellationToken cancellationToken)
    {
        var state = job.Checkpoint is { } checkpoint
            ? JsonSerializer.Deserialize(checkpoint, UserJson.Default.EraseState)!
            : new EraseState([JsonSerializer.Deserialize(job.Arguments!, UserJson.Default.EraseArguments)!.UserId], 0, 0, default, 0, 0, 0, 0);
        var tombstone = TombstoneOf(job.Id);

        // Whoever compares the log meanwhile finds by it why names are replaced.
        if (job.Checkpoint is null) await SayAsync(job, 1, state.Names[0], tombstone, new ErasedDetail("erasing", job.Id), cancellationToken);
        var name = state.Names[state.Name];
        var rows = await log.ReadAsync(new EventPosition(state.Order, state.Target, state.Version), long.MaxValue, new EventFilter(null, name), PageSize, cancellationToken);
        if (rows.Count > 0) return Next(await ForgetAsync(job, state, name, tombstone, rows, cancellationToken));

        // What committed late may stand before what was read.
        if (state.Found > 0) return Next(state with { Order = 0, Target = default, Version = 0, Found = 0 });
        foreach (var held in data) await held.EraseAsync(name, tombstone, cancellationToken);
        if (state.Name + 1 < state.Names.Count) return Next(state with { Name = state.Name + 1, Order = 0, Target = default, Version = 0 });
        return JobPage.Done(await DecideAsync(job, state.Names[0], tombstone, cancellationToken));
    }

    /// <summary>What stands for the user from then on.</summary>
    public static string TombstoneOf(string receipt) => EventProof.TombstonePrefix + receipt;

    private static JobPage Next(EraseState state) => JobPage.Next(
        JsonSerializer.Serialize(state, UserJson.Default.EraseState), JsonSerializer.Serialize(new EraseProgress(state.Hearts, state.Rows), UserJson.Default.EraseProgress));

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
    private async ValueTask<string?> FindMergedAsync(LoggedEvent decision, CancellationToken cancellationToken)
    {
        if (decision.Detail?.StartsWith(MergedPrefix, StringComparison.Ordinal) is not true) return null;
        var from = JsonSerializer.Deserialize(decision.Detail, UserJson.Default.MergedDetail)!.From;
        return from is not null && HeartId.TryParse(from, out var reader) && await users.FindUserAsync(reader, cancellationToken) is { } name && !name.StartsWith(EventProof.TombstonePrefix, StringComparison.Ordinal) ? name : null;
    }

    /// <summary>Says it in the log, with the figures as the log has them: a page that was done twice counts once.</summary>
    private async Task<string> DecideAsync(Job job, string userId, string tombstone, CancellationToken cancellationToken)
    {
        var tally = await users.CountAsync(tombstone, job.Id, cancellationToken);
        await SayAsync(job, 0, userId, tombstone, new ErasedDetail("erased", job.Id, tally.Withdrawn, tally.Rows), cancellationToken);
        return JsonSerializer.Serialize(new EraseProgress(tally.Withdrawn, tally.Rows), UserJson.Default.EraseProgress);
    }

    private async Task SayAsync(Job job, int ordinal, string userId, string tombstone, ErasedDetail detail, CancellationToken cancellationToken)
    {
        var now = time.NowMicros();
        await log.DecideAsync(
            new Decision(job.DecisionId(ordinal), now, null, tombstone, keys.OfUser(userId), job.Origin(HeartCause.Erased), 0, JsonSerializer.Serialize(detail, UserJson.Default.ErasedDetail)), cancellationToken);
    }
}
