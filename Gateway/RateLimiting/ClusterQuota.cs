using System.Runtime.CompilerServices;
using HeartGrains.Gateway.Resilience;
using HeartGrains.RateLimiting;

namespace HeartGrains.Gateway.RateLimiting;

/// <summary>
/// A user's quota: this gateway's slice first, and when it is spent the user's grain. A grain that cannot be asked is an outage and is
/// thrown as one, never turned into a refusal.
/// </summary>
internal sealed class ClusterQuota(QuotaSlices slices, GrainCalls calls, TimeProvider timeProvider) : IQuota
{
    private volatile StrongBox<RateLimitPolicy> _policy = new();

    /// <summary>The policy in force, as the silos announced it; a limit of 0 until they did.</summary>
    public RateLimitPolicy Policy
    {
        get => _policy.Value;
        internal set => _policy = new StrongBox<RateLimitPolicy>(value);
    }

    /// <summary>
    /// Takes one token. <see cref="RateLimitDecision.Remaining"/> is what whoever decided knows of: tokens left in the slice, or at the grain.
    /// </summary>
    /// <exception cref="QuotaUnavailableException">The grain could not be asked.</exception>
    public ValueTask<RateLimitDecision> AcquireAsync(string userId, CancellationToken cancellationToken)
    {
        if (!slices.TryAcquire(userId, out var remaining, out var waitTicks)) return AskAsync(userId, waitTicks, cancellationToken);
        QuotaMetrics.AdmittedBySlice();
        return ValueTask.FromResult(new RateLimitDecision(true, remaining, 0));
    }

    private async ValueTask<RateLimitDecision> AskAsync(string userId, long sliceWaitTicks, CancellationToken cancellationToken)
    {
        var decision = await CallAsync(userId, cancellationToken);
        if (decision.IsAcquired)
        {
            QuotaMetrics.AdmittedByGrain();
            return decision;
        }

        QuotaMetrics.Refused();
        return decision with { RetryAfterMillis = Math.Min(decision.RetryAfterMillis, Millis(sliceWaitTicks)) };
    }

    private async ValueTask<RateLimitDecision> CallAsync(string userId, CancellationToken cancellationToken)
    {
        var call = new QuotaCall(userId) { RequestAborted = cancellationToken };
        var status = await calls.CallAsync(call);
        if (status == CallStatus.Answered) return call.Value;

        cancellationToken.ThrowIfCancellationRequested();
        QuotaMetrics.Unavailable();
        throw new QuotaUnavailableException($"The user's quota could not be asked: {status}.");
    }

    private long Millis(long ticks)
    {
        if (ticks == long.MaxValue) return long.MaxValue;
        var frequency = timeProvider.TimestampFrequency;
        return (long)(((Int128)ticks * 1000 + frequency - 1) / frequency);
    }
}

/// <summary>Whether the user has quota left is not known: no silo answered, or not in time. Nothing is said about the user.</summary>
public sealed class QuotaUnavailableException : Exception
{
    /// <inheritdoc/>
    public QuotaUnavailableException(string message) : base(message) { }
}
