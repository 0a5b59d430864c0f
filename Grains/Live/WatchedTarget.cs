namespace HeartGrains.Live;

/// <summary>
/// Who watches one activation's target, and what they have yet to be told: the latest state, however often it changed. Its grain changes it, the
/// board's tick reads it.
/// </summary>
internal sealed class WatchedTarget<TWatcher>(LiveBoard<TWatcher> board, string targetId) where TWatcher : notnull
{
    private readonly Lock _gate = new();
    private readonly List<(TWatcher Watcher, long Until)> _watchers = [];
    private long _count;
    private long _version;
    private bool _isMarked;
    private bool _isLost;

    /// <summary>Whether anybody's watch has not ended.</summary>
    public bool IsWatched
    {
        get
        {
            lock (_gate)
            {
                Expire();
                return _watchers.Count > 0;
            }
        }
    }

    /// <summary>Watches from now on, or longer.</summary>
    public void Add(TWatcher watcher)
    {
        var until = board.Until();
        lock (_gate)
        {
            Expire();
            var index = _watchers.FindIndex(entry => entry.Watcher.Equals(watcher));
            if (index >= 0) _watchers[index] = (watcher, until);
            else _watchers.Add((watcher, until));
        }
    }

    /// <summary>Watches no more.</summary>
    public void Remove(TWatcher watcher)
    {
        lock (_gate) _watchers.RemoveAll(entry => entry.Watcher.Equals(watcher));
    }

    /// <summary>The target has a state that is committed.</summary>
    public void Publish(long count, long version)
    {
        lock (_gate)
        {
            if (version <= _version) return;
            (_count, _version) = (count, version);
            if (_isMarked || _watchers.Count == 0) return;
            _isMarked = true;
        }

        board.Mark(this);
    }

    /// <summary>The activation goes, and its watches with it.</summary>
    public void Lose()
    {
        lock (_gate)
        {
            _isLost = true;
            if (_isMarked || _watchers.Count == 0) return;
            _isMarked = true;
        }

        board.Mark(this);
    }

    /// <summary>Adds what its watchers are to be told.</summary>
    public void Collect(Dictionary<TWatcher, WatcherNews> news)
    {
        lock (_gate)
        {
            _isMarked = false;
            Expire();
            foreach (var (watcher, _) in _watchers)
            {
                if (!news.TryGetValue(watcher, out var told)) news.Add(watcher, told = new WatcherNews());
                if (_version > 0) told.Updates.Add(new LiveUpdate(targetId, _count, _version));
                if (_isLost) told.Lost.Add(targetId);
            }
        }
    }

    private void Expire()
    {
        var now = board.Now;
        _watchers.RemoveAll(entry => entry.Until <= now);
    }
}

/// <summary>What one watcher is to be told.</summary>
internal sealed class WatcherNews
{
    public List<LiveUpdate> Updates { get; } = [];

    public List<string> Lost { get; } = [];
}
