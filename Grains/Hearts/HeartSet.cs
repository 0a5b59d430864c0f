using HeartGrains.Ledger;

namespace HeartGrains.Hearts;

/// <summary>
/// Who loves one target: a compact set of heart ids with the time each was given, bounded. When it is full it forgets its older half
/// and is no longer <see cref="IsComplete"/>: what it does not hold must then be asked of the ledger.
/// </summary>
/// <remarks>Two generations, so that forgetting costs one assignment and keeps at least the newest half of the bound.</remarks>
internal sealed class HeartSet
{
    private readonly int _generationLimit;
    private HeartTable _young = new();
    private HeartTable? _old;

    /// <summary>An empty set that holds at most <paramref name="limit"/> hearts.</summary>
    public HeartSet(int limit)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(limit, 2);
        _generationLimit = limit / 2;
    }

    /// <summary>Hearts given now, held here or not.</summary>
    public long Count { get; private set; }

    /// <summary>A heart that is not held here is not given.</summary>
    public bool IsComplete { get; private set; } = true;

    /// <summary>How many hearts are held.</summary>
    public int Held => _young.Count + (_old?.Count ?? 0);

    /// <summary>The set as the ledger's snapshot shows it: the projection, then the events behind it.</summary>
    public static HeartSet From(TargetSnapshot snapshot, int limit)
    {
        var set = new HeartSet(limit);
        for (var i = snapshot.Recent.Count - 1; i >= 0; i--)
            set.Add(snapshot.Recent[i].Id, snapshot.Recent[i].GivenAtMicros);
        set.IsComplete &= snapshot.Recent.Count == snapshot.FoldedCount;
        set.Count = snapshot.FoldedCount;
        foreach (var @event in snapshot.Tail) set.Apply(@event.Kind, @event.Heart, @event.AtMicros);
        return set;
    }

    /// <summary>When the heart was given, if it is held here.</summary>
    public bool TryGet(HeartId heart, out long givenAtMicros) =>
        _young.TryGet(heart, out givenAtMicros) || (_old is not null && _old.TryGet(heart, out givenAtMicros));

    /// <summary>Applies a committed event.</summary>
    public void Apply(HeartEventKind kind, HeartId heart, long atMicros)
    {
        if (kind == HeartEventKind.Given)
        {
            Add(heart, atMicros);
        }
        else
        {
            if (!_young.Remove(heart)) _old?.Remove(heart);
            Count--;
        }
    }

    private void Add(HeartId heart, long atMicros)
    {
        if (_young.Count >= _generationLimit)
        {
            if (_old is { Count: > 0 }) IsComplete = false;
            _old = _young;
            _young = new HeartTable();
        }

        _young.Add(heart, atMicros);
        Count++;
    }
}
