using HeartGrains.Ledger;
using HeartGrains.Live;
using HeartGrains.Moderation;

namespace HeartGrains.Hearts;

/// <summary>
/// What operators tell a target. The rule is read with the target, in one snapshot, and changed by orders, which take turns and are durable before they are followed. Another activation of the target,
/// which a split network left behind, follows the rule that it has read until it reads again.
/// </summary>
internal sealed partial class HeartGrain : ITargetRuleGrain
{
    // Null for nearly all targets: those pay one look at it.
    private TargetRule? _rule;
    private int _rulesSet;

    // Who watches this target under another name that was moved here, and how far that name's versions are ahead.
    private Dictionary<string, (WatchedTarget<ILiveObserver> Watched, long Ahead)>? _aliases;

    private bool IsWatchedAs => _aliases?.Values.Any(static alias => alias.Watched.IsWatched) is true;

    /// <inheritdoc/>
    public ValueTask<RuleReceipt> FreezeAsync(bool isFrozen, string reason, HeartOrigin origin, CancellationToken cancellationToken = default) =>
        RuleAsync(() => moderator.Store.FreezeAsync(
            _target, _targetId, isFrozen, reason, moderator.Decide(isFrozen ? "frozen" : "unfrozen", reason, origin, _target, "", ("target_id", _targetId)), CancellationToken.None));

    /// <inheritdoc/>
    public ValueTask<RuleReceipt> RedirectAsync(string to, string reason, HeartOrigin origin, CancellationToken cancellationToken = default) =>
        RuleAsync(() => moderator.Store.RedirectAsync(
            _target, _targetId, keys.OfTarget(to), to, reason,
            moderator.Decide(ModerationDetail.Moved, reason, origin, _target, "", ("target_id", _targetId), ("to", to)), CancellationToken.None));

    /// <inheritdoc/>
    public async ValueTask<HeartReceipt> MoveHeartAsync(string userId, HeartOrigin origin, CancellationToken cancellationToken = default)
    {
        var heart = keys.OfHeart(_target, userId);
        while (true)
        {
            if (_stream is null && !await LoadAsync()) return Refusal(HeartOutcome.LedgerUnavailable);
            if (!_inFlight.TryGetValue(heart, out var earlier)) break;
            await earlier.JoinAsync();
        }

        // Read before the order came here, by an activation that a split network left behind: it is read again next time.
        if (_rule?.MovedTo is not { } to) return Refusal(HeartOutcome.Conflict);

        // The user's place is held until the heart is there, so that the user's own calls come before or after all of it.
        var place = HeartCall.Rent();
        _inFlight.Add(heart, place);
        try
        {
            if (!_hearts.TryGet(heart, out _))
            {
                if (_hearts.IsComplete) return NoChange(heart, 0);
                var found = await FindAsync(heart);
                if (!found.IsKnown) return Refusal(HeartOutcome.LedgerUnavailable);
                if (found.Heart is null) return NoChange(heart, 0);
            }

            if (await HeartAt(to).GiveAsync(userId, origin, cancellationToken) is { Outcome: not HeartOutcome.Committed } refused) return refused;
        }
        finally
        {
            _inFlight.Remove(heart);
            place.Return(HeartOutcome.Committed);
        }

        // In the same turn: who waited for the place comes after it.
        return await ChangeHere(HeartEventKind.Withdrawn, heart, userId, origin, cancellationToken);
    }

    /// <inheritdoc/>
    public async ValueTask<OpeningReceipt> TakeOpeningAsync(string from, string reason, HeartOrigin origin, CancellationToken cancellationToken = default)
    {
        if (!await LoadAsync()) return new OpeningReceipt(HeartOutcome.LedgerUnavailable, false);
        if (_rule?.MovedTo is { } to) return await RuledAt(to).TakeOpeningAsync(from, reason, origin, cancellationToken);
        try
        {
            var opening = await moderator.Store.MoveOpeningAsync(keys.OfTarget(from), from, _target, _targetId, moderator.DecideOpening(reason, origin), CancellationToken.None);
            var isChanged = opening != _opening;
            _opening = opening;
            _openingsSet++;
            LeaveIfUnknown();
            return new OpeningReceipt(HeartOutcome.Committed, isChanged);
        }
        catch (LedgerException)
        {
            return new OpeningReceipt(HeartOutcome.Unknown, false);
        }
    }

    /// <inheritdoc/>
    public async ValueTask<HeartState> SettleAsync(CancellationToken cancellationToken = default)
    {
        await ArriveAsync(cancellationToken);
        if (!await LoadAsync()) return new HeartState(HeartOutcome.LedgerUnavailable, 0, 0, null);
        LeaveIfUnknown();
        return new HeartState(HeartOutcome.Committed, _hearts.Count, _version, null, _opening);
    }

