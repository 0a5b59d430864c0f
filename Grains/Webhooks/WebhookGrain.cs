using HeartGrains.Audit;
using HeartGrains.Diagnostics;
using HeartGrains.Hearts;
using HeartGrains.Ledger;
using HeartGrains.Moderation;
using Microsoft.Extensions.Logging;
using Orleans.Runtime;

namespace HeartGrains.Webhooks;

/// <summary>
/// Follows the log for one endpoint and posts what changed: each turn takes the changes over, then sends what is due. Turns do not overlap, and a turn sends one message a target, so the
/// messages of a target are in order. A message is the target's state when it is sent, and no older than what was taken over: what changes while a target waits goes with it.
/// </summary>
internal sealed partial class WebhookGrain(
    IEventLog log, IWebhookStore store, WebhookSettings settings, WebhookSender sender, WebhookMetrics metrics, TimeProvider time, ILogger<WebhookGrain> logger)
    : Grain, IWebhookGrain
{
    private const int EventsAtOnce = 1_000;
    private const int PagesInATurn = 20;
    private const int TargetsInATurn = 200;
    private const int SendsAtOnce = 16;
    private static readonly TimeSpan Period = TimeSpan.FromMilliseconds(250);

    // Until when a target that was told rests; of the last turn's alone, so it stays small.
    private readonly Dictionary<Guid, long> _restUntil = [];
    private readonly Throttle _unread = new(time.TimestampFrequency);
    private WebhookEndpoint? _endpoint;
    private EventPosition? _place;
    private string? _lastError;

    /// <inheritdoc/>
    public override Task OnActivateAsync(CancellationToken cancellationToken)
    {
        _endpoint = settings.Find(this.GetPrimaryKeyString()[IWebhookGrain.KeyPrefix.Length..]);
        if (_endpoint is null) return Task.CompletedTask;
        metrics.Announce(_endpoint.Name);
        this.RegisterGrainTimer(static (grain, stop) => grain.RunAsync(stop), this, new() { DueTime = TimeSpan.Zero, Period = Period, KeepAlive = true });
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public override Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken)
    {
        if (_endpoint is not null) metrics.Forget(_endpoint.Name);
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public ValueTask ServeAsync(CancellationToken cancellationToken = default)
    {
        // Another silo may know of it.
        if (_endpoint is null) DeactivateOnIdle();
        return default;
    }

    /// <inheritdoc/>
    public ValueTask<WebhookStanding?> ReadAsync(CancellationToken cancellationToken = default) => AskAsync<WebhookStanding?>(async name =>
    {
        var (pending, failing, dead) = await store.CountAsync(name, cancellationToken);
        return new WebhookStanding(pending, failing, dead, _lastError);
    });

    /// <inheritdoc/>
    public ValueTask<DeadLetter[]?> ListDeadAsync(string after, int limit, CancellationToken cancellationToken = default) =>
        AskAsync<DeadLetter[]?>(async name => [.. await store.ListDeadAsync(name, after, limit, cancellationToken)]);

    /// <inheritdoc/>
    public ValueTask<int?> ResendAsync(string? targetId, CancellationToken cancellationToken = default) =>
        AskAsync<int?>(async name => await store.ResendAsync(name, targetId, time.NowMicros(), cancellationToken));

    private async ValueTask<T?> AskAsync<T>(Func<string, ValueTask<T?>> question)
    {
        try
        {
            return _endpoint is null ? default : await question(_endpoint.Name);
        }
        catch (LedgerException)
        {
            return default;
        }
    }

    private async Task RunAsync(CancellationToken stop)
    {
        try
        {
            await TakeOverAsync(stop);
            await SendDueAsync(stop);
            var (pending, _, dead) = await store.CountAsync(_endpoint!.Name, stop);
            metrics.Show(_endpoint.Name, pending, dead);
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // The activation ends; the next one goes on from the ledger.
        }
        catch (Exception exception)
        {
            // The ledger, or the silo of a target. Nothing is lost: what was not settled is due still.
            _place = null;
            if (_unread.TryPass(time.GetTimestamp(), out var count)) Log.Waits(logger, count, exception is LedgerException ? exception.Message : exception.GetType().Name);
        }
    }

    /// <summary>Takes over what changed since the last turn. An endpoint that is new begins with what comes.</summary>
    private async Task TakeOverAsync(CancellationToken stop)
    {
        var name = _endpoint!.Name;
        if (_place is null && (_place = await store.FindPlaceAsync(name, stop)) is null)
        {
            var here = new EventPosition(await log.FindHorizonAsync(stop), AfterAll, long.MaxValue);
            await store.AdvanceAsync(name, here, [], stop);
            _place = here;
        }

        for (var page = 0; page < PagesInATurn; page++)
        {
            var events = await log.ReadAsync(_place.Value, await log.FindHorizonAsync(stop), default, EventsAtOnce, stop);
            if (events.Count == 0) return;
            var now = time.NowMicros();
            ChangedTarget[] changed = [.. events
                .Select(ChangedBy)
                .OfType<(Guid Target, string TargetId)>()
                .DistinctBy(static changed => changed.Target)
                .Select(changed => new ChangedTarget(changed.Target, changed.TargetId, Math.Max(now, _restUntil.GetValueOrDefault(changed.Target))))];
            await store.AdvanceAsync(name, events[^1].Position, changed, stop);
            _place = events[^1].Position;
            if (events.Count < EventsAtOnce) return;
        }
    }

    /// <summary>The target that tells another state since an event: the heart's; of a decision, the one whose opening balance is another, or that is another name since. Null where none does.</summary>
    private static (Guid Target, string TargetId)? ChangedBy(LoggedEvent logged) =>
        logged.Kind != HeartEventKind.Decided ? (logged.Position.Target, logged.TargetId)
        : logged.About is { } target && DecisionDetail.Read(logged.Detail!) is { Action: OpeningSet.Name or ModerationDetail.Moved, TargetId: { } targetId } ? (target, targetId)
        : null;

    private async Task SendDueAsync(CancellationToken stop)
    {
        var due = await store.ListDueAsync(_endpoint!.Name, time.NowMicros(), TargetsInATurn, stop);
        var now = time.NowMicros();
        foreach (var (target, _) in _restUntil.Where(rest => rest.Value <= now).ToArray()) _restUntil.Remove(target);
        foreach (var group in due.Chunk(SendsAtOnce)) await Task.WhenAll(group.Select(waiting => SendAsync(waiting, stop)));
    }

    private async Task SendAsync(WaitingTarget waiting, CancellationToken stop)
    {
        // By its bare key: the usual overload refuses keys of white space, which are fine targets.
        var grain = (ITargetRuleGrain)GrainFactory.GetGrain(typeof(ITargetRuleGrain), IdSpan.Create(waiting.TargetId));
        if (await ReadAsync(grain, stop) is not { Outcome: HeartOutcome.Committed } state) return;
        var attempt = await sender.SendAsync(_endpoint!, WebhookMessage.IdOf(_endpoint!.Name, waiting.Target, state), WebhookMessage.Write(waiting.TargetId, state), stop);
        var now = time.NowMicros();
        if (attempt.Error is null)
        {
            var rest = now + Micros(settings.Options.Coalesce);
            _restUntil[waiting.Target] = rest;
            await store.DeliveredAsync(_endpoint.Name, waiting, rest, stop);
            metrics.Count(_endpoint.Name, WebhookResult.Delivered);
            return;
        }

        _lastError = attempt.Error;
        var since = waiting.SinceMicros == 0 ? now : waiting.SinceMicros;
        var isDead = now - since >= Micros(settings.Options.GiveUpAfter);
        var next = now + Micros(WebhookSchedule.Delay(settings.Options.RetryDelay, waiting.Attempts, attempt.RetryAfter, Random.Shared.NextDouble()));
        await store.FailedAsync(_endpoint.Name, waiting, since, isDead ? null : next, attempt.Error, stop);
        metrics.Count(_endpoint.Name, isDead ? WebhookResult.Dead : WebhookResult.Failed);
        if (isDead) Log.Dead(logger, _endpoint.Name, attempt.Error);
    }

    /// <summary>Null when the target's silo does not answer: it is due still, and keeps no other waiting.</summary>
    private static async Task<HeartState?> ReadAsync(ITargetRuleGrain grain, CancellationToken stop)
    {
        try
        {
            return await grain.ReadInTurnAsync(stop);
        }
        catch (Exception) when (!stop.IsCancellationRequested)
        {
            return null;
        }
    }

    // Behind every event of its transaction or row.
    private static Guid AfterAll { get; } = new(Enumerable.Repeat((byte)0xFF, 16).ToArray());

    private static long Micros(TimeSpan span) => span.Ticks / TimeSpan.TicksPerMicrosecond;

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Warning, "{Count} times since this was last told an endpoint waits for the ledger: {Reason}")]
        public static partial void Waits(ILogger logger, int count, string reason);

        [LoggerMessage(2, LogLevel.Error, "A target's state could not be delivered to the endpoint {Endpoint} and is a dead letter: it {Reason}")]
        public static partial void Dead(ILogger logger, string endpoint, string reason);
    }
}
