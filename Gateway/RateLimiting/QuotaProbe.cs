using HeartGrains.Diagnostics;
using HeartGrains.Gateway.Resilience;

namespace HeartGrains.Gateway.RateLimiting;

/// <summary>After a quota did not answer: claims a token of the same policies again, with a heart's patience, until the grain answers, and gives it back.</summary>
internal sealed class QuotaProbe(GrainCalls calls, TimeProvider timeProvider)
{
    private static readonly TimeSpan RestPeriod = TimeSpan.FromMilliseconds(250);

    /// <summary>Shortens the patience with all quotas, and returns at once; what was not answered decides when it is long again.</summary>
    public void Doubt(QuotaAsk ask)
    {
        if (calls.QuotaPatience.TryDoubt()) Traces.Detach(() => FindOutAsync(ask));
    }

    private async Task FindOutAsync(QuotaAsk ask)
    {
        try
        {
            while (!await IsAnsweredAsync(ask) && !calls.Stopping.IsCancellationRequested)
                await Task.Delay(RestPeriod, timeProvider, calls.Stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
        finally
        {
            // Whatever happens here: without it all quotas would be hurried for ever.
            calls.QuotaPatience.Trust();
        }
    }

    /// <summary>A claim, and not a look: what hangs may be the store, which a look does not need.</summary>
    private async Task<bool> IsAnsweredAsync(QuotaAsk ask)
    {
        var probe = new QuotaAsk(ask.Dimension, ask.Key) { IsProbe = true, RequestAborted = calls.Stopping };
        foreach (var (policy, _) in ask.Parts) probe.Add(policy, default, 1);
        await probe.SendAsync(calls);
        probe.ReturnToGrain();
        return probe.Status == CallStatus.Answered;
    }
}
