using System.Collections.Concurrent;
using System.Text.Json;
using HeartGrains.Audit;
using HeartGrains.Hearts;
using HeartGrains.Jobs;
using HeartGrains.Ledger;

namespace HeartGrains.Moderation;

/// <summary>Where hearts went that moves have carried to another name, by the log.</summary>
internal sealed class MovedHearts(IModerationStore store, IJobStore jobs, HeartKeys keys, JobHearts hearts)
{
    /// <summary>
    /// Of hearts, by the events that gave them, those that are at another name since: each with the event that gave it there. So is one that <paramref name="quarantine"/> took back at the old name when a move that
    /// a crash stopped had given it at the new one. Hearts have left the old names when it is asked, for what moves meanwhile is not found.
    /// </summary>
    /// <param name="given">The hearts.</param>
    /// <param name="quarantine">The operation that looks for them.</param>
    /// <param name="sinceMicros">Moved then or later.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public async Task<IReadOnlyList<(LoggedEvent From, LoggedEvent To)>> FollowAsync(IReadOnlyList<LoggedEvent> given, string quarantine, long sinceMicros, CancellationToken cancellationToken)
    {
        // Most targets are under their own name, and this is all they pay.
        var names = new ConcurrentDictionary<Guid, IReadOnlyList<Guid>>();
        await hearts.ForEachAsync(
            [.. given.Select(static logged => logged.Position.Target).Distinct()], async (target, token) => names[target] = await ListNamesAsync(target, token), cancellationToken);
        var moves = new ConcurrentDictionary<(string Job, string From), bool>();
        var followed = new ConcurrentBag<(LoggedEvent, LoggedEvent)>();
        await hearts.ForEachAsync(
            [.. given.Where(logged => names[logged.Position.Target].Count > 0)],
            async (logged, token) =>
            {
                if (await FindEndAsync(logged, token) is not { } end || !(IsMoved(end) || end.Origin.Job == quarantine)) return;
                foreach (var name in names[logged.Position.Target])
                {
                    foreach (var there in await ListLatestAsync(name, logged.UserId, token))
                    {
                        if (there is not { Kind: HeartEventKind.Given, Origin: { Cause: HeartCause.Moved, Job: { } job } }) continue;
                        if (!(job == end.Origin.Job || (!IsMoved(end) && await IsMoveOfAsync(job, logged.TargetId, token)))) continue;
                        followed.Add((logged, there));
                        return;
                    }
                }
            },
            cancellationToken);
        return [.. followed];

        bool IsMoved(LoggedEvent end) => end.Origin.Cause == HeartCause.Moved && end.AtMicros >= sinceMicros;

        async ValueTask<bool> IsMoveOfAsync(string job, string from, CancellationToken token) =>
            moves.TryGetValue((job, from), out var known) ? known : moves[(job, from)] = await FindMoveAsync(job, token) == from;
    }

    /// <summary>The names that a target's hearts may have gone to: a move that was on its way when the next was ordered takes them on at once.</summary>
    private async Task<IReadOnlyList<Guid>> ListNamesAsync(Guid target, CancellationToken cancellationToken)
    {
        var names = new List<Guid>();
        while ((await store.FindRuleAsync(target, cancellationToken))?.MovedTo is { } to) names.Add(target = keys.OfTarget(to));
        return names;
    }

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

    /// <summary>The target that an operation moves or has moved.</summary>
    private async Task<string?> FindMoveAsync(string id, CancellationToken cancellationToken) =>
        await jobs.FindAsync(id, cancellationToken) is { Kind: MoveWork.Name } job ? JsonSerializer.Deserialize(job.Progress, ModerationWorkJson.Default.MoveProgress)?.From : null;
}
