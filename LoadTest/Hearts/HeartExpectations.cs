namespace HeartGrains.LoadTest.Hearts;

/// <summary>
/// What a history promises: for every pair of user and target the surest of its answers, and for every target the users who
/// were acknowledged.
/// </summary>
internal sealed class HeartExpectations
{
    private readonly ulong[] _attempts;
    private readonly int _count;

    public HeartExpectations(HeartHistory history, Action<HeartAttempt> onCreatedTwice)
    {
        _attempts = history.ToSorted();
        AcknowledgedUsers = new int[history.Targets];
        Touched = new bool[history.Targets];
        foreach (var packed in _attempts)
        {
            // Sorted by user, target and fate: the first of a pair is the surest.
            var attempt = HeartAttempt.Unpack(packed);
            if (_count > 0 && _attempts[_count - 1] >> 2 == packed >> 2)
            {
                if (attempt.Fate == HeartFate.Created) onCreatedTwice(attempt);
                continue;
            }
            _attempts[_count++] = packed;
            Fates[(int)attempt.Fate]++;
            Touched[attempt.Target] = true;
            if (attempt.Fate <= HeartFate.Repeated) AcknowledgedUsers[attempt.Target]++;
        }
    }

    /// <summary>Distinct users acknowledged, by target.</summary>
    public int[] AcknowledgedUsers { get; }

    /// <summary>Targets that were asked for at all.</summary>
    public bool[] Touched { get; }

    /// <summary>Distinct hearts by their surest fate.</summary>
    public long[] Fates { get; } = new long[4];

    /// <summary>Hearts in groups of one user and at most <paramref name="limit"/> targets.</summary>
    public IEnumerable<HeartGroup> Users(int limit, bool onlyUnknown)
    {
        var group = new List<HeartAttempt>(limit);
        for (var i = 0; i < _count; i++)
        {
            var attempt = HeartAttempt.Unpack(_attempts[i]);
            if (onlyUnknown && attempt.Fate != HeartFate.Unknown) continue;
            if (group.Count > 0 && (group.Count == limit || group[0].User != attempt.User))
            {
                yield return new(group[0].User, [.. group]);
                group.Clear();
            }
            group.Add(attempt);
        }
        if (group.Count > 0) yield return new(group[0].User, [.. group]);
    }

    /// <summary>Targets that were asked for, in groups of at most <paramref name="limit"/>, without a user.</summary>
    public IEnumerable<HeartGroup> Targets(int limit) => Touched.Index()
        .Where(target => target.Item)
        .Chunk(limit)
        .Select(targets => new HeartGroup(null, [.. targets.Select(target => new HeartAttempt(target.Index, 0, HeartFate.Unknown))]));
}

/// <summary>What one query asks about: targets, and the user who may love them.</summary>
internal readonly record struct HeartGroup(long? User, HeartAttempt[] Hearts);
