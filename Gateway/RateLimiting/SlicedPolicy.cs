using System.Globalization;
using HeartGrains.Diagnostics;
using HeartGrains.RateLimiting;

namespace HeartGrains.Gateway.RateLimiting;

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

    /// <summary>Until slice and grain together hold the cost, in milliseconds: the best way to split it between them.</summary>
    public long MillisUntil(long cost, in SliceLevel slice, in QuotaVerdict verdict, long ticksPerSecond)
    {
        var soonest = verdict.RetryAfterMillis;
        if (SliceTokens == 0 || verdict.Limit == 0) return soonest;

        // A share fills in the window, so what it holds follows from when it is whole: exactly, or, while tokens are lent, a little late.
        var millisPerToken = Policy.Window.TotalMilliseconds / verdict.Limit;
        for (var bySlice = Math.Max(0, cost - verdict.Limit); bySlice <= Math.Min(cost, SliceTokens); bySlice++)
        {
            var byGrain = cost == bySlice ? 0 : Math.Max(0, verdict.ResetMillis - (long)((verdict.Limit - (cost - bySlice)) * millisPerToken));
            soonest = Math.Min(soonest, Math.Max(ClockTicks.ToMillis(slice.TicksUntil(bySlice), ticksPerSecond), byGrain));
        }

        return soonest;
    }

    private static ulong Fnv1a(string text)
    {
        var hash = 14695981039346656037UL;
        foreach (var character in text) hash = (hash ^ character) * 1099511628211UL;
        return hash;
    }
}
