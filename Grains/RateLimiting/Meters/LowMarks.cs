using System.Runtime.CompilerServices;

namespace HeartGrains.RateLimiting.Meters;

/// <summary>
/// Remembers how low the water stood since a moment in the past: the minima of all suffixes of its history, which are a stack that rises
/// from old to new. There is room for eight; then the two nearest become one, which counts as lower than it was and never as higher.
/// </summary>
internal struct LowMarks
{
    private const int Capacity = 8;

    private Marks _marks;
    private int _count;

    /// <summary>The water stands at <paramref name="low"/> at the clock reading <paramref name="at"/>, before anything is poured in.</summary>
    public void Add(long at, Int128 low)
    {
        while (_count > 0 && _marks[_count - 1].Low >= low) _count--;
        if (_count == Capacity) MergeNearest();
        _marks[_count++] = new Mark(at, low);
    }

    /// <summary>The lowest mark later than <paramref name="moment"/>; <see cref="Int128.MaxValue"/> when there is none.</summary>
    public readonly Int128 LowestAfter(long moment)
    {
        for (var i = 0; i < _count; i++)
        {
            if (_marks[i].At > moment) return _marks[i].Low;
        }

        return Int128.MaxValue;
    }

    /// <summary>Rewrites history: the water stood lower by <paramref name="units"/> (at most the lowest) ever after a moment.</summary>
    public void Lower(long moment, Int128 units)
    {
        var lowestSince = Int128.MaxValue;
        for (var i = _count - 1; i >= 0; i--)
        {
            var (at, low) = _marks[i];
            lowestSince = Int128.Min(lowestSince, at > moment ? low - units : low);
            _marks[i] = new Mark(at, lowestSince);
        }
    }

    /// <summary>Spares the lowest: what was spent right after it would find a vessel that was as good as dry.</summary>
    private void MergeNearest()
    {
        var nearest = 1;
        for (var i = 2; i < _count - 1; i++)
        {
            if (Rise(i) <= Rise(nearest)) nearest = i;
        }

        _marks[nearest] = _marks[nearest] with { At = _marks[nearest + 1].At };
        _count--;
        for (var i = nearest + 1; i < _count; i++) _marks[i] = _marks[i + 1];
    }

    private readonly Int128 Rise(int index) => _marks[index + 1].Low - _marks[index].Low;

    private readonly record struct Mark(long At, Int128 Low);

    [InlineArray(Capacity)]
    private struct Marks
    {
        private Mark _first;
    }
}
