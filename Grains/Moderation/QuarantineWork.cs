using System.Text.Json;
using System.Text.Json.Nodes;
using HeartGrains.Audit;
using HeartGrains.Hearts;
using HeartGrains.Jobs;
using HeartGrains.Ledger;

namespace HeartGrains.Moderation;

/// <summary>
/// Takes hearts of a window, of users or of both out of the counts, a page of the log at a time: a heart is remembered before it is withdrawn, so that none is lost in a crash, and forgotten again
/// if somebody else withdrew it first; one that a move took to another name meanwhile, or a merge to an account, is held there. The quarantine has the operation's id.
/// </summary>
internal sealed class QuarantineWork(IModerationStore store, IEventLog log, IHeartLedger ledger, HeartKeys keys, Moderator moderator, MovedHearts movedHearts, JobHearts hearts, TimeProvider time) : IJobWork
{
    /// <summary>The kind; the subject is what is asked for.</summary>
    public const string Name = ModerationJobs.Quarantine;

    private const int PageLimit = 200;
    private static readonly TimeSpan HorizonPause = TimeSpan.FromMilliseconds(100);

    /// <inheritdoc/>
    public string Kind => Name;

    /// <inheritdoc/>
    public async ValueTask<JobPage> RunPageAsync(Job job, CancellationToken cancellationToken)
    {
        var order = JsonSerializer.Deserialize(job.Arguments!, ModerationWorkJson.Default.QuarantineOrder)!;
        return job.Checkpoint is { } checkpoint
            ? await HoldAsync(job, order, JsonSerializer.Deserialize(checkpoint, ModerationWorkJson.Default.QuarantineMark)!, cancellationToken)
            : await OpenAsync(job, order, cancellationToken);
    }

    private async Task<JobPage> OpenAsync(Job job, QuarantineOrder order, CancellationToken cancellationToken)
    {
        Guid? about = order.TargetId is { } target ? keys.OfTarget(target) : null;

        // Of an old name the log has what was given there, and nothing of it counts any more.
        if (order.TargetId is not null && await moderator.FindPlaceAsync(order.TargetId, cancellationToken) is var movedTo && movedTo != order.TargetId)
            return JobPage.Failed(JsonSerializer.Serialize(new QuarantineProgress(job.Id, 0, 0, 0, movedTo), ModerationWorkJson.Default.QuarantineProgress));
        var until = Until(job, order);
        var decision = moderator.Decide(
            "quarantined", order.Reason, job.Origin(HeartCause.User), about, order.UserIds is [var only] ? only : "",
            ("target_id", order.TargetId), ("from_micros", order.FromMicros is { } from ? JsonValue.Create(from) : null), ("until_micros", until), ("users", order.UserIds?.Length ?? 0))
            with
        { Id = job.DecisionId(0) };
        await store.OpenQuarantineAsync(
            new Quarantine(job.Id, QuarantineState.Holding, order.TargetId, order.FromMicros, until, order.UserIds?.Length ?? 0, order.Reason, job.Actor, job.StartedMicros),
            decision, cancellationToken);

        // The decision is there, so this only tells where: hearts given before it stand before it.
        var position = await log.DecideAsync(decision, cancellationToken);
        return Next(job, new QuarantineMark(position.Order, 0, 0, default, 0, 0));
    }

    private async Task<JobPage> HoldAsync(Job job, QuarantineOrder order, QuarantineMark mark, CancellationToken cancellationToken)
    {
        var horizon = await log.FindHorizonAsync(cancellationToken);
        var filter = new EventFilter(order.TargetId is { } target ? keys.OfTarget(target) : null, order.UserIds?[mark.User]);
        var page = await log.ReadAsync(new EventPosition(mark.Order, mark.Target, mark.Version), horizon, filter, PageLimit, cancellationToken);
        var until = Until(job, order);
        var given = page.Where(logged => logged.Kind == HeartEventKind.Given && logged.AtMicros < until && logged.AtMicros >= (order.FromMicros ?? 0)).ToList();
        mark = mark with { Held = mark.Held + (await HoldAsync(job, order, given, cancellationToken)).Count };
        if (page.Count > 0) mark = mark with { Order = page[^1].Position.Order, Target = page[^1].Position.Target, Version = page[^1].Position.Version };
        if (page.Count == PageLimit) return Next(job, mark);
        if (horizon < mark.Goal)
        {
            // Something that began before may yet be written before the goal.
            await Task.Delay(HorizonPause, time, cancellationToken);
            return Next(job, mark);
        }

        if (order.UserIds is { } users && mark.User + 1 < users.Length)
            return Next(job, mark with { User = mark.User + 1, Order = 0, Target = default, Version = 0 });
        await store.AdvanceQuarantineAsync(job.Id, QuarantineState.Holding, QuarantineState.Held, null, cancellationToken);

        // Counted anew: a heart that was on its way to another name has two events that may both be of the window.
        var found = await store.FindQuarantineAsync(job.Id, cancellationToken);
        return JobPage.Done(Tell(job, mark with { Held = found!.Held }));
    }

