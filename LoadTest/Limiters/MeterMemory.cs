using HeartGrains.RateLimiting;

namespace HeartGrains.LoadTest.Limiters;

/// <summary>Measures what the state of one user takes.</summary>
public static class MeterMemory
{
    private const int Users = 100_000;

    /// <summary>Bytes that stay on the heap for each user's account and meter, once something was spent.</summary>
    public static double BytesPerUser(QuotaPolicy policy)
    {
        var accounts = new QuotaAccount[Users];
        var clock = TimeProvider.System;
        var before = GC.GetTotalMemory(forceFullCollection: true);
        for (var i = 0; i < Users; i++)
        {
            accounts[i] = new QuotaAccount(policy, policy.Limit, clock.TimestampFrequency, clock.GetTimestamp());
            accounts[i].TrySpend(1, clock.GetTimestamp());
        }

        var bytes = GC.GetTotalMemory(forceFullCollection: true) - before;
        GC.KeepAlive(accounts);
        return (double)bytes / Users;
    }
}
