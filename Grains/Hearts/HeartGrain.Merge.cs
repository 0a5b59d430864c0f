using HeartGrains.Ledger;

namespace HeartGrains.Hearts;

/// <summary>Hearts that change hands.</summary>
internal sealed partial class HeartGrain
{
    /// <inheritdoc/>
    public async ValueTask<HeartReceipt> MergeAsync(string fromUserId, string toUserId, HeartOrigin origin, CancellationToken cancellationToken = default)
    {
        var (from, to) = (keys.OfHeart(_target, fromUserId), keys.OfHeart(_target, toUserId));
        if (from == to) throw new ArgumentException("A user cannot be merged with the same.");
        while (true)
        {
            if (_stream is null && !await LoadAsync()) return Refusal(HeartOutcome.LedgerUnavailable);
            cancellationToken.ThrowIfCancellationRequested();
            if (_inFlight.TryGetValue(from, out var earlier) || _inFlight.TryGetValue(to, out earlier))
            {
                if (await earlier.JoinAsync() is var outcome and not HeartOutcome.Committed) return Refusal(outcome);
                continue;
            }

            var (isFrom, isTo) = (_hearts.TryGet(from, out _), _hearts.TryGet(to, out _));
            if (!_hearts.IsComplete && !(isFrom && isTo))
            {
                var stream = _stream;
                if (await FindBothInPlaceAsync(from, to) is not { } found) return Refusal(HeartOutcome.LedgerUnavailable);
                if (stream != _stream || stream is null) continue;
                cancellationToken.ThrowIfCancellationRequested();
                (isFrom, isTo) = found;
            }

            // Nothing was awaited since it was known, or both places were held.
            return (isFrom, isTo) switch
            {
                (false, _) => NoChange(to, 0),

                // One heart less would change what is frozen.
                (true, true) when _rule is { IsFrozen: true } => Refusal(HeartOutcome.Frozen),
                (true, true) => (await Append(HeartEventKind.Withdrawn, from, fromUserId, origin)) with { Id = to },
                _ => await Append(HeartEventKind.Given, to, toUserId, origin, fromUserId, from),
            };
        }
    }

    /// <summary>Holds the places of two users until the ledger has told about both, so that neither heart changes in between; null when it cannot tell.</summary>
    private async ValueTask<(bool First, bool Second)?> FindBothInPlaceAsync(HeartId first, HeartId second)
    {
        var place = HeartCall.Rent();
        _inFlight.Add(first, place);
        _inFlight.Add(second, place);
        var isKnown = false;
        try
        {
            var (one, other) = (await FindAsync(first), await FindAsync(second));
            isKnown = one.IsKnown && other.IsKnown;
            return isKnown ? (one.Heart is not null, other.Heart is not null) : null;
        }
        finally
        {
            _inFlight.Remove(first);
            _inFlight.Remove(second);
            place.Return(isKnown ? HeartOutcome.Committed : HeartOutcome.LedgerUnavailable);
        }
    }
}
