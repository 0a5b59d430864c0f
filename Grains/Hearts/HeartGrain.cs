using HeartGrains.Diagnostics;
using HeartGrains.Ledger;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace HeartGrains.Hearts;

/// <summary>
/// One target. Decide, make durable, change memory, answer. All methods interleave; what survives every await is that a user has
/// at most one change in flight (<see cref="_inFlight"/>), so a decision made before the append still holds when it has committed, and that
/// memory changes only in <see cref="DrainSettled"/>, in the order of the log.
/// </summary>
internal sealed partial class HeartGrain(
    IHeartLedger ledger,
    LedgerWriter writer,
    HeartKeys keys,
    IOptions<HeartOptions> options,
    TimeProvider time,
    GrainMetrics metrics,
    ILogger<HeartGrain> logger) : Grain, IHeartGrain
{
    private readonly Dictionary<HeartId, HeartCall> _inFlight = [];
    private string _targetId = "";
    private Guid _target;
    private HeartSet _hearts = null!;
    private LedgerStream? _stream;
    private Task<bool>? _loading;
    private Action<LedgerStream> _wake = null!;
    private long _version;

    /// <inheritdoc/>
    public override Task OnActivateAsync(CancellationToken cancellationToken)
    {
        _targetId = this.GetPrimaryKeyString();
        _target = keys.OfTarget(_targetId);
        var scheduler = GrainContext.Scheduler;
        Action<object> drain = stream => DrainSettled((LedgerStream)stream);
        _wake = stream => scheduler.QueueAction(drain, stream);
        metrics.Activated();
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public override Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken)
    {
        metrics.Deactivated();
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public ValueTask<HeartReceipt> GiveAsync(string userId, CancellationToken cancellationToken = default) =>
        Change(HeartEventKind.Given, userId);

    /// <inheritdoc/>
    public ValueTask<HeartReceipt> WithdrawAsync(string userId, CancellationToken cancellationToken = default) =>
        Change(HeartEventKind.Withdrawn, userId);

    /// <inheritdoc/>
    public async ValueTask<HeartState> ReadAsync(string? userId, CancellationToken cancellationToken = default)
    {
        if (_stream is null && !await LoadAsync()) return new HeartState(HeartOutcome.LedgerUnavailable, 0, 0, null);
        bool? hearted = null;
        if (userId is not null)
        {
            var heart = keys.OfHeart(_target, userId);
            hearted = _hearts.TryGet(heart, out _);
            if (hearted is false && !_hearts.IsComplete)
            {
                if (await FindAsync(heart) is not { IsKnown: true } found)
                    return new HeartState(HeartOutcome.LedgerUnavailable, 0, 0, null);
                hearted = found.Heart is not null;
            }
        }

        LeaveIfUnknown();
        return new HeartState(HeartOutcome.Committed, _hearts.Count, _version, hearted);
    }

    private ValueTask<HeartReceipt> Change(HeartEventKind kind, string userId)
    {
        var heart = keys.OfHeart(_target, userId);
        if (_stream is null || _inFlight.ContainsKey(heart)) return ChangeLaterAsync(kind, heart, userId);
        var isHeld = _hearts.TryGet(heart, out var givenAt);
        if (!isHeld && !_hearts.IsComplete) return ChangeLaterAsync(kind, heart, userId);
        return isHeld == (kind == HeartEventKind.Given) ? new(NoChange(heart, givenAt)) : Append(kind, heart, userId);
    }

    /// <summary>The ways that wait before deciding: for the target, for an earlier call of the user, for the ledger's word.</summary>
    private async ValueTask<HeartReceipt> ChangeLaterAsync(HeartEventKind kind, HeartId heart, string userId)
    {
        while (true)
        {
            if (_stream is null && !await LoadAsync()) return Refusal(HeartOutcome.LedgerUnavailable);
            if (_inFlight.TryGetValue(heart, out var earlier))
            {
                await earlier.JoinAsync();
                continue;
            }

            if (_hearts.TryGet(heart, out _) || _hearts.IsComplete) return await Change(kind, userId);

            // Holds the user's place while the ledger is asked, so that no second call decides beside this one.
            var place = HeartCall.Rent();
            _inFlight.Add(heart, place);
            var stream = _stream;
            var found = await FindAsync(heart);
            _inFlight.Remove(heart);
            place.Return();
            if (!found.IsKnown) return Refusal(HeartOutcome.LedgerUnavailable);
            if (stream != _stream || stream is null) continue;
            var isGiven = found.Heart is not null;
            return isGiven == (kind == HeartEventKind.Given)
                ? NoChange(heart, found.Heart?.GivenAtMicros ?? 0)
                : await Append(kind, heart, userId);
        }
    }

    private ValueTask<HeartReceipt> Append(HeartEventKind kind, HeartId heart, string userId)
    {
        var stream = _stream!;
        var call = HeartCall.Rent();
        call.Stream = stream;
        call.Heart = heart;
        call.UserId = userId;
        call.Kind = kind;
        call.AtMicros = (time.GetUtcNow().Ticks - DateTime.UnixEpoch.Ticks) / TimeSpan.TicksPerMicrosecond;
        var answer = call.AsTask();
        _inFlight.Add(heart, call);
        stream.OwnerWillLook = true;
        var isQueued = writer.TryEnqueue(call);
        stream.OwnerWillLook = false;
        if (isQueued)
        {
            DrainSettled(stream);
            return answer;
        }

        _inFlight.Remove(heart);
        call.Return();
        LeaveIfUnknown();
        return new(Refusal(HeartOutcome.QueueFull));
    }

    /// <summary>Takes over what the ledger has settled: the only place where memory changes.</summary>
    private void DrainSettled(LedgerStream stream)
    {
        for (var entry = stream.TakeSettled(); entry is not null;)
        {
            var call = (HeartCall)entry;
            entry = entry.Next;
            _inFlight.Remove(call.Heart);
            if (call.Outcome == EntryOutcome.Committed)
            {
                _hearts.Apply(call.Kind, call.Heart, call.AtMicros);
                _version = call.Version;
                var givenAt = call.Kind == HeartEventKind.Given ? call.AtMicros : 0;
                call.Complete(new HeartReceipt(HeartOutcome.Committed, true, call.Heart, _hearts.Count, _version, givenAt));
                continue;
            }

            if (call.Outcome != EntryOutcome.Refused && _stream == stream) _stream = null;
            call.Complete(Refusal(call.Outcome switch
            {
                EntryOutcome.Conflict => HeartOutcome.Conflict,
                EntryOutcome.Unknown => HeartOutcome.Unknown,
                _ => HeartOutcome.LedgerUnavailable,
            }));
        }

        LeaveIfUnknown();
    }

    /// <summary>Reads the target, once for all who wait; false when the ledger cannot be read.</summary>
    private async ValueTask<bool> LoadAsync()
    {
        while (_stream is null)
        {
            var loading = _loading ??= ReadLedgerAsync();
            var isLoaded = await loading;
            if (_loading == loading) _loading = null;
            if (!isLoaded) return false;
        }

        return true;
    }

    private async Task<bool> ReadLedgerAsync()
    {
        try
        {
            var limit = options.Value.DedupeLimit;
            var snapshot = await ledger.LoadAsync(_target, limit, CancellationToken.None);
            _hearts = HeartSet.From(snapshot, limit);
            _version = snapshot.Tail.Count > 0 ? snapshot.Tail[^1].Version : snapshot.FoldedVersion;
            _stream = new LedgerStream(_target, _targetId, _version, _wake);
            metrics.Loaded();
            return true;
        }
        catch (LedgerException exception)
        {
            Log.CannotLoad(logger, exception);
            return false;
        }
    }

    private async ValueTask<(bool IsKnown, CurrentHeart? Heart)> FindAsync(HeartId heart)
    {
        try
        {
            return (true, await ledger.FindHeartAsync(_target, heart, CancellationToken.None));
        }
        catch (LedgerException exception)
        {
            Log.CannotLoad(logger, exception);
            return (false, null);
        }
    }

    private HeartReceipt NoChange(HeartId heart, long givenAtMicros)
    {
        LeaveIfUnknown();
        return new HeartReceipt(HeartOutcome.Committed, false, heart, _hearts.Count, _version, givenAtMicros);
    }

    private static HeartReceipt Refusal(HeartOutcome outcome) => new(outcome, false, default, 0, 0, 0);

    /// <summary>A target without a log keeps no activation: reading invented ids leaves nothing behind.</summary>
    private void LeaveIfUnknown()
    {
        if (_version == 0 && _inFlight.Count == 0) DeactivateOnIdle();
    }

    private static partial class Log
    {
        [LoggerMessage(Level = LogLevel.Warning, Message = "A target could not be read from the ledger")]
        public static partial void CannotLoad(ILogger logger, Exception exception);
    }
}
