using HeartGrains.Gateway.Resilience;

namespace HeartGrains.Gateway.RateLimiting;

/// <summary>After a quota did not answer: asks again, with a heart's patience and without taking, until it does.</summary>
internal sealed class QuotaProbe(GrainCalls calls, TimeProvider timeProvider)
{
    private const int MaxAttempts = 100;

    private static readonly TimeSpan RestPeriod = TimeSpan.FromMilliseconds(250);

    /// <summary>Shortens the patience with all quotas, and returns at once; what was not answered decides when it is long again.</summary>
    public void Doubt(QuotaAsk ask)
    {
        if (calls.QuotaPatience.TryDoubt()) _ = FindOutAsync(ask);
    }

    private async Task FindOutAsync(QuotaAsk ask)
    {
        string[] policies = [.. ask.Parts.Select(part => part.Policy.Policy.Name)];
        for (var attempt = 0; attempt < MaxAttempts; attempt++)
        {
            if (await calls.CallAsync(new QuotaLook(ask.Dimension, ask.Key, policies)) == CallStatus.Answered) break;
            await Task.Delay(RestPeriod, timeProvider);
        }

        calls.QuotaPatience.Trust();
    }
}
