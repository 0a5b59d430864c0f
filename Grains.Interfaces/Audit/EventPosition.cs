namespace HeartGrains.Audit;

/// <summary>
/// A place in the log's order over all targets: by <paramref name="Order"/>, then target, then version. Nothing that commits later stands before a place that was sealed.
/// </summary>
/// <param name="Order">The transaction in PostgreSQL, the row in SQLite and in memory; grows, with gaps.</param>
/// <param name="Target">The event's target; its bytes in network order decide.</param>
/// <param name="Version">The event's version.</param>
[GenerateSerializer, Immutable, Alias("audit.EventPosition")]
public readonly record struct EventPosition([property: Id(0)] long Order, [property: Id(1)] Guid Target, [property: Id(2)] long Version)
{
    /// <summary>Before the first event.</summary>
    public static EventPosition Start => default;
}
