using HeartGrains.RateLimiting;

namespace HeartGrains.LoadTest.Limiters;

/// <summary>What a limiter would admit that knows every moment exactly: the measure for a real one. Starts whole; moments only go forward.</summary>
public abstract class IdealLimiter
{
    /// <summary>The ideal of a policy: fluid for the buckets, every admission remembered for the sliding window.</summary>
    public static IdealLimiter Of(QuotaPolicy policy) => policy.Algorithm == QuotaAlgorithm.SlidingWindow
        ? new Log(policy.Limit, policy.Window)
        : new Fluid(policy.Limit, policy.Limit / policy.Window.TotalSeconds);

    /// <summary>Admits one request at a moment, or not.</summary>
    public abstract bool TryAdmit(TimeSpan at);

    private sealed class Fluid(double limit, double perSecond) : IdealLimiter
    {
        private const double RoundingError = 1e-6;
        private double _spent;
        private TimeSpan _last;

        public override bool TryAdmit(TimeSpan at)
        {
            _spent = Math.Max(0, _spent - (perSecond * (at - _last).TotalSeconds));
            _last = at;
            if (_spent + 1 > limit + RoundingError) return false;
            _spent++;
            return true;
        }
    }

    private sealed class Log(long limit, TimeSpan window) : IdealLimiter
    {
        private readonly Queue<TimeSpan> _admitted = new();

        public override bool TryAdmit(TimeSpan at)
        {
            while (_admitted.TryPeek(out var oldest) && at - oldest >= window) _admitted.Dequeue();
            if (_admitted.Count >= limit) return false;
            _admitted.Enqueue(at);
            return true;
        }
    }
}
