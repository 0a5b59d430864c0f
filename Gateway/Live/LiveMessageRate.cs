namespace HeartGrains.Gateway.Live;

/// <summary>How much a client may still send: a token bucket, touched by its connection alone.</summary>
internal struct LiveMessageRate(double perSecond, int burst, long startedAt)
{
    private const int TargetsOfAMessage = 20;
    private double _tokens = burst;
    private long _at = startedAt;

    /// <summary>What a message costs: one, and one more for every 20 targets in it.</summary>
    public static int CostOf(int targets) => 1 + (targets / TargetsOfAMessage);

    /// <summary>Takes what a message costs; false when that is too much.</summary>
    public bool TryTake(int cost, TimeProvider time)
    {
        var now = time.GetTimestamp();
        _tokens = Math.Min(burst, _tokens + (time.GetElapsedTime(_at, now).TotalSeconds * perSecond));
        _at = now;
        if (_tokens < cost) return false;
        _tokens -= cost;
        return true;
    }
}
