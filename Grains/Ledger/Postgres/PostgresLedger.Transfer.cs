using System.Data;
using HeartGrains.Audit;
using HeartGrains.Transfer;
using Npgsql;

namespace HeartGrains.Ledger.Postgres;

/// <summary>Export and import.</summary>
public sealed partial class PostgresLedger : ITransferLedger
{
    private const string EndSql = "select coalesce((select xid from heart_event order by xid desc limit 1)::text::bigint, 0)";

    /// <inheritdoc/>
    Task<string> ITransferLedger.OpenToReadAsync(CancellationToken cancellationToken) => AskAsync(async () =>
    {
        await using var connection = await _source.OpenConnectionAsync(cancellationToken);
        return await Migration.CheckAsync(Migration.In("HeartGrains.Ledger.Postgres", "HeartGrains.Storage"), connection, cancellationToken);
    }).AsTask();

    /// <inheritdoc/>
    ValueTask<LedgerMark> ITransferLedger.FindMarkAsync(CancellationToken cancellationToken) =>
        TransferAsync(static sql => sql.FindMarkAsync(EndSql, "user_id collate \"C\""), cancellationToken);

    /// <inheritdoc/>
    async ValueTask ITransferLedger.ScanStandingAsync(Action<ExportLine> read, CancellationToken cancellationToken) =>
        await TransferAsync(sql => Done(sql.ScanAsync(read)), cancellationToken);

    /// <inheritdoc/>
    ValueTask<bool> ITransferLedger.BeginImportAsync(CancellationToken cancellationToken) => TransferAsync(static sql => sql.BeginImportAsync(), cancellationToken);

    /// <inheritdoc/>
    async ValueTask ITransferLedger.ImportAsync(IReadOnlyList<StandingRow> rows, CancellationToken cancellationToken) =>
        await TransferAsync(sql => Done(sql.ImportAsync(rows)), cancellationToken);

    /// <inheritdoc/>
    async ValueTask ITransferLedger.EndImportAsync(CancellationToken cancellationToken) => await TransferAsync(static sql => Done(sql.EndImportAsync()), cancellationToken);

    /// <inheritdoc/>
    async ValueTask ITransferLedger.ImportAsync(IReadOnlyList<RawEvent> events, CancellationToken cancellationToken) => await AskAsync(async () =>
    {
        await using var connection = await _source.OpenConnectionAsync(cancellationToken);
        await using var copy = await connection.BeginBinaryImportAsync($"copy heart_event ({TransferSql.EventColumns}) from stdin (format binary)", cancellationToken);
        foreach (var row in events)
        {
            await copy.StartRowAsync(cancellationToken);
            await copy.WriteAsync(row.Position.Target, cancellationToken);
            await copy.WriteAsync(row.Position.Version, cancellationToken);
            await copy.WriteAsync(row.Heart.ToGuid(), cancellationToken);
            await copy.WriteAsync(row.Writer, cancellationToken);
            await copy.WriteAsync(row.AtMicros, cancellationToken);
            await copy.WriteAsync((short)row.Kind, cancellationToken);
            await copy.WriteAsync(row.UserId, cancellationToken);
            await copy.WriteAsync(row.TargetId, cancellationToken);
            await copy.WriteAsync(row.Actor, cancellationToken);
            await copy.WriteAsync<short?>(row.Cause == 0 ? null : row.Cause, cancellationToken);
            await copy.WriteAsync(row.Network, cancellationToken);
            await copy.WriteAsync<long?>(row.NetworkMac == 0 ? null : row.NetworkMac, cancellationToken);
            await copy.WriteAsync(row.Job, cancellationToken);
            await copy.WriteAsync(row.About, cancellationToken);
            await copy.WriteAsync(row.Detail, cancellationToken);
        }

        return await copy.CompleteAsync(cancellationToken);
    });

    private ValueTask<T> TransferAsync<T>(Func<TransferSql, Task<T>> work, CancellationToken cancellationToken) => AskAsync(async () =>
    {
        await using var connection = await _source.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(IsolationLevel.RepeatableRead, cancellationToken);
        var result = await work(new TransferSql(connection, transaction, cancellationToken));
        await transaction.CommitAsync(cancellationToken);
        return result;
    }, Timeout.InfiniteTimeSpan);

    private static async Task<bool> Done(Task work)
    {
        await work;
        return true;
    }
}
