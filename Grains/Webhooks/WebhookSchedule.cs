namespace HeartGrains.Webhooks;

/// <summary>How long to wait after a failure: doubled with each, with jitter, at most an hour, and no less than the receiver asked for.</summary>
internal static class WebhookSchedule
{
    private static readonly TimeSpan Longest = TimeSpan.FromHours(1);

    /// <param name="first">The wait after the first failure, without jitter.</param>
    /// <param name="failures">Failures before this one.</param>
    /// <param name="asked">What the receiver asked for.</param>
    /// <param name="random">From 0 to 1: the wait is between half and the whole.</param>
    public static TimeSpan Delay(TimeSpan first, int failures, TimeSpan? asked, double random)
    {
        var whole = Math.Min(first.TotalSeconds * Math.Pow(2, Math.Min(failures, 30)), Longest.TotalSeconds);
        var wait = TimeSpan.FromSeconds(whole * (0.5 + (random / 2)));
        return asked > wait ? asked.Value : wait;
    }
}
