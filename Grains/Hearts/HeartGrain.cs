using HeartGrains.Diagnostics;
using HeartGrains.Ledger;
using HeartGrains.Live;
using HeartGrains.Moderation;
using HeartGrains.Resilience;
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
    Breakers breakers,
    HeartKeys keys,
    IOptions<HeartOptions> options,
    TimeProvider time,
    GrainMetrics metrics,
    UnreadTargets unread,
    SiloLive live,
    Moderator moderator,
    ILocalSiloDetails silo) : Grain, IHeartGrain
{
    private static readonly TimeSpan UnknownTime = TimeSpan.FromSeconds(1);
    private readonly Dictionary<HeartId, HeartCall> _inFlight = [];
    private readonly Breaker _breaker = breakers.Of(Breakers.Ledger);
    private string _targetId = "";
    private Guid _target;
    private HeartSet _hearts = null!;
    private LedgerStream? _stream;
    private Task<bool>? _loading;
    private Action<LedgerStream> _wake = null!;
    private long _version;
    private long _opening;
    private int _openingsSet;
    private IGrainTimer? _leaving;
    private bool _isWanted;

    // Somebody but a long operation has asked: an operation that visits a hundred thousand targets leaves none of them in memory.
    private bool _isVisited;

    // Null until somebody watches: hearts of a target that nobody watches pay one look at it.
    private WatchedTarget<ILiveObserver>? _watched;

    // What was acknowledged is in memory, though what comes next has to be read first: no rival is known to have written.
    private bool _isReadable;

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
        LoseWatchers();
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public ValueTask<HeartReceipt> GiveAsync(string userId, HeartOrigin? origin = null, CancellationToken cancellationToken = default) =>
        Change(HeartEventKind.Given, userId, origin, cancellationToken);

    /// <inheritdoc/>
    public ValueTask<HeartReceipt> WithdrawAsync(string userId, HeartOrigin? origin = null, CancellationToken cancellationToken = default) =>
        Change(HeartEventKind.Withdrawn, userId, origin, cancellationToken);

    /// <inheritdoc/>
    public async ValueTask<HeartState> ReadAsync(string? userId, CancellationToken cancellationToken = default)
    {
        _isVisited = true;
        if (_stream is null && !await LoadAsync() && !_isReadable) return new HeartState(HeartOutcome.LedgerUnavailable, 0, 0, null);
        if (_rule?.MovedTo is { } to) return await ReadThereAsync(to, userId, cancellationToken);

        // Taken before the ledger is asked: a version that is older than "hearted" is corrected by the next, one that is newer never.
        var state = new HeartState(HeartOutcome.Committed, _hearts.Count, _version, null, _opening);
        if (userId is not null)
        {
            var heart = keys.OfHeart(_target, userId);
            var isHearted = _hearts.TryGet(heart, out _);
            if (!isHearted && !_hearts.IsComplete)
            {
                if (await FindAsync(heart) is not { IsKnown: true } found)
                    return new HeartState(HeartOutcome.LedgerUnavailable, 0, 0, null);
                isHearted = found.Heart is not null;
            }

            state = state with { Hearted = isHearted };
        }

        LeaveIfUnknown();
        return state;
    }

    /// <inheritdoc/>
    public ValueTask<HeartState> WatchAsync(ILiveObserver observer, CancellationToken cancellationToken = default)
    {
        if (_stream is null || _rule is not null) return WatchWhereItIsAsync(observer, cancellationToken);

        // Before it is read: what commits in between is told, and nothing is missed.
        (_watched ??= live.Board.Open(_targetId)).Add(observer);
        return ReadAsync(null, cancellationToken);
    }

    /// <inheritdoc/>
    public ValueTask UnwatchAsync(ILiveObserver observer, CancellationToken cancellationToken = default)
    {
        _watched?.Remove(observer);
        LeaveIfUnknown();
        return _rule?.MovedTo is { } to ? RuledAt(to).UnwatchAsAsync(_targetId, observer, cancellationToken) : default;
    }

    /// <inheritdoc/>
    public async ValueTask<OpeningReceipt> SetOpeningAsync(long opening, string reason, HeartOrigin origin, CancellationToken cancellationToken = default)
    {
        bool isChanged;
        try
        {
            var rule = _stream is null ? await moderator.Store.FindRuleAsync(_target, CancellationToken.None) : _rule;
            if (rule?.MovedTo is not null) return new OpeningReceipt(HeartOutcome.Moved, false);
            isChanged = await ledger.SetOpeningAsync(_target, _targetId, opening, moderator.DecideOpening(reason, origin), CancellationToken.None);
        }
        catch (LedgerException)
        {
            return new OpeningReceipt(HeartOutcome.Unknown, false);
        }

        _isVisited = true;
        _opening = opening;
        _openingsSet++;
        LeaveIfUnknown();
        return new OpeningReceipt(HeartOutcome.Committed, isChanged);
    }

    private ValueTask<HeartReceipt> Change(HeartEventKind kind, string userId, HeartOrigin? origin, CancellationToken cancellationToken)
    {
        if (Moderator.IsUsers(origin)) _isVisited = true;
        if (_stream is null) return LoadAndChangeAsync(kind, userId, origin, cancellationToken);
        return _rule is not null || moderator.Blocks.IsAny
            ? ChangeUnderOrders(kind, userId, origin, cancellationToken)
            : ChangeHere(kind, keys.OfHeart(_target, userId), userId, origin, cancellationToken);
    }

    private async ValueTask<HeartReceipt> LoadAndChangeAsync(HeartEventKind kind, string userId, HeartOrigin? origin, CancellationToken cancellationToken)
    {
        if (!await LoadAsync()) return Refusal(HeartOutcome.LedgerUnavailable);
        cancellationToken.ThrowIfCancellationRequested();
        return await Change(kind, userId, origin, cancellationToken);
    }

    private ValueTask<HeartReceipt> ChangeHere(HeartEventKind kind, HeartId heart, string userId, HeartOrigin? origin, CancellationToken cancellationToken)
    {
        if (_stream is null || _inFlight.ContainsKey(heart)) return ChangeLaterAsync(kind, heart, userId, origin, cancellationToken);
        var isHeld = _hearts.TryGet(heart, out var givenAt);
        if (!isHeld && !_hearts.IsComplete) return ChangeLaterAsync(kind, heart, userId, origin, cancellationToken);
        return isHeld == (kind == HeartEventKind.Given) ? new(NoChange(heart, givenAt)) : Append(kind, heart, userId, origin);
    }

    /// <summary>
    /// The ways that wait before deciding: for the target, for an earlier call of the user, for the ledger's word. Whoever has given up
    /// by then changes nothing: the user may have asked for the opposite since. What operators have ordered meanwhile is asked anew.
    /// </summary>
    private async ValueTask<HeartReceipt> ChangeLaterAsync(
        HeartEventKind kind, HeartId heart, string userId, HeartOrigin? origin, CancellationToken cancellationToken)
    {
        var rule = _rule;
        while (true)
        {
            if (_stream is null && !await LoadAsync()) return Refusal(HeartOutcome.LedgerUnavailable);
            cancellationToken.ThrowIfCancellationRequested();
            if (rule != _rule) return await Change(kind, userId, origin, cancellationToken);
            if (_inFlight.TryGetValue(heart, out var earlier))
            {
                // A failure is shared: tried again for each who waits, it would let the last wait for all the others' attempts.
                if (await earlier.JoinAsync() is var outcome and not HeartOutcome.Committed) return Refusal(outcome);
                continue;
            }

            if (_hearts.TryGet(heart, out _) || _hearts.IsComplete) return await ChangeHere(kind, heart, userId, origin, cancellationToken);

            var stream = _stream;
            var found = await FindInPlaceAsync(heart);
            if (!found.IsKnown) return Refusal(HeartOutcome.LedgerUnavailable);
            if (stream != _stream || stream is null || rule != _rule) continue;
            var isGiven = found.Heart is not null;
            if (isGiven == (kind == HeartEventKind.Given)) return NoChange(heart, found.Heart?.GivenAtMicros ?? 0);
            cancellationToken.ThrowIfCancellationRequested();
            return await Append(kind, heart, userId, origin);
        }
    }

    private ValueTask<HeartReceipt> Append(HeartEventKind kind, HeartId heart, string userId, HeartOrigin? origin, string? fromUserId = null, HeartId fromHeart = default)
    {
        // Not queued to wait for a ledger that is not asked.
        if (!_breaker.WouldPass(out _)) return new(Refusal(HeartOutcome.LedgerUnavailable));
        var stream = _stream!;
        var call = HeartCall.Rent();
        call.Stream = stream;
        call.Heart = heart;
        call.UserId = userId;
        call.Kind = kind;
        call.Origin = origin;
        (call.FromUserId, call.FromHeart) = (fromUserId, fromHeart);
        call.Trace = Traces.Current;
        call.AtMicros = time.NowMicros();
        call.NetworkMac = keys.OfNetwork(heart, call.AtMicros, origin);
        call.FromNetworkMac = fromUserId is null ? 0 : keys.OfNetwork(fromHeart, call.AtMicros, origin);
        var answer = call.AsTask();
        _inFlight.Add(heart, call);
        if (fromUserId is not null) _inFlight.Add(fromHeart, call);
        stream.OwnerWillLook = true;
        var result = writer.Enqueue(call);
        stream.OwnerWillLook = false;
        if (result != EnqueueResult.Queued)
        {
            var outcome = result == EnqueueResult.Full ? HeartOutcome.QueueFull : HeartOutcome.LedgerUnavailable;
            Land(call);
            call.Return(outcome);
            answer = new(Refusal(outcome));
        }

        // Queued or not: what was settled meanwhile has woken nobody.
        DrainSettled(stream);
        return answer;
    }

    private void Land(HeartCall call)
    {
        _inFlight.Remove(call.Heart);
        if (call.FromUserId is not null) _inFlight.Remove(call.FromHeart);
    }

    /// <summary>Takes over what the ledger has settled: the only place where memory changes.</summary>
    private void DrainSettled(LedgerStream stream)
    {
        var entry = stream.TakeSettled();
        var now = entry is null ? 0 : time.GetTimestamp();
        while (entry is not null)
        {
            var call = (HeartCall)entry;
            entry = entry.Next;
            Land(call);
            if (call.Outcome == EntryOutcome.Committed)
            {
                _hearts.Apply(call.Kind, call.Heart, call.AtMicros);
                if (call.FromUserId is not null) _hearts.Apply(HeartEventKind.Withdrawn, call.FromHeart, call.AtMicros);
                _version = call.Version;
                var givenAt = call.Kind == HeartEventKind.Given ? call.AtMicros : 0;
                call.Complete(new HeartReceipt(HeartOutcome.Committed, true, call.Heart, _hearts.Count, _version, givenAt, (int)time.GetElapsedTime(call.QueuedAt, now).TotalMilliseconds));
                continue;
            }

            if (call.Outcome == EntryOutcome.Conflict) _isReadable = false;
            if (call.Outcome != EntryOutcome.Refused && _stream == stream) _stream = null;
            call.Complete(Refusal(call.Outcome switch
            {
                EntryOutcome.Conflict => HeartOutcome.Conflict,
                EntryOutcome.Unknown => HeartOutcome.Unknown,
                _ => HeartOutcome.LedgerUnavailable,
            }));
        }

        Publish();
        LeaveIfUnknown();
    }

    /// <summary>Reads the target, once for all who wait; false when the ledger cannot be read.</summary>
    private async ValueTask<bool> LoadAsync()
    {
        while (_stream is null)
        {
            var loading = _loading ??= ReadLedgerAsync();
            bool isLoaded;
            try
            {
                isLoaded = await loading;
            }
            finally
            {
                if (_loading == loading) _loading = null;
            }

            if (isLoaded) continue;
            LeaveIfUnknown();
            return false;
        }

        return true;
    }

    private async Task<bool> ReadLedgerAsync()
    {
        try
        {
            var limit = options.Value.DedupeLimit;
            var (openingsSet, rulesSet) = (_openingsSet, _rulesSet);
            var snapshot = await ledger.LoadAsync(_target, limit, CancellationToken.None);
            if (snapshot.Rule?.MovedTo is not null && !await LeadsToPlaceAsync(snapshot.Rule)) return false;
            _hearts = HeartSet.From(snapshot, limit);
            _version = snapshot.Tail.Count > 0 ? snapshot.Tail[^1].Version : snapshot.FoldedVersion;

            // What was set meanwhile is newer than the snapshot may be.
            if (openingsSet == _openingsSet) _opening = snapshot.Opening;
            _stream = new LedgerStream(_target, _targetId, _version, _wake);
            _isReadable = true;
            metrics.Loaded();
            if (rulesSet == _rulesSet) Follow(snapshot.Rule);
            Publish();
            return true;
        }
        catch (LedgerException exception)
        {
            unread.Tell(exception);
            return false;
        }
    }

    /// <summary>Holds the user's place while the ledger is asked, so that no second call decides beside this one.</summary>
    private async ValueTask<(bool IsKnown, CurrentHeart? Heart)> FindInPlaceAsync(HeartId heart)
    {
        var place = HeartCall.Rent();
        _inFlight.Add(heart, place);
        var isKnown = false;
        try
        {
            var found = await FindAsync(heart);
            isKnown = found.IsKnown;
            return found;
        }
        finally
        {
            _inFlight.Remove(heart);
            place.Return(isKnown ? HeartOutcome.Committed : HeartOutcome.LedgerUnavailable);
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
            unread.Tell(exception);
            return (false, null);
        }
    }

    private HeartReceipt NoChange(HeartId heart, long givenAtMicros)
    {
        LeaveIfUnknown();
        return new HeartReceipt(HeartOutcome.Committed, false, heart, _hearts.Count, _version, givenAtMicros);
    }

    private static HeartReceipt Refusal(HeartOutcome outcome) => new(outcome, false, default, 0, 0, 0);

    /// <summary>
    /// A target without a log keeps no activation: reading invented ids leaves nothing behind. It goes when nobody has asked for a while and
    /// not at once: what is on its way to an activation that leaves is forwarded, and not for ever. While it is watched it stays: its first heart would be given to an
    /// activation that knows of no watcher. One that only long operations have asked goes in the same way.
    /// </summary>
    private void LeaveIfUnknown()
    {
        if (_version > 0 && _isVisited) return;
        _isWanted = true;
        _leaving ??= this.RegisterGrainTimer(
            static (grain, _) => grain.LeaveUnlessWanted(), this, new() { DueTime = UnknownTime, Period = UnknownTime, Interleave = true });
    }

    private Task LeaveUnlessWanted()
    {
        if (_version > 0 && _isVisited)
        {
            _leaving?.Dispose();
            _leaving = null;
        }
        else if (!_isWanted && _inFlight.Count == 0 && _watched?.IsWatched is not true && !IsWatchedAs)
        {
            DeactivateOnIdle();
        }

        _isWanted = false;
        return Task.CompletedTask;
    }
}
