using System.Numerics;

namespace HeartGrains.Gateway.RateLimiting;

/// <summary>
/// The slices of all keys that this gateway gives by itself: a fixed table of 24-byte entries, a keyed hash of policy and key, the time at which the slice
/// is full again (GCRA's theoretical arrival time), and, for what clients are told and nothing else, that of the grain's share when it was last asked. An entry whose slice is full says nothing and is reused; a set
/// without such an entry gives no slice, and two keys that share a hash share one. Thread-safe.
/// </summary>
internal sealed class QuotaSlices
{
    private const int Ways = 16;
    private const int StripeCount = 1024;

    private readonly TimeProvider _timeProvider;
    private readonly UserHash _hash = new();
    private readonly Lock[] _stripes;
    private readonly ulong[] _keys;
    private readonly long[] _fullAt;
    private readonly long[] _grainFullAt;
    private readonly int _setMask;
    private volatile Lease _lease = new(0, long.MinValue);

    /// <summary>A table with room for about twice <paramref name="keys"/>; its memory is touched as they come.</summary>
    public QuotaSlices(int keys, TimeProvider timeProvider)
    {
        _timeProvider = timeProvider;
        var sets = (int)BitOperations.RoundUpToPowerOf2((uint)Math.Max(1, 2L * keys / Ways));
        _setMask = sets - 1;
        _keys = new ulong[sets * Ways];
        _fullAt = new long[sets * Ways];
        _grainFullAt = new long[sets * Ways];
        _stripes = new Lock[Math.Min(StripeCount, sets)];
        for (var i = 0; i < _stripes.Length; i++) _stripes[i] = new Lock();
    }

    /// <summary>Slices of policies prepared for this term of the seat, and no others, may be given while the clock is below <paramref name="validUntil"/>.</summary>
    public void Extend(long term, long validUntil) => _lease = new Lease(term, validUntil);

    /// <summary>Takes <paramref name="tokens"/> of the key's slice, all or none. False leaves in <paramref name="level"/> what there is.</summary>
    public bool TryTake(SlicedPolicy policy, ReadOnlySpan<char> key, long tokens, out SliceLevel level) =>
        Change(policy, key, tokens, takesLess: false, out level) == tokens;

    /// <summary>Takes what the slice has of <paramref name="tokens"/>. Returns how many it was.</summary>
    public long TakeUpTo(SlicedPolicy policy, ReadOnlySpan<char> key, long tokens, out SliceLevel level) =>
        Change(policy, key, tokens, takesLess: true, out level);

    /// <summary>How the key's slice stands.</summary>
    public SliceLevel Look(SlicedPolicy policy, ReadOnlySpan<char> key)
    {
        Change(policy, key, 0, takesLess: true, out var level);
        return level;
    }

    /// <summary>
    /// Puts back tokens that were taken for nothing. Had they not been taken, the slice might have been full for a while and gained nothing then; for no longer
    /// than it is since, so that much is kept.
    /// </summary>
    /// <param name="policy">The policy.</param>
    /// <param name="key">The key.</param>
    /// <param name="tokens">How many.</param>
    /// <param name="takenAt">The clock reading at which they were taken.</param>
    public void Return(SlicedPolicy policy, ReadOnlySpan<char> key, long tokens, long takenAt) =>
        Change(policy, key, -tokens, takesLess: true, out _, takenAt);

    /// <summary>Takes note of how the grain's share stands. Returns how the slice does.</summary>
    public SliceLevel NoteGrain(SlicedPolicy policy, ReadOnlySpan<char> key, long ticksUntilFull)
    {
        Change(policy, key, 0, takesLess: true, out var level, ticksUntilGrainFull: ticksUntilFull);
        return level;
    }

    /// <summary>Makes the key's slice full, and takes the grain's share to be.</summary>
    public void Reset(SlicedPolicy policy, ReadOnlySpan<char> key) =>
        Change(policy, key, -policy.SliceTokens, takesLess: true, out _, ticksUntilGrainFull: 0);