    /// <inheritdoc/>
    public async ValueTask<HeartState> ReadInTurnAsync(CancellationToken cancellationToken = default)
    {
        await ArriveAsync(cancellationToken);
        if (!await LoadAsync()) return new HeartState(HeartOutcome.LedgerUnavailable, 0, 0, null);
        if (_rule?.MovedTo is { } to && await RuledAt(to).ReadInTurnAsync(cancellationToken) is { Outcome: not HeartOutcome.Committed } failed) return failed;
        return await ReadAsync(null, cancellationToken);
    }

    /// <inheritdoc/>
    public async ValueTask<HeartState> WatchAsAsync(string alias, long ahead, ILiveObserver observer, CancellationToken cancellationToken = default)
    {
        if (_stream is null) await LoadAsync();
        if (_rule?.MovedTo is { } to) return AheadOf(await RuledAt(to).WatchAsAsync(alias, ahead + _version, observer, cancellationToken), ahead);
        _aliases ??= [];
        foreach (var (name, known) in _aliases)
            if (name != alias && !known.Watched.IsWatched) _aliases.Remove(name);
        var watched = _aliases.TryGetValue(alias, out var found) ? found.Watched : live.Board.Open(alias);
        _aliases[alias] = (watched, ahead);
        watched.Add(observer);
        return AheadOf(await ReadAsync(null, cancellationToken), ahead);
    }

    /// <inheritdoc/>
    public ValueTask UnwatchAsAsync(string alias, ILiveObserver observer, CancellationToken cancellationToken = default)
    {
        if (_aliases?.TryGetValue(alias, out var found) is true) found.Watched.Remove(observer);
        LeaveIfUnknown();
        return _rule?.MovedTo is { } to ? RuledAt(to).UnwatchAsAsync(alias, observer, cancellationToken) : default;
    }

    /// <inheritdoc/>
    public async ValueTask<TargetReport> ExplainAsync(string? userId, CancellationToken cancellationToken = default)
    {
        var isRead = await LoadAsync() || _isReadable;
        bool? hearted = null;
        if (isRead && userId is not null)
        {
            var heart = keys.OfHeart(_target, userId);
            var isHeld = _hearts.TryGet(heart, out _);
            if (isHeld || _hearts.IsComplete) hearted = isHeld;
            else if (await FindAsync(heart) is { IsKnown: true } found) hearted = found.Heart is not null;
        }

        LeaveIfUnknown();
        return new TargetReport(
            isRead ? HeartOutcome.Committed : HeartOutcome.LedgerUnavailable, isRead ? _hearts.Count : 0, _version, _opening, hearted,
            _rule?.IsFrozen is true, _rule?.MovedTo, _rule?.Reason, _rule?.AtMicros ?? 0,
            userId is null ? 0 : moderator.Blocks.Find(keys.OfUser(userId)) ?? 0,
            silo.Name, silo.SiloAddress.ToString(), GrainContext.ActivationId.ToString(), moderator.Breakers());
    }

    /// <summary>Refuses or forwards a call where operators want that, or lets it pass.</summary>
    private ValueTask<HeartReceipt> ChangeUnderOrders(HeartEventKind kind, string userId, HeartOrigin? origin, CancellationToken cancellationToken)
    {
        var isUsers = Moderator.IsUsers(origin);
        if (isUsers && _rule is { IsFrozen: true }) return new(Refusal(HeartOutcome.Frozen));
        if (isUsers && kind == HeartEventKind.Given && moderator.Blocks.Find(keys.OfUser(userId)) is { } until)
            return new(Refusal(HeartOutcome.Blocked) with { GivenAtMicros = until });
        if (_rule?.MovedTo is { } to && kind == HeartEventKind.Given) return GiveThereAsync(to, userId, origin, cancellationToken);
        if (_rule?.MovedTo is { } place && isUsers) return WithdrawHereAndThereAsync(place, userId, origin, cancellationToken);

        // What a job takes back is what is here: it knows each heart by its own target.
        return ChangeHere(kind, keys.OfHeart(_target, userId), userId, origin, cancellationToken);
    }

    private async ValueTask<HeartReceipt> GiveThereAsync(string to, string userId, HeartOrigin? origin, CancellationToken cancellationToken) =>
        AheadOf(await HeartAt(to).GiveAsync(userId, origin, cancellationToken));

