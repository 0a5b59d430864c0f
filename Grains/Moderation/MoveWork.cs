using System.Text.Json;
using HeartGrains.Audit;
using HeartGrains.Hearts;
using HeartGrains.Jobs;
using HeartGrains.Ledger;
using Orleans.Runtime;

namespace HeartGrains.Moderation;

/// <summary>
/// Moves a target's hearts to another. First the old name becomes another name of the new, so that nothing is given to it any more; then the opening balance goes over, then heart by heart what the log
/// says was ever given there, a page of the log at a time.
/// </summary>
internal sealed class MoveWork(IGrainFactory grains, IEventLog log, IModerationStore store, HeartKeys keys, JobHearts hearts, TimeProvider time) : IJobWork
{
    /// <summary>The kind; the subject is the target that is moved and the one it is moved to, a line each.</summary>
    public const string Name = ModerationJobs.Move;

    private const int PageLimit = 200;

    // It is over when nothing is left and not before, but does not keep the ledger busy with what cannot go over.
    private const int HastyRounds = 3;
    private static readonly TimeSpan RoundPause = TimeSpan.FromSeconds(1);

    /// <inheritdoc/>
    public string Kind => Name;

    /// <inheritdoc/>
    public async ValueTask<JobPage> RunPageAsync(Job job, CancellationToken cancellationToken)
    {
        var order = JsonSerializer.Deserialize(job.Arguments!, ModerationWorkJson.Default.MoveOrder)!;
        return job.Checkpoint is { } checkpoint
            ? await MoveAsync(job, order, JsonSerializer.Deserialize(checkpoint, ModerationWorkJson.Default.MoveMark)!, cancellationToken)
            : await RedirectAsync(job, order, cancellationToken);
    }

    private async Task<JobPage> RedirectAsync(Job job, MoveOrder order, CancellationToken cancellationToken)
    {
        var redirected = await hearts.CommitAsync(
            token => RuleOf(order.From).RedirectAsync(order.To, order.Reason, job.Origin(HeartCause.User), token), static receipt => receipt.Outcome, cancellationToken);
        if (redirected.Refusal != RuleRefusal.None) return JobPage.Failed(Tell(new MoveProgress(order.From, redirected.MovedTo, 0, redirected.Refusal)));
        await hearts.CommitAsync(token => RuleOf(redirected.MovedTo!).TakeOpeningAsync(order.From, order.Reason, job.Origin(HeartCause.User), token), static receipt => receipt.Outcome, cancellationToken);
        return Next(order, new MoveMark(redirected.MovedTo!, 0, 0, 0, 1));
    }

    private async Task<JobPage> MoveAsync(Job job, MoveOrder order, MoveMark mark, CancellationToken cancellationToken)
    {
        var target = keys.OfTarget(order.From);
        var after = mark.Version == 0 ? EventPosition.Start : new EventPosition(mark.Order, target, mark.Version);

        // Of one target nothing appears before what is there: a version is written only when the one before it is.
        var page = await log.ReadAsync(after, long.MaxValue, new EventFilter(target), PageLimit, cancellationToken);
        string[] users = [.. page.Where(static logged => logged.Kind == HeartEventKind.Given).Select(static logged => logged.UserId).Distinct()];
        var moved = mark.Moved;
        await hearts.ForEachAsync(users, async (user, token) =>
        {
            var receipt = await hearts.CommitAsync(
                attempt => RuleOf(order.From).MoveHeartAsync(user, job.Origin(HeartCause.Moved), attempt), static receipt => receipt.Outcome, token);
            if (receipt.Changed) Interlocked.Increment(ref moved);
        }, cancellationToken);

        var last = page.LastOrDefault(static logged => logged.Kind != HeartEventKind.Decided) ?? (page.Count == PageLimit ? page[^1] : null);
        if (last is not null) mark = mark with { Order = last.Position.Order, Version = last.Position.Target == target ? last.Position.Version : mark.Version };
        mark = mark with { Moved = moved };
        if (page.Count == PageLimit) return Next(order, mark);

        // What was on its way when the name changed hands may be in the log behind the page.
        var left = await hearts.CommitAsync(token => RuleOf(order.From).SettleAsync(token), static state => state.Outcome, cancellationToken);
        if (left.Count == 0)
        {
            // By the log: what a page did before a crash, or what was answered late, it did not see change.
            var all = await store.CountMovedAsync(target, job.Id, cancellationToken);
            return JobPage.Done(Tell(new MoveProgress(order.From, mark.To, all, RuleRefusal.None)));
        }

        if (mark.Round >= HastyRounds) await Task.Delay(RoundPause, time, cancellationToken);
        return Next(order, mark with { Order = 0, Version = 0, Round = mark.Round + 1 });
    }

    private static JobPage Next(MoveOrder order, MoveMark mark) => JobPage.Next(
        JsonSerializer.Serialize(mark, ModerationWorkJson.Default.MoveMark), Tell(new MoveProgress(order.From, mark.To, mark.Moved, RuleRefusal.None)));

    private static string Tell(MoveProgress progress) => JsonSerializer.Serialize(progress, ModerationWorkJson.Default.MoveProgress);

    private ITargetRuleGrain RuleOf(string targetId) => (ITargetRuleGrain)grains.GetGrain(typeof(ITargetRuleGrain), IdSpan.Create(targetId));
}