    private long Change(
        SlicedPolicy policy, ReadOnlySpan<char> key, long tokens, bool takesLess, out SliceLevel level, long? takenAt = null, long? ticksUntilGrainFull = null)
    {
        level = SliceLevel.None;
        if (policy.SliceTokens == 0) return 0;

        var hash = _hash.Of(key) ^ policy.Seed;
        var set = (int)(hash >> 32) & _setMask;
        lock (_stripes[set & (_stripes.Length - 1)])
        {
            // Read inside the lock, so that times never go back within a set.
            var now = _timeProvider.GetTimestamp();
            var lease = _lease;
            if (now >= lease.ValidUntil || policy.Term != lease.Term) return 0;

            var slot = Find(set * Ways, hash, now);
            if (slot < 0) return 0;

            var fill = policy.SliceTokens * policy.TicksPerToken;
            var isKnown = _keys[slot] == hash;
            var grainFullAt = ticksUntilGrainFull is { } ticks ? now + ticks : isKnown ? _grainFullAt[slot] : 0;
            var fullAt = Math.Max(Math.Max(isKnown ? _fullAt[slot] : 0, policy.FirstFullAt), now);
            var available = (fill - (fullAt - now)) / policy.TicksPerToken;
            var taken = tokens <= available ? tokens : takesLess ? Math.Max(0, available) : 0;
            var kept = takenAt is { } then ? Math.Min(now - then, -taken * policy.TicksPerToken) : 0;
            fullAt += taken * policy.TicksPerToken + kept;
            if (taken != 0 || (isKnown && ticksUntilGrainFull is not null))
            {
                _keys[slot] = hash;
                _fullAt[slot] = fullAt;
                _grainFullAt[slot] = grainFullAt;
            }

            level = new SliceLevel(policy, now, fullAt - now, Math.Max(0, grainFullAt - now));
            return taken;
        }
    }

    private int Find(int first, ulong hash, long now)
    {
        var keys = _keys.AsSpan(first, Ways);
        var way = keys.IndexOf(hash);
        if (way >= 0) return first + way;

        var fullAt = _fullAt.AsSpan(first, Ways);
        for (way = 0; way < fullAt.Length; way++)
            if (fullAt[way] <= now) return first + way;

        return -1;
    }

    private sealed record Lease(long Term, long ValidUntil);
}

/// <summary>How a slice stands.</summary>
internal readonly struct SliceLevel(SlicedPolicy? policy, long now, long ticksUntilFull, long ticksUntilGrainFull)
{
    /// <summary>There is no slice: no seat, no room in the table, or none under this policy.</summary>
    public static SliceLevel None => default;

    /// <summary>Whole tokens in it.</summary>
    public long Tokens => policy is null ? 0 : Math.Max(0, (policy.SliceTokens * policy.TicksPerToken - ticksUntilFull) / policy.TicksPerToken);

    /// <summary>The clock reading at which it stood so.</summary>
    public long Now => now;

    /// <summary>How long until it is full; at most 0 when it is.</summary>
    public long TicksUntilFull => policy is null ? 0 : ticksUntilFull;

    /// <summary>How long until the grain's share is whole, if nobody asked it since this gateway did.</summary>
    public long TicksUntilGrainFull => ticksUntilGrainFull;

    /// <summary>What the grain's share then holds.</summary>
    public long GrainTokens => policy?.GrainTokens(ticksUntilGrainFull) ?? 0;

    /// <summary>How long until it holds <paramref name="tokens"/>; <see cref="long.MaxValue"/> when it never will.</summary>
    public long TicksUntil(long tokens) =>
        policy is null || tokens > policy.SliceTokens
            ? long.MaxValue
            : Math.Max(0, ticksUntilFull - (policy.SliceTokens - tokens) * policy.TicksPerToken);

    /// <summary>How it will stand when <paramref name="tokens"/> have been put back.</summary>
    public SliceLevel With(long tokens) => policy is null ? this : new(policy, now, Math.Max(0, ticksUntilFull - tokens * policy.TicksPerToken), ticksUntilGrainFull);
}
