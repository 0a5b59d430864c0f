using HeartGrains.RateLimiting;

namespace HeartGrains.Gateway.RateLimiting;

/// <summary>The policies in force, prepared for this gateway and the seat it holds. Immutable, but for what grains last told of their share.</summary>
internal sealed class PolicySet
{
    private readonly string[] _headers;
    private readonly string[] _heartHeaders;
    private readonly long _term;
    private readonly int _seat;

    private PolicySet(QuotaPolicy[] policies, int seat, long term, long seatStart, long ticksPerSecond)
    {
        (_seat, _term, SeatStart) = (seat, term, seatStart);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(policies.Length, QuotaSettings.MaxPolicies);
        Policies = [.. policies.Select((policy, index) => new SlicedPolicy(policy, index, seat, term, seatStart, ticksPerSecond))];
        _headers = HeadersOf(static _ => true);
        _heartHeaders = HeadersOf(static policy => policy.HeartCost > 0);
        NeedsAddress = policies.Any(policy => policy.Dimension == QuotaDimension.Address);
    }

    /// <summary>What is in force before a silo has told.</summary>
    public static PolicySet None { get; } = new([], -1, 0, 0, 1);

    public SlicedPolicy[] Policies { get; }

    /// <summary>The client's address is worth working out.</summary>
    public bool NeedsAddress { get; }

    /// <summary>Since when nobody else can have given slices of this seat: all of them are taken to have been empty then.</summary>
    public long SeatStart { get; }

    /// <summary>The value of <c>RateLimit-Policy</c>: the policies that are enforced on a request with these keys, a heart or another.</summary>
    public string HeaderOf(in QuotaKeys keys, bool isHeart) => (isHeart ? _heartHeaders : _headers)[keys.Mask];

    /// <summary>
    /// The set for a seat just granted; this one when nothing changed. While the term stays the same nobody else had the seat, and the slices go on as they
    /// are.
    /// </summary>
    /// <param name="seat">The answer of the seats grain.</param>
    /// <param name="receivedAt">When it arrived, by the clock of the slices.</param>
    /// <param name="ticksPerSecond">Of that clock.</param>
    public PolicySet With(in GatewaySeat seat, long receivedAt, long ticksPerSecond)
    {
        var isSameSeat = seat.Term == _term && seat.Index == _seat;
        if (isSameSeat && Policies.Select(policy => policy.Policy).SequenceEqual(seat.Policies)) return this;

        var freeMillis = Math.Min(seat.FreeMillis, (long)TimeSpan.FromDays(400).TotalMilliseconds);
        var start = isSameSeat ? SeatStart : receivedAt - ClockTicks.FromMillis(freeMillis, ticksPerSecond);
        return new PolicySet(seat.Policies, seat.Index, seat.Term, start, ticksPerSecond);
    }

    private string[] HeadersOf(Predicate<QuotaPolicy> judges) =>
        [.. Enumerable.Range(0, QuotaKeys.Masks).Select(mask => string.Join(", ", Policies
            .Where(policy => !policy.Policy.IsShadow && judges(policy.Policy) && (mask & QuotaKeys.MaskOf(policy.Policy.Dimension)) != 0)
            .Select(policy => policy.Header)))];
}
