using System.Globalization;
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

/// <summary>A policy with this gateway's slice of it.</summary>
internal sealed class SlicedPolicy
{
    // A grain says when its share is whole in milliseconds, rounded up: so much of a token is not missing.
    private const double Rounding = 0.01;

    private readonly HeaderCache _header;
    private readonly long _windowTicks;
    private long _grainLimit;

    public SlicedPolicy(QuotaPolicy policy, int index, int seat, long term, long seatStart, long ticksPerSecond)
    {
        (Policy, Index, Term) = (policy, index, term);
        (_windowTicks, _grainLimit) = (policy.WindowTicks(ticksPerSecond), policy.GrainLimit(policy.SlicedSeats));
        if (seat >= 0 && seat < policy.SlicedSeats)
        {
            SliceTokens = policy.SliceTokens;
            TicksPerToken = (_windowTicks + SliceTokens - 1) / SliceTokens;
            FirstFullAt = seatStart + SliceTokens * TicksPerToken;
        }

        Seed = Fnv1a(policy.Name);
        Header = string.Create(CultureInfo.InvariantCulture, $"\"{policy.Name}\";q={HeaderCache.Cap(policy.Limit)};w={(long)Math.Ceiling(policy.Window.TotalSeconds)}");
        _header = new HeaderCache(policy.Name);
        Metrics = new QuotaMetrics(policy.Name);
        ShadowLog = new Throttle(ticksPerSecond);
    }

    public QuotaPolicy Policy { get; }

    /// <summary>Its place among the policies, and its bit in a mask of them.</summary>
    public int Index { get; }

    /// <summary>Others count under the same key: targets and campaigns.</summary>
    public bool IsShared => Policy.Dimension is QuotaDimension.Target or QuotaDimension.Campaign;

    /// <summary>The term of the seat that the slices are of.</summary>
    public long Term { get; }

    /// <summary>The most tokens of one key that this gateway holds; 0 when it has no slices of this policy.</summary>
    public int SliceTokens { get; }

    /// <summary>How long a token of a slice takes to come back, rounded up.</summary>
    public long TicksPerToken { get; }

    /// <summary>When a slice that nobody touched is full.</summary>
    public long FirstFullAt { get; }

    /// <summary>The grains' share of the limit as the last that was asked has it; before that the least it can be.</summary>
    public long GrainLimit
    {
        get => Volatile.Read(ref _grainLimit);
        set => Volatile.Write(ref _grainLimit, value);
    }

    /// <summary>Tells keys of this policy from the same keys of another.</summary>
    public ulong Seed { get; }

    /// <summary>Its part of <c>RateLimit-Policy</c>.</summary>
    public string Header { get; }

    public QuotaMetrics Metrics { get; }

    /// <summary>How often what a shadow policy would have refused is logged.</summary>
    public Throttle ShadowLog { get; }

    /// <summary>Whole tokens in a grain's share that will be whole after <paramref name="ticksUntilFull"/>.</summary>
    public long GrainTokens(long ticksUntilFull)
    {
        var limit = GrainLimit;
        return Math.Clamp(limit - (long)Math.Ceiling(limit * ((double)ticksUntilFull / _windowTicks) - Rounding), 0, limit);
    }

    /// <summary>The value of <c>RateLimit</c> when this policy is the tightest.</summary>
    public string Remaining(long tokens, long resetSeconds) => _header.Of(tokens, resetSeconds);

    private static ulong Fnv1a(string text)
    {
        var hash = 14695981039346656037UL;
        foreach (var character in text) hash = (hash ^ character) * 1099511628211UL;
        return hash;
    }
}

/// <summary>Lets one in each period pass and counts the others.</summary>
internal sealed class Throttle(long periodTicks)
{
    private long _next = long.MinValue;
    private int _count;

    /// <summary>True when it is time; <paramref name="count"/> is how many came since then, this one included.</summary>
    public bool TryPass(long now, out int count)
    {
        count = 0;
        Interlocked.Increment(ref _count);
        var next = Volatile.Read(ref _next);
        if (now < next || Interlocked.CompareExchange(ref _next, now + periodTicks, next) != next) return false;
        count = Interlocked.Exchange(ref _count, 0);
        return true;
    }
}

/// <summary>Header values that were made before: the same few come again and again.</summary>
internal sealed class HeaderCache(string policy)
{
    private const long LargestInteger = 999_999_999_999_999;

    private readonly Entry?[] _entries = new Entry?[256];

    /// <summary>An integer of a structured field has 15 digits at most (RFC 9651).</summary>
    public static long Cap(long value) => Math.Min(value, LargestInteger);

    public string Of(long remaining, long resetSeconds)
    {
        ref var slot = ref _entries[(int)(((ulong)remaining * 31 + (ulong)resetSeconds) & 255)];
        var entry = slot;
        if (entry is null || entry.Remaining != remaining || entry.ResetSeconds != resetSeconds)
        {
            slot = entry = new Entry(
                remaining, resetSeconds, string.Create(CultureInfo.InvariantCulture, $"\"{policy}\";r={Cap(remaining)};t={Cap(resetSeconds)}"));
        }

        return entry.Text;
    }

    private sealed record Entry(long Remaining, long ResetSeconds, string Text);
}
