using System.Diagnostics.CodeAnalysis;
using HeartGrains.Gateway.Problems;

namespace HeartGrains.Gateway.RateLimiting;

/// <summary>Counts a call against the limit of its address, where there is one.</summary>
internal sealed class AddressDoor(LocalLimits limits, TimeProvider clock)
{
    // No policy of the silos' should have this name: a client could not tell the two apart.
    private const string Policy = "local-address";

    /// <summary>Takes one of the address' calls; if none is left, the call is refused.</summary>
    public bool TryEnter(HttpContext context, [NotNullWhen(false)] out Task? refusal)
    {
        refusal = null;
        if (limits.Current is not { Addresses: { } addresses } current || addresses.TryAcquire(context.Connection.RemoteIpAddress, out var waitTicks)) return true;
        if (current.IsAddressShadow)
        {
            LocalLimitMetrics.WouldBeRefusedByAddress();
            return true;
        }

        LocalLimitMetrics.RefusedByAddress();
        refusal = RefuseAsync(context, addresses.Terms, waitTicks);
        return false;
    }

    private Task RefuseAsync(HttpContext context, BucketTerms terms, long waitTicks)
    {
        var seconds = clock.SecondsOf(waitTicks);
        var untilWhole = clock.SecondsOf(waitTicks + (long)((terms.TokenLimit - 1) / terms.TokensPerSecond * clock.TimestampFrequency));
        var window = (long)Math.Max(1, Math.Ceiling(terms.TokenLimit / terms.TokensPerSecond));
        var headers = context.Response.Headers;
        headers["RateLimit-Policy"] = $"\"{Policy}\";q={terms.TokenLimit};w={window}";
        headers["RateLimit"] = $"\"{Policy}\";r=0;t={untilWhole}";
        return context.WriteProblemAsync(
            Problem.QuotaExceeded, $"Nothing was done: the calls from this address are spent. It may call again in {seconds} s.", seconds, [Policy]);
    }
}

/// <summary>When to come back.</summary>
internal static class RetryTime
{
    /// <summary>A wait by the clock's time stamps in whole seconds, rounded up, at least one: never early.</summary>
    public static int SecondsOf(this TimeProvider clock, long waitTicks)
    {
        var seconds = waitTicks / clock.TimestampFrequency + (waitTicks % clock.TimestampFrequency > 0 ? 1 : 0);
        return (int)Math.Clamp(seconds, 1, int.MaxValue);
    }
}
