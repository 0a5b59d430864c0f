namespace HeartGrains.Resilience;

/// <summary>What silos told of their breakers, for as long as it is fresh. Not thread-safe.</summary>
internal sealed class SiloBreakersBoard(TimeProvider time)
{
    /// <summary>Silos that are kept; more are not shown.</summary>
    public const int Limit = 1_000;

    /// <summary>A silo tells every second; ten in a row are not lost while it runs.</summary>
    public static readonly TimeSpan Freshness = TimeSpan.FromSeconds(10);

    private readonly Dictionary<string, (SiloBreakers Told, long At)> _silos = [];

    /// <summary>A silo told.</summary>
    public void Put(SiloBreakers told)
    {
        Forget();
        if (_silos.Count < Limit || _silos.ContainsKey(told.Silo)) _silos[told.Silo] = (told, time.GetTimestamp());
    }

    /// <summary>Of each silo what it told last, by name.</summary>
    public SiloBreakers[] Read()
    {
        Forget();
        return [.. _silos.Values.OrderBy(silo => silo.Told.Silo, StringComparer.Ordinal)
            .Select(silo => silo.Told with { AgeMillis = (long)time.GetElapsedTime(silo.At).TotalMilliseconds })];
    }

    private void Forget()
    {
        foreach (var (silo, (_, at)) in _silos)
            if (time.GetElapsedTime(at) > Freshness) _silos.Remove(silo);
    }
}
