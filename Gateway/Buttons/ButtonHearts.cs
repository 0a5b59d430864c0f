using HeartGrains.Gateway.Diagnostics;
using HeartGrains.Gateway.Hearts;
using HeartGrains.Gateway.Identity;
using HeartGrains.Gateway.Resilience;
using HeartGrains.Gateway.Sites;
using HeartGrains.Hearts;

namespace HeartGrains.Gateway.Buttons;

/// <summary>What buttons made elsewhere need of hearts: who the reader is, what targets are like, and a heart that is not given up lightly.</summary>
internal sealed class ButtonHearts(
    GrainCalls calls, HeartGiving giving, Readers readers, CallerNetworks networks, SiteList sites, LastKnown lastKnown, ButtonDoor door, GatewayMetrics metrics, TimeProvider time)
{
    private const int WaitingLimit = 1_000;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);
    private readonly RecoverySchedule _schedule = new(TimeSpan.FromMilliseconds(150), TimeSpan.FromSeconds(1));
    private int _waiting;

    /// <summary>
    /// The reader whose token came from a page that may send it, else whom the address stands for today; null for nobody. A token from elsewhere counts for nothing: a page that the reader did not mean
    /// to give a heart on could send it.
    /// </summary>
    public string? ReaderOf(HttpContext context, AddressReaders mode) =>
        (context.Request.Headers.Origin.Count > 0 && sites.Allows(context) ? readers.Find(context) : null) ?? readers.OfAddress(context, mode);

    /// <summary>The targets as they are; where nobody can be asked, those that are known from before as they were.</summary>
    public async ValueTask<ButtonReading> ReadAsync(HttpContext context, string[] targets, string? user = null)
    {
        if (user is null && calls.SparingAge is { } age && Array.TrueForAll(targets, target => lastKnown.TryFind(target, age, out _))) return Recall(targets);
        if (door.TryEnter(context, out var visit))
        {
            var call = new HeartBatchRead(targets, user) { RequestAborted = context.RequestAborted };
            var status = await calls.CallAsync(call);
            var isFresh = status == CallStatus.Answered && call.Outcome == HeartOutcome.Committed;
            visit.Leave(isFresh);
            if (isFresh)
            {
                for (var index = 0; index < targets.Length; index++) lastKnown.Note(targets[index], call.Value[index]);
                return new ButtonReading(Array.ConvertAll<HeartState, HeartState?>(call.Value, static state => state), true);
            }
        }

        return Recall(targets);
    }

    /// <summary>The targets as this gateway last heard of them, with nobody asked.</summary>
    public ButtonReading Recall(string[] targets)
    {
        metrics.CountStale();
        return new ButtonReading(
            Array.ConvertAll<string, HeartState?>(
                targets, target => lastKnown.TryFind(target, out var known) ? new HeartState(HeartOutcome.Committed, known.Count, known.Version, null, known.Opening) : null),
            false);
    }

    /// <summary>Gives a heart, once.</summary>
    public async ValueTask<GiveResult> GiveAsync(HttpContext context, string target, string user)
    {
        if (!door.TryEnter(context, out var visit))
        {
            var refusal = new GiveRefusal(CallStatus.Paused, default, 1);
            return new GiveResult(refusal.Result, default, refusal);
        }

        var isServed = false;
        try
        {
            var result = await giving.GiveAsync(context, target, new Caller(user, networks.Fill(context, HeartOrigin.Reader)));
            isServed = result.Refusal is null;
            return result;
        }
        finally
        {
            visit.Leave(isServed);
        }
    }

    /// <summary>
    /// Gives a heart, again and again for some seconds while what is in its way may pass: its button marks it sent for ever, whatever it is answered. A bounded number wait so; the others are told at once.
    /// </summary>
    public async ValueTask<GiveResult> GivePatientlyAsync(HttpContext context, string target, string user)
    {
        var began = time.GetTimestamp();
        for (var attempt = 0; ; attempt++)
        {
            var result = await GiveAsync(context, target, user);
            if (result.Refusal is not { IsPassing: true }) return result;
            var delay = _schedule.DelayAfter(attempt, Random.Shared.NextDouble());
            if (time.GetElapsedTime(began) + delay > Patience || !await WaitAsync(delay, context.RequestAborted)) return result;
        }
    }

    private async ValueTask<bool> WaitAsync(TimeSpan delay, CancellationToken aborted)
    {
        if (Interlocked.Increment(ref _waiting) > WaitingLimit)
        {
            Interlocked.Decrement(ref _waiting);
            return false;
        }

        try
        {
            await Task.Delay(delay, time, aborted);
            return true;
        }
        catch (OperationCanceledException)
        {
            return false;
        }
        finally
        {
            Interlocked.Decrement(ref _waiting);
        }
    }
}

/// <summary>Targets as they are, or were.</summary>
/// <param name="States">In the order asked; null where nothing is known.</param>
/// <param name="IsFresh">They are as they are now.</param>
internal readonly record struct ButtonReading(HeartState?[] States, bool IsFresh);
