namespace HeartGrains.RateLimiting.Meters;

/// <summary>
/// The arithmetic that <see cref="TokenBucket"/> and <see cref="LeakyBucket"/> share: a vessel of <see cref="QuotaMeter.Limit"/> tokens,
/// into which spending pours and which drains steadily. A token bucket's content is the room that is left, so both admit the same.
/// Over every span of t ticks, admitted ≤ limit + t × limit ÷ period.
/// </summary>
/// <remarks>
/// The water is counted in units: a token is <c>period</c> of them, and each tick drains <c>limit</c> of them, so nothing is ever rounded
/// but the start. A full vessel is limit × period ≤ 2¹⁰⁸ units, and the longest idle span drains less than 2⁶⁴ × 2⁵³: an
/// <see cref="Int128"/> holds both. This is the continuous-state leaky bucket of ITU-T I.371 (GCRA), scaled to integers.
/// <see cref="QuotaMeter.Return"/> is exact as long as eight low marks of the water tell its history. Of a burst over many more readings of
/// the clock, each token comes back alone, and most when all do.
/// </remarks>
public abstract class FluidMeter : QuotaMeter
{
    private readonly long _unitsPerToken;
    private Int128 _water;
    private LowMarks _lowMarks;

    private protected FluidMeter(long limit, long periodTicks, long now, long available, int availableMillionths)
        : base(limit, now, available)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(periodTicks, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(periodTicks, MaxPeriodTicks);
        ArgumentOutOfRangeException.ThrowIfNegative(availableMillionths);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(availableMillionths, Millionths);
        _unitsPerToken = periodTicks;
        _water = Int128.Max(0, Units(limit) - Units(available) - (Units(availableMillionths) / Millionths));
    }

    /// <inheritdoc/>
    public override long Available => (long)Int128.Max(0, Room / _unitsPerToken);

    /// <inheritdoc/>
    public override int AvailableMillionths => (int)(Int128.Max(0, Room) % _unitsPerToken * Millionths / _unitsPerToken);

    /// <inheritdoc/>
    public override (long Tokens, int Millionths) Spent
    {
        get
        {
            var (tokens, rest) = Int128.DivRem(_water, _unitsPerToken);
            var millionths = (int)((rest * Millionths + _unitsPerToken - 1) / _unitsPerToken);
            return millionths == Millionths ? ((long)tokens + 1, 0) : ((long)tokens, millionths);
        }
    }

    /// <summary>Clock ticks that a full vessel drains in, or an empty bucket fills in.</summary>
    private protected long PeriodTicks => _unitsPerToken;

    private Int128 Room => Units(Limit - Held) - _water;

    private protected override void Pass(long from)
    {
        _water = Int128.Max(0, _water - ((Int128)Span(from, Clock) * Limit));
        _lowMarks.Add(Clock, _water);
    }

    private protected override void Count(long tokens) => _water += Units(tokens);

    /// <summary>
    /// Had the tokens not been poured in, the water would have stood lower by their volume ever since; but where it would have stood below
    /// the ground, it would have drained less. So what can be scooped out is the least of their volume and of the water since then.
    /// </summary>
    private protected override void Uncount(long tokens, long takenAt)
    {
        var units = Int128.Min(Units(tokens), Int128.Min(_water, _lowMarks.LowestAfter(takenAt)));
        _water -= units;
        _lowMarks.Lower(takenAt, units);
    }

    private protected override long TicksUntilRoomFor(long tokens) => (long)Int128.Min(long.MaxValue, (Units(tokens) - Room + Limit - 1) / Limit);

    private Int128 Units(long tokens) => (Int128)tokens * _unitsPerToken;
}
