using HeartGrains.Audit;

namespace HeartGrains.Ledger.Sqlite;

/// <summary>The log over all targets: in the order of its rows.</summary>
public sealed partial class SqliteLedger
{
    /// <inheritdoc/>
    public ValueTask<long> FindHorizonAsync(CancellationToken cancellationToken) => new(Read(0, static (reader, _) => reader.Log.FindHorizon()));

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<LoggedEvent>> ReadAsync(
        EventPosition after, long horizon, EventFilter filter, int limit, CancellationToken cancellationToken) =>
        new(Read((after, horizon, filter, limit), static (reader, asked) => reader.Log.Read(asked.after, asked.horizon, asked.filter, asked.limit)));

    /// <inheritdoc/>
    public ValueTask<EventPosition> DecideAsync(Decision decision, CancellationToken cancellationToken) =>
        WriteAsync(writer => writer.Decide(decision), cancellationToken);
}
