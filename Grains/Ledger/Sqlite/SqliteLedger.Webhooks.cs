using HeartGrains.Audit;
using HeartGrains.Webhooks;

namespace HeartGrains.Ledger.Sqlite;

/// <summary>What webhooks have yet to tell.</summary>
public sealed partial class SqliteLedger : IWebhookStore
{
    /// <inheritdoc/>
    public ValueTask<EventPosition?> FindPlaceAsync(string endpoint, CancellationToken cancellationToken) =>
        new(Read(endpoint, static (reader, endpoint) => new SqliteWebhooks(reader.Connection).FindPlace(endpoint)));

    /// <inheritdoc/>
    public async ValueTask AdvanceAsync(string endpoint, EventPosition place, IReadOnlyList<ChangedTarget> changed, CancellationToken cancellationToken) =>
        await WriteAsync(writer => new SqliteWebhooks(writer.Connection).Advance(endpoint, place, changed), cancellationToken);

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<WaitingTarget>> ListDueAsync(string endpoint, long nowMicros, int limit, CancellationToken cancellationToken) =>
        new(Read((endpoint, nowMicros, limit), static (reader, asked) => new SqliteWebhooks(reader.Connection).ListDue(asked.endpoint, asked.nowMicros, asked.limit)));

    /// <inheritdoc/>
    public async ValueTask DeliveredAsync(string endpoint, WaitingTarget waiting, long nextMicros, CancellationToken cancellationToken) =>
        await WriteAsync(writer => new SqliteWebhooks(writer.Connection).Delivered(endpoint, waiting, nextMicros), cancellationToken);

    /// <inheritdoc/>
    public async ValueTask FailedAsync(string endpoint, WaitingTarget waiting, long sinceMicros, long? nextMicros, string error, CancellationToken cancellationToken) =>
        await WriteAsync(writer => new SqliteWebhooks(writer.Connection).Failed(endpoint, waiting, sinceMicros, nextMicros, error), cancellationToken);

    /// <inheritdoc/>
    public ValueTask<(long Pending, long Failing, long Dead)> CountAsync(string endpoint, CancellationToken cancellationToken) =>
        new(Read(endpoint, static (reader, endpoint) => new SqliteWebhooks(reader.Connection).Count(endpoint)));

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<DeadLetter>> ListDeadAsync(string endpoint, string after, int limit, CancellationToken cancellationToken) =>
        new(Read((endpoint, after, limit), static (reader, asked) => new SqliteWebhooks(reader.Connection).ListDead(asked.endpoint, asked.after, asked.limit)));

    /// <inheritdoc/>
    public ValueTask<int> ResendAsync(string endpoint, string? targetId, long dueMicros, CancellationToken cancellationToken) =>
        WriteAsync(writer => new SqliteWebhooks(writer.Connection).Resend(endpoint, targetId, dueMicros), cancellationToken);
}
