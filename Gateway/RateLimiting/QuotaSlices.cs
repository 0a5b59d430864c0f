using System.Numerics;
using HeartGrains.RateLimiting;

namespace HeartGrains.Gateway.RateLimiting;

/// <summary>
/// The slices of all users that this gateway gives by itself: a fixed table of 16-byte entries, a keyed hash of the user and the time
/// at which the slice is full again (GCRA's theoretical arrival time). An entry whose slice is full says nothing and is reused; a set
/// without such an entry gives no slice, and two users who share a hash share one. Thread-safe.
/// </summary>
public sealed class QuotaSlices
{
    private const int Ways = 16;
    private const int StripeCount = 1024;

    private readonly TimeProvider _timeProvider;
    private readonly UserHash _hash = new();
    private readonly Lock[] _stripes;
    private readonly ulong[] _users;
    private readonly long[] _fullAt;
    private readonly int _setMask;
    private volatile Lease _lease = new(default, long.MinValue);

    /// <summary>A table with room for about twice <paramref name="users"/>; its memory is touched as users come.</summary>
    public QuotaSlices(int users, TimeProvider timeProvider)
    {
        _timeProvider = timeProvider;
        var sets = (int)BitOperations.RoundUpToPowerOf2((uint)Math.Max(1, 2L * users / Ways));
        _setMask = sets - 1;
        _users = new ulong[sets * Ways];
        _fullAt = new long[sets * Ways];
        _stripes = new Lock[Math.Min(StripeCount, sets)];
        for (var i = 0; i < _stripes.Length; i++) _stripes[i] = new Lock();
    }

    /// <summary>Slices of <paramref name="share"/> may be given while the clock is below <paramref name="validUntil"/>.</summary>
    public void Grant(QuotaShare share, long validUntil) => _lease = new Lease(share, validUntil);

    /// <summary>Takes a token from the user's slice.</summary>
    /// <param name="userId">The user id as given.</param>
    /// <param name="remaining">Whole tokens left in the slice.</param>
    /// <param name="waitTicks">When refused: how long until the slice has a token; <see cref="long.MaxValue"/> when there is no slice.</param>
    public bool TryAcquire(ReadOnlySpan<char> userId, out int remaining, out long waitTicks)
    {
        remaining = 0;
        waitTicks = long.MaxValue;
        var lease = _lease;
        if (lease.Share.Tokens == 0) return false;

        var hash = _hash.Of(userId);
        var set = (int)(hash >> 32) & _setMask;
        lock (_stripes[set & (_stripes.Length - 1)])
        {
            // Read inside the lock, so that times never go back within a set.
            var now = _timeProvider.GetTimestamp();
            if (now >= lease.ValidUntil) return false;

            var slot = Find(set * Ways, hash, now);
            if (slot < 0) return false;

            var ticksPerToken = lease.Share.TicksPerToken;
            var fullAt = Math.Max(_fullAt[slot], now);
            var level = lease.Share.FillTicks - (fullAt - now);
            if (level < ticksPerToken)
            {
                waitTicks = ticksPerToken - level;
                return false;
            }

            _users[slot] = hash;
            _fullAt[slot] = fullAt + ticksPerToken;
            remaining = (int)(level / ticksPerToken) - 1;
            return true;
        }
    }

    private int Find(int first, ulong hash, long now)
    {
        var users = _users.AsSpan(first, Ways);
        var way = users.IndexOf(hash);
        if (way >= 0) return first + way;

        var fullAt = _fullAt.AsSpan(first, Ways);
        for (way = 0; way < fullAt.Length; way++)
            if (fullAt[way] <= now) return first + way;

        return -1;
    }

    private sealed record Lease(QuotaShare Share, long ValidUntil);
}
