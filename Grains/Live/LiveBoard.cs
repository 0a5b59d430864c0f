using System.Collections.Concurrent;

namespace HeartGrains.Live;

/// <summary>The watched targets of one silo that have changed since they were last told.</summary>
internal sealed class LiveBoard<TWatcher>(TimeProvider time, Action onFirstMark) where TWatcher : notnull
{
    /// <summary>How long a watch lasts unless it is renewed.</summary>
    public static readonly TimeSpan WatchTime = TimeSpan.FromSeconds(60);

    private readonly ConcurrentQueue<WatchedTarget<TWatcher>> _marked = new();
    private readonly long _watchTicks = (long)(WatchTime.TotalSeconds * time.TimestampFrequency);
    private int _count;

    internal long Now => time.GetTimestamp();

    /// <summary>For an activation that somebody begins to watch.</summary>
    public WatchedTarget<TWatcher> Open(string targetId) => new(this, targetId);

    /// <summary>All that is to be told, each target once to each of its watchers.</summary>
    public Dictionary<TWatcher, WatcherNews> Collect()
    {
        var news = new Dictionary<TWatcher, WatcherNews>();

        // Those marked meanwhile are for the next time, or this would not end.
        for (var left = Interlocked.Exchange(ref _count, 0); left > 0 && _marked.TryDequeue(out var target); left--) target.Collect(news);
        return news;
    }

    internal long Until() => time.GetTimestamp() + _watchTicks;

    internal void Mark(WatchedTarget<TWatcher> target)
    {
        _marked.Enqueue(target);
        if (Interlocked.Increment(ref _count) == 1) onFirstMark();
    }
}
