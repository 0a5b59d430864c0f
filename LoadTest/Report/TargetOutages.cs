namespace HeartGrains.LoadTest.Report;

/// <summary>
/// How long single targets failed: from the start of a target's first failing request to its next success. While one silo of
/// three is down the others' targets still succeed, so a gap in all successes would not show it. Safe for many threads.
/// </summary>
public sealed class TargetOutages(int targets)
{
    private readonly Lock _lock = new();
    private readonly long[] _succeededAt = new long[targets];
    private readonly long[] _failingSince = new long[targets];
    private long _longest;

    /// <summary>The longest outage that ended.</summary>
    public TimeSpan Longest => TimeProvider.System.GetElapsedTime(0, Interlocked.Read(ref _longest));

    /// <summary>Targets whose last request failed.</summary>
    public int StillFailing => _failingSince.Count(since => since != 0);

    internal void Succeeded(int target, long timestamp)
    {
        Volatile.Write(ref _succeededAt[target], timestamp);
        if (Volatile.Read(ref _failingSince[target]) == 0) return;
        lock (_lock)
        {
            if (_failingSince[target] != 0) _longest = Math.Max(_longest, timestamp - _failingSince[target]);
            _failingSince[target] = 0;
        }
    }

    internal void Failed(int target, long startedTimestamp)
    {
        lock (_lock)
        {
            // A request that hung on the dead owner may fail long after the new owner answered others: that outage is over.
            if (startedTimestamp <= Volatile.Read(ref _succeededAt[target]) || _failingSince[target] != 0) return;
            _failingSince[target] = startedTimestamp;
        }
    }
}