    /// <summary>The heart may not have been moved yet; it is taken back here first, so that nothing is left to move.</summary>
    private async ValueTask<HeartReceipt> WithdrawHereAndThereAsync(string to, string userId, HeartOrigin? origin, CancellationToken cancellationToken)
    {
        var here = await ChangeHere(HeartEventKind.Withdrawn, keys.OfHeart(_target, userId), userId, origin, cancellationToken);
        if (here.Outcome != HeartOutcome.Committed) return here;
        var there = AheadOf(await HeartAt(to).WithdrawAsync(userId, origin, cancellationToken));
        return here.Changed ? there with { Changed = true } : there;
    }

    private async ValueTask<HeartState> ReadThereAsync(string to, string? userId, CancellationToken cancellationToken)
    {
        var state = AheadOf(await HeartAt(to).ReadAsync(userId, cancellationToken), _version);
        if (state is { Outcome: HeartOutcome.Committed, Hearted: false } && _hearts.Count > 0)
        {
            // Not moved yet.
            var heart = keys.OfHeart(_target, userId!);
            state = state with { Hearted = _hearts.TryGet(heart, out _) || (!_hearts.IsComplete && (await FindAsync(heart)).Heart is not null) };
        }

        LeaveIfUnknown();
        return state;
    }

    private async ValueTask<HeartState> WatchWhereItIsAsync(ILiveObserver observer, CancellationToken cancellationToken)
    {
        await LoadAsync();
        if (_rule?.MovedTo is { } to) return await RuledAt(to).WatchAsAsync(_targetId, _version, observer, cancellationToken);
        (_watched ??= live.Board.Open(_targetId)).Add(observer);
        return await ReadAsync(null, cancellationToken);
    }

    /// <summary>
    /// Answers under an old name count the events of both logs, so that what is told later has the higher version there too.
    /// </summary>
    private HeartReceipt AheadOf(in HeartReceipt there) => there.Outcome == HeartOutcome.Committed ? there with { Version = there.Version + _version } : there;

    private static HeartState AheadOf(in HeartState there, long ahead) => there.Outcome == HeartOutcome.Committed ? there with { Version = there.Version + ahead } : there;

    /// <summary>Waits for the calls that are on their way to the ledger by now: what comes later follows the rule.</summary>
    private async Task ArriveAsync(CancellationToken cancellationToken) =>
        await Task.WhenAll([.. _inFlight.Values.Distinct().Select(static call => call.JoinAsync())]).WaitAsync(cancellationToken);

    private async ValueTask<RuleReceipt> RuleAsync(Func<ValueTask<RuleChange>> order)
    {
        try
        {
            var change = await order();

            // What a hand wrote into the table may lead nowhere; the rest of the rule holds.
            var isMisled = change.Rule is { MovedTo: not null } told && !await LeadsToPlaceAsync(told);
            _rulesSet++;
            Follow(isMisled ? change.Rule! with { MovedTo = _rule?.MovedTo } : change.Rule);
            LeaveIfUnknown();
            return new RuleReceipt(HeartOutcome.Committed, change.IsChanged, change.Refusal, change.Rule?.IsFrozen is true, change.Rule?.MovedTo);
        }
        catch (LedgerException exception)
        {
            unread.Tell(exception);
            return new RuleReceipt(HeartOutcome.Unknown, false);
        }
    }

    /// <summary>Whether the rule leads to a target that was not moved. If not it is not followed: calls would go from grain to grain for ever.</summary>
    private async ValueTask<bool> LeadsToPlaceAsync(TargetRule rule)
    {
        if (await moderator.Store.FollowAsync(keys, rule, CancellationToken.None) is not null) return true;
        unread.TellMisled(_target);
        return false;
    }

    /// <summary>Those who watch a target that is another's name now watch the other, once they renew; they are told to at once.</summary>
    private void Follow(TargetRule? rule)
    {
        _rule = rule;
        if (rule?.MovedTo is null) return;
        LoseWatchers();
        _watched = null;
        _aliases = null;
    }

    private void LoseWatchers()
    {
        _watched?.Lose();
        if (_aliases is null) return;
        foreach (var (watched, _) in _aliases.Values) watched.Lose();
    }

    private void Publish()
    {
        _watched?.Publish(_hearts.Count, _version);
        if (_aliases is null) return;
        foreach (var (watched, ahead) in _aliases.Values) watched.Publish(_hearts.Count, _version + ahead);
    }

    // By the bare key: the usual overload refuses keys of white space, which are fine targets.
    private GrainId PlaceOf(string targetId) => GrainId.Create(this.GetGrainId().Type, IdSpan.Create(targetId));

    private IHeartGrain HeartAt(string targetId) => GrainFactory.GetGrain<IHeartGrain>(PlaceOf(targetId));

    private ITargetRuleGrain RuledAt(string targetId) => GrainFactory.GetGrain<ITargetRuleGrain>(PlaceOf(targetId));
}
