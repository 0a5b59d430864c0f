namespace HeartGrains.RateLimiting.Meters;

/// <summary>
/// One holder's share of a quota. A token is available, held (taken out for somebody who may yet spend it) or spent; what is spent
/// becomes available again with time, how is the algorithm's matter. Time is a monotonic clock's reading in ticks
/// (<see cref="TimeProvider.GetTimestamp"/>), refilled on read. Exact integers throughout. Allocates nothing once made; not thread-safe.
/// </summary>
public abstract class QuotaMeter
{
    /// <summary>The greatest limit, in tokens: 2⁵³, the integers that survive a JSON number.</summary>
    public const long MaxLimit = 1L << 53;

    /// <summary>The longest period, in clock ticks: 2⁵⁵, over a year of nanoseconds.</summary>
    public const long MaxPeriodTicks = 1L << 55;

    private protected const int Millionths = 1_000_000;

    private protected QuotaMeter(long limit, long now, long available)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(limit);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(limit, MaxLimit);
        ArgumentOutOfRangeException.ThrowIfLessThan(available, -MaxLimit);
        Limit = limit;
        StartedAt = now;
        Clock = now;
    }

    /// <summary>The most tokens that are ever available, 0 to <see cref="MaxLimit"/>.</summary>
    public long Limit { get; }

    /// <summary>Tokens taken out that may yet be spent; they occupy room until they are spent or released.</summary>
    public long Held { get; private set; }

    /// <summary>The reading of the last <see cref="Advance"/>, in clock ticks.</summary>
    public long Clock { get; private set; }

    /// <summary>Whole tokens that may be held, as of <see cref="Clock"/>; 0 while more is held and spent than the limit.</summary>
    public abstract long Available { get; }

    /// <summary>Tokens spent that time has not brought back yet, as of <see cref="Clock"/>: whole ones and millionths, rounded up.</summary>
    public abstract (long Tokens, int Millionths) Spent { get; }

    /// <summary>Millionths of a token beyond <see cref="Available"/>, rounded down, 0 to 999,999.</summary>
    public abstract int AvailableMillionths { get; }

    private protected long StartedAt { get; }

    /// <summary>Moves to the reading <paramref name="now"/>, however far ahead. One from before <see cref="Clock"/> changes nothing.</summary>
    public void Advance(long now)
    {
        if (now <= Clock) return;
        var from = Clock;
        Clock = now;
        Pass(from);
    }

    /// <summary>Advances to <paramref name="now"/>, and spends <paramref name="tokens"/> that are available: all or none.</summary>
    public bool TryTake(long tokens, long now)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(tokens);
        Advance(now);
        if (tokens > Available) return false;
        Count(tokens);
        return true;
    }

    /// <summary>Available to held.</summary>
    /// <exception cref="ArgumentOutOfRangeException">Not 0 to <see cref="Available"/>.</exception>
    public void Hold(long tokens)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(tokens);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(tokens, Available);
        Held += tokens;
    }

    /// <summary>Holds tokens that somebody has in hand already, even beyond the limit: then none are available until there is room again.</summary>
    /// <exception cref="ArgumentOutOfRangeException">Less than none.</exception>
    public void Occupy(long tokens)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(tokens);
        Held += tokens;
    }

    /// <summary>Held to spent, at <see cref="Clock"/>.</summary>
    /// <exception cref="ArgumentOutOfRangeException">Not 0 to <see cref="Held"/>.</exception>
    public void Spend(long tokens)
    {
        Release(tokens);
        Count(tokens);
    }

    /// <summary>Held to available.</summary>
    /// <exception cref="ArgumentOutOfRangeException">Not 0 to <see cref="Held"/>.</exception>
    public void Release(long tokens)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(tokens);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(tokens, Held);
        Held -= tokens;
    }

    /// <summary>
    /// Spent to available, for tokens whose purpose came to nothing: never more than would be available now had they not been spent, and
    /// nothing of what time has already brought back.
    /// </summary>
    /// <param name="tokens">How many; they were spent then, and not returned since.</param>
    /// <param name="takenAt">The <see cref="Clock"/> at which they were spent. Before the meter was made: nothing is returned.</param>
    /// <exception cref="ArgumentOutOfRangeException">Less than none, or spent in the future.</exception>
    public void Return(long tokens, long takenAt)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(tokens);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(takenAt, Clock);
        if (takenAt >= StartedAt) Uncount(tokens, takenAt);
    }

    /// <summary>
    /// Clock ticks from <see cref="Clock"/> until <paramref name="tokens"/> are available if nothing else happens: 0 when they are now,
    /// <see cref="long.MaxValue"/> when never, because what is held leaves no room for them. Not a tick too long.
    /// </summary>
    public long TicksUntil(long tokens)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(tokens);
        if (tokens <= Available) return 0;
        return tokens > Limit - Held ? long.MaxValue : TicksUntilRoomFor(tokens);
    }

    /// <summary>A meter in the same state that goes its own way.</summary>
    public virtual QuotaMeter Clone() => (QuotaMeter)MemberwiseClone();

    /// <summary>Time passed from an earlier reading to <see cref="Clock"/>.</summary>
    private protected abstract void Pass(long from);

    /// <summary>Tokens were spent at <see cref="Clock"/>.</summary>
    private protected abstract void Count(long tokens);

    /// <summary>Tokens spent at <paramref name="takenAt"/>, from <see cref="StartedAt"/> to <see cref="Clock"/>, are returned.</summary>
    private protected abstract void Uncount(long tokens, long takenAt);

    /// <summary>As <see cref="TicksUntil"/>, for tokens that are not available and will be.</summary>
    private protected abstract long TicksUntilRoomFor(long tokens);

    /// <summary>The ticks between two readings: unsigned, for the difference of two longs need not be a long.</summary>
    private protected static ulong Span(long from, long to) => unchecked((ulong)to - (ulong)from);
}
