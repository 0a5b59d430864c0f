using HeartGrains.Audit;
using HeartGrains.Hearts;

namespace HeartGrains.Ledger.Memory;

/// <summary>One target's log and what is folded from it. Safe for concurrent use.</summary>
internal sealed class MemoryTarget(Guid key, string targetId)
{
    private readonly Lock _lock = new();
    private readonly List<Entry> _log = [];
    private long _count;

    // Heart to version of its last event: only a withdrawal or a search beyond the grain's own set asks, so most targets never need it.
    private Dictionary<HeartId, int>? _versions;

    public Guid Key => key;

    public string TargetId => targetId;

    public long Version
    {
        get
        {
            lock (_lock)
                return _log.Count;
        }
    }

    public void Append(ReadOnlySpan<HeartEvent> events)
    {
        lock (_lock)
        {
            foreach (ref readonly var heartEvent in events)
            {
                if (heartEvent.Kind == HeartEventKind.Given)
                    _count++;
                else
                    Withdraw(heartEvent.Heart);

                _log.Add(new Entry(heartEvent));
                if (_versions is not null)
                    _versions[heartEvent.Heart] = _log.Count;
            }
        }
    }

    public long? FindWriter(long version)
    {
        lock (_lock)
            return version >= 1 && version <= _log.Count ? _log[(int)version - 1].Writer : null;
    }

    public TargetSnapshot Load(int recentLimit)
    {
        lock (_lock)
        {
            var recent = new List<CurrentHeart>((int)Math.Min(recentLimit, _count));
            for (var version = _log.Count; version > 0 && recent.Count < recentLimit && recent.Count < _count; version--)
            {
                var entry = _log[version - 1];
                if (entry.IsCurrent)
                    recent.Add(new CurrentHeart(entry.Heart, entry.AtMicros, version));
            }

            return new TargetSnapshot(_count, _log.Count, recent, []);
        }
    }

    public CurrentHeart? Find(HeartId heart)
    {
        lock (_lock)
        {
            if (!Versions().TryGetValue(heart, out var version))
                return null;
            var entry = _log[version - 1];
            return entry.IsCurrent ? new CurrentHeart(heart, entry.AtMicros, version) : null;
        }
    }

    public HeartUserPage ListUsers(long before, int limit)
    {
        lock (_lock)
        {
            var users = new List<HeartUser>();
            var top = Math.Min(before, _log.Count + 1);
            var floor = HeartUserPage.FloorBelow(top);
            for (var version = (int)top - 1; version >= floor && users.Count < limit; version--)
            {
                var entry = _log[version - 1];
                if (entry.IsCurrent)
                    users.Add(new HeartUser(entry.UserId, entry.Heart, version, entry.AtMicros));
            }

            return new HeartUserPage([.. users], floor);
        }
    }

    public TopTarget Describe()
    {
        lock (_lock)
            return new TopTarget(targetId, _count, _log.Count);
    }

    public LoggedEvent Describe(long order, int version)
    {
        lock (_lock)
        {
            var entry = _log[version - 1];
            var (origin, mac) = entry.Origin switch
            {
                HeartOrigin told => (told, 0L),
                NetworkOrigin from => (from.Origin, from.NetworkMac),
                _ => (HeartOrigin.Claimed, 0L),
            };
            return new LoggedEvent(
                new EventPosition(order, key, version), targetId, entry.Heart, entry.UserId, entry.Kind, entry.AtMicros, entry.Writer, origin, mac, null, null);
        }
    }

    /// <summary>Shows all of it. Nothing is ever unfolded here; where each event stands among all targets is not known, and not asked.</summary>
    public void Show(ITargetReader reader)
    {
        lock (_lock)
        {
            reader.Read(new StoredTarget(targetId, _count, _log.Count, long.MaxValue));
            for (var version = 1; version <= _log.Count; version++) reader.Read(RawEvent.Of(Describe(0, version)));
            for (var version = 1; version <= _log.Count; version++)
            {
                var entry = _log[version - 1];
                if (entry.IsCurrent) reader.Read(new CurrentHeart(entry.Heart, entry.AtMicros, version));
            }
        }
    }

    /// <summary>Says anew of each event whether its heart is given now, and counts those.</summary>
    public void Rebuild()
    {
        lock (_lock)
        {
            _versions = null;
            _count = 0;
            foreach (var version in Versions().Values) _log[version - 1] = Renewed(_log[version - 1]);
            for (var i = 0; i < _log.Count; i++)
                if (_versions![_log[i].Heart] != i + 1) _log[i] = _log[i].Superseded();

            Entry Renewed(Entry entry)
            {
                if (entry.Kind != HeartEventKind.Given) return entry.Superseded();
                _count++;
                return entry.Current();
            }
        }
    }

    public TargetAt FindAsOf(long atMicros)
    {
        lock (_lock)
        {
            var version = _log.Count;
            while (version > 0 && _log[version - 1].AtMicros > atMicros) version--;
            var count = 0L;
            for (var i = 0; i < version; i++) count += _log[i].Kind == HeartEventKind.Given ? 1 : -1;
            return new TargetAt(true, count, version);
        }
    }

    /// <summary>Puts a tombstone in the place of a user's name, and forgets the network; false when the event is not that user's.</summary>
    public bool Rename(long version, string userId, string tombstone)
    {
        lock (_lock)
        {
            var entry = _log[(int)version - 1];
            if (entry.UserId != userId) return false;
            _log[(int)version - 1] = entry with
            {
                UserId = tombstone,
                Origin = entry.Origin is NetworkOrigin told ? told with { Origin = told.Origin with { Network = null } } : entry.Origin,
            };
            return true;
        }
    }

    private void Withdraw(HeartId heart)
    {
        _count--;
        if (Versions().TryGetValue(heart, out var given))
            _log[given - 1] = _log[given - 1].Superseded();
    }

    private Dictionary<HeartId, int> Versions()
    {
        if (_versions is null)
        {
            _versions = new Dictionary<HeartId, int>(_log.Count);
            for (var i = 0; i < _log.Count; i++)
                _versions[_log[i].Heart] = i + 1;
        }

        return _versions;
    }

    private sealed record NetworkOrigin(HeartOrigin Origin, long NetworkMac);

    /// <summary>
    /// An event in 48 bytes: the lowest bits of the time say whether it is a heart that is given now, and whether it was given at all. The origin is null, one, or one with its network.
    /// </summary>
    private readonly record struct Entry(HeartId Heart, string UserId, long Writer, long AtMicrosAndFlags, object? Origin)
    {
        private const long Now = 1;
        private const long Given = 2;

        public Entry(in HeartEvent source) : this(
            source.Heart, source.UserId, source.Writer, (source.AtMicros << 2) | (source.Kind == HeartEventKind.Given ? Given | Now : 0),
            source.Origin is { Network: not null } origin ? new NetworkOrigin(origin, source.NetworkMac) : source.Origin)
        {
        }

        public long AtMicros => AtMicrosAndFlags >> 2;

        public bool IsCurrent => (AtMicrosAndFlags & Now) != 0;

        public HeartEventKind Kind => (AtMicrosAndFlags & Given) != 0 ? HeartEventKind.Given : HeartEventKind.Withdrawn;

        public Entry Superseded() => this with { AtMicrosAndFlags = AtMicrosAndFlags & ~Now };

        public Entry Current() => this with { AtMicrosAndFlags = AtMicrosAndFlags | Now };
    }
}
