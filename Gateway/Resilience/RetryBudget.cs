namespace HeartGrains.Gateway.Resilience;

/// <summary>
/// Keeps retries from amplifying an outage: each call pays in a part of a retry, and each retry takes out a whole one. Saved up are a hundred calls' parts, and at
/// least ten retries, at most. Thread-safe, without locks.
/// </summary>
/// <param name="ratio">Retries to calls, 0 to 1.</param>
internal sealed class RetryBudget(double ratio)
{
    private const int Unit = 1_000;
    private const int LeastSaved = 10;

    private readonly int _part = (int)Math.Round(ratio * Unit);
    private readonly int _cap = ratio <= 0 ? 0 : Math.Max(LeastSaved, (int)(ratio * 100)) * Unit;
    private int _saved = ratio <= 0 ? 0 : Math.Max(LeastSaved, (int)(ratio * 100)) * Unit;

    /// <summary>Retries that could be made now.</summary>
    public double Left => (double)Math.Max(0, Volatile.Read(ref _saved)) / Unit;

    /// <summary>A call is made.</summary>
    public void Pay()
    {
        // A full account, the usual case, is only looked at.
        if (Volatile.Read(ref _saved) < _cap) Interlocked.Add(ref _saved, _part);
    }

    /// <summary>A retry wants to be made; false when there have been too many.</summary>
    public bool TryTake()
    {
        while (true)
        {
            var saved = Volatile.Read(ref _saved);
            if (saved < Unit) return false;
            if (Interlocked.CompareExchange(ref _saved, saved - Unit, saved) == saved) return true;
        }
    }
}
