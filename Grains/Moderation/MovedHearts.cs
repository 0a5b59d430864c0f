using System.Collections.Concurrent;
using System.Text.Json;
using HeartGrains.Audit;
using HeartGrains.Hearts;
using HeartGrains.Jobs;
using HeartGrains.Ledger;
using HeartGrains.Users;

namespace HeartGrains.Moderation;

/// <summary>Where hearts went that moves have carried to another name, and merges to an account, by the log.</summary>
internal sealed class MovedHearts(IModerationStore store, IJobStore jobs, ReaderAccounts accounts, HeartKeys keys, JobHearts hearts)
{
    /// <summary>
    /// Of hearts, by the events that gave them, those that are elsewhere since a quarantine was ordered: each with the event that gave it there. So is one that the quarantine took back at the old name when a move that
    /// a crash stopped had given it at the new one. Hearts have left their places when it is asked, for what goes meanwhile is not found.
    /// </summary>
    /// <param name="given">The hearts.</param>
    /// <param name="held">Those of them that the quarantine took back.</param>
    /// <param name="quarantine">Its operation.</param>
    /// <param name="isOfTarget">Its target is named, and was not moved when it was ordered.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public async Task<IReadOnlyList<(LoggedEvent From, LoggedEvent To)>> FollowAsync(
        IReadOnlyList<LoggedEvent> given, IReadOnlySet<LoggedEvent> held, Job quarantine, bool isOfTarget, CancellationToken cancellationToken)
    {
        // Most targets are under their own name, and most hearts are where they were: this is all they pay.
        var names = new ConcurrentDictionary<Guid, IReadOnlyList<Guid>>();
        await hearts.ForEachAsync(
            [.. given.Select(static logged => logged.Position.Target).Distinct()], async (target, token) => names[target] = await ListNamesAsync(target, token), cancellationToken);
        var moves = new ConcurrentDictionary<string, string?>();
        var followed = new ConcurrentBag<(LoggedEvent, LoggedEvent)>();
        await hearts.ForEachAsync(
            [.. given.Where(logged => names[logged.Position.Target].Count > 0 || (!held.Contains(logged) && ReaderAccounts.IsReader(logged.UserId)))],
            async (logged, token) =>
            {
                if (await FindEndAsync(logged, token) is { } end && await FindNextAsync(logged, end, token) is { } next) followed.Add((logged, next));
            },
            cancellationToken);
        return [.. followed];

        async Task<LoggedEvent?> FindNextAsync(LoggedEvent logged, LoggedEvent end, CancellationToken token)
        {
            var (cause, job) = (end.Origin.Cause, end.Origin.Job);
            var isSince = end.AtMicros >= quarantine.StartedMicros;
            if (cause == HeartCause.Merged && isSince)
            {
                var account = await FindAccountAsync(job!, logged.UserId, token);
                return (await ListLatestAsync(end.Position.Target, account, token)).FirstOrDefault(there => IsGiven(there, HeartCause.Merged) && there.Origin.Job == job);
            }

            if (!(cause == HeartCause.Moved && (isSince || isOfTarget)) && job != quarantine.Id) return null;
            foreach (var name in names[end.Position.Target])
            {
                foreach (var there in await ListLatestAsync(name, logged.UserId, token))
                    if (IsGiven(there, HeartCause.Moved) && (there.Origin.Job == job || (job == quarantine.Id && await FindMovedAsync(there.Origin.Job!, token) == logged.TargetId))) return there;
            }

            return null;
        }

        async ValueTask<string?> FindMovedAsync(string job, CancellationToken token) => moves.TryGetValue(job, out var known) ? known : moves[job] = await FindMoveAsync(job, token);
    }

    private static bool IsGiven(LoggedEvent logged, HeartCause cause) => logged.Kind == HeartEventKind.Given && logged.Origin.Cause == cause;

    /// <summary>The names that a target's hearts may have gone to: a move that was on its way when the next was ordered takes them on at once.</summary>
    private async Task<IReadOnlyList<Guid>> ListNamesAsync(Guid target, CancellationToken cancellationToken) =>
        [.. (await store.FollowAsync(keys, target, cancellationToken)).Select(keys.OfTarget)];

    /// <summary>The event that took the heart back, if it is the last about it.</summary>
    private async Task<LoggedEvent?> FindEndAsync(LoggedEvent logged, CancellationToken cancellationToken) =>
        await ListLatestAsync(logged.Position.Target, logged.UserId, cancellationToken) is [{ Kind: HeartEventKind.Withdrawn } end, var before] && before.Position.Version == logged.Position.Version ? end : null;

    /// <summary>The last two events of a heart, newest first.</summary>
    private async Task<LoggedEvent[]> ListLatestAsync(Guid target, string userId, CancellationToken cancellationToken)
    {
        for (var limit = 2; ; limit *= 4)
        {
            // Among them may be decisions about the pair.
            var events = await store.ListLatestAsync(target, userId, limit, cancellationToken);
            LoggedEvent[] latest = [.. events.Where(static logged => logged.Kind != HeartEventKind.Decided).Take(2)];
            if (latest.Length == 2 || events.Count < limit) return latest;
        }
    }

    /// <summary>Whose the hearts of a reader are by a merge, which says so in the log when it has ended.</summary>
    private async Task<string> FindAccountAsync(string merge, string reader, CancellationToken cancellationToken) =>
        await jobs.FindAsync(merge, cancellationToken) is { Arguments: { } arguments }
            ? JsonSerializer.Deserialize(arguments, UserJson.Default.MergeArguments)!.Account
            : await accounts.FindAsync(reader, cancellationToken);

    /// <summary>The target that an operation moves or has moved.</summary>
    private async Task<string?> FindMoveAsync(string id, CancellationToken cancellationToken) =>
        await jobs.FindAsync(id, cancellationToken) is { Kind: MoveWork.Name } job ? JsonSerializer.Deserialize(job.Progress, ModerationWorkJson.Default.MoveProgress)?.From : null;
}
