using HeartGrains.LoadTest.Overload;

namespace HeartGrains.LoadTest.Live;

/// <summary>
/// How long after its answer a heart was seen by a watcher. A heart is seen with the first update of its target whose version is no earlier than its own: updates are conflated. Safe for many
/// threads.
/// </summary>
internal sealed class ArrivalRecord
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, (long Version, long At)> _seen = [];
    private readonly Dictionary<string, List<(long Version, long At)>> _waiting = [];

    /// <summary>The times; one seen before its answer came counts as nothing.</summary>
    public LatencyRecord Latencies { get; } = new();

    /// <summary>Hearts not seen yet.</summary>
    public int Waiting
    {
        get
        {
            lock (_gate) return _waiting.Values.Sum(static list => list.Count);
        }
    }

    /// <summary>A heart was acknowledged.</summary>
    public void Given(string target, long version, long at)
    {
        lock (_gate)
        {
            if (_seen.TryGetValue(target, out var seen) && seen.Version >= version)
            {
                Latencies.Add(at, Math.Max(at, seen.At));
                return;
            }

            if (!_waiting.TryGetValue(target, out var list)) _waiting.Add(target, list = []);
            list.Add((version, at));
        }
    }

    /// <summary>An update arrived.</summary>
    public void Seen(string target, long version, long at)
    {
        lock (_gate)
        {
            _seen[target] = (version, at);
            if (!_waiting.TryGetValue(target, out var list)) return;
            foreach (var (_, given) in list.Where(heart => heart.Version <= version)) Latencies.Add(given, at);
            list.RemoveAll(heart => heart.Version <= version);
        }
    }
}