    /// <summary>Holds each of these hearts that is still given, wherever it is by now, and returns those.</summary>
    private async Task<HashSet<LoggedEvent>> HoldAsync(Job job, QuarantineOrder order, IReadOnlyList<LoggedEvent> given, CancellationToken cancellationToken)
    {
        var held = await HoldHereAsync(job, given, cancellationToken);

        // What had gone elsewhere before the order is found by the events that gave it there.
        var moved = await movedHearts.FollowAsync(given, held, job, order.TargetId is not null, cancellationToken);
        if (moved.Count == 0) return held;
        var heldThere = await HoldAsync(job, order, [.. moved.Select(static heart => heart.To)], cancellationToken);
        var gone = moved.Where(heart => heldThere.Contains(heart.To)).Select(static heart => heart.From).ToList();

        // Given at both when a move was stopped half-way; it is one heart, and to be given back once.
        await store.ForgetHeldAsync(job.Id, [.. gone.Where(held.Contains).Select(Held)], 0, 0, cancellationToken);
        held.UnionWith(gone);
        return held;
    }

    private async Task<HashSet<LoggedEvent>> HoldHereAsync(Job job, IReadOnlyList<LoggedEvent> given, CancellationToken cancellationToken)
    {
        var current = new LoggedEvent?[given.Count];
        await hearts.ForEachAsync([.. Enumerable.Range(0, given.Count)], async (index, token) =>
        {
            var logged = given[index];
            if (await ledger.FindHeartAsync(logged.Position.Target, logged.Heart, token) is { } heart && heart.Version == logged.Position.Version) current[index] = logged;
        }, cancellationToken);

        // The same page done again finds what it had remembered and withdrawn before the crash no longer current; the ledger tells of those too.
        HeldHeart[] held = [.. current.OfType<LoggedEvent>().Select(Held)];
        await store.HoldAsync(job.Id, held, cancellationToken);
        await hearts.ForEachAsync(
            [.. current.OfType<LoggedEvent>()],
            (logged, token) => hearts.WithdrawAsync(logged.TargetId, logged.UserId, job.Origin(HeartCause.Quarantined), token),
            cancellationToken);
        var states = await store.ReadHeldAsync(job.Id, [.. given.Select(Held)], cancellationToken);
        HeldHeart[] others = [.. states.Where(state => state.LastKind != HeartEventKind.Withdrawn || state.LastJob != job.Id).Select(static state => state.Held)];
        if (others.Length > 0) await store.ForgetHeldAsync(job.Id, others, 0, 0, cancellationToken);
        var ours = states.Select(static state => state.Held).Except(others).ToHashSet();
        return [.. given.Where(logged => ours.Contains(Held(logged)))];
    }

    private static HeldHeart Held(LoggedEvent logged) => new(logged.Position.Target, logged.Position.Version, logged.Heart);

    private static long Until(Job job, QuarantineOrder order) => Math.Min(order.UntilMicros ?? long.MaxValue, job.StartedMicros);

    private static JobPage Next(Job job, QuarantineMark mark) => JobPage.Next(JsonSerializer.Serialize(mark, ModerationWorkJson.Default.QuarantineMark), Tell(job, mark));

    private static string Tell(Job job, QuarantineMark mark) =>
        JsonSerializer.Serialize(new QuarantineProgress(job.Id, mark.Held, 0, 0), ModerationWorkJson.Default.QuarantineProgress);
}
