using HeartGrains.Audit;
using HeartGrains.Hosting;
using HeartGrains.Transfer;
using Microsoft.Data.Sqlite;

namespace HeartGrains.Ledger.Sqlite;

/// <summary>Export, import and backup.</summary>
public sealed partial class SqliteLedger : ITransferLedger
{
    private bool _isOpenToRead;

    /// <inheritdoc/>
    async Task<string> ITransferLedger.OpenToReadAsync(CancellationToken cancellationToken)
    {
        if (!File.Exists(_path)) throw new LedgerException($"There are no hearts: {_path} does not exist. Its folder is HeartGrains:Data, HEARTGRAINS__DATA or --data.");
        try
        {
            await using var connection = Open(MigrationTimeoutSeconds);
            var fingerprint = await Migration.CheckAsync(Migration.In("HeartGrains.Ledger.Sqlite"), connection, cancellationToken);
            _isOpenToRead = true;
            return fingerprint;
        }
        catch (SqliteException error)
        {
            throw CannotAnswer(error);
        }
    }

    /// <inheritdoc/>
    ValueTask<LedgerMark> ITransferLedger.FindMarkAsync(CancellationToken cancellationToken) =>
        TransferAsync(static sql => sql.FindMarkAsync("select coalesce(max(seq), 0) from heart_event", "user_id"), isWriting: false, cancellationToken);

    /// <inheritdoc/>
    async ValueTask ITransferLedger.ScanStandingAsync(Action<ExportLine> read, CancellationToken cancellationToken) =>
        await TransferAsync(sql => Done(sql.ScanAsync(read)), isWriting: false, cancellationToken);

    /// <inheritdoc/>
    ValueTask<bool> ITransferLedger.BeginImportAsync(CancellationToken cancellationToken) => TransferAsync(static sql => sql.BeginImportAsync(), isWriting: true, cancellationToken);

    /// <inheritdoc/>
    async ValueTask ITransferLedger.ImportAsync(IReadOnlyList<StandingRow> rows, CancellationToken cancellationToken) =>
        await TransferAsync(sql => Done(sql.ImportAsync(rows)), isWriting: true, cancellationToken);

    /// <inheritdoc/>
    async ValueTask ITransferLedger.EndImportAsync(CancellationToken cancellationToken) =>
        await TransferAsync(static sql => Done(sql.EndImportAsync()), isWriting: true, cancellationToken);

    /// <inheritdoc/>
    async ValueTask ITransferLedger.ImportAsync(IReadOnlyList<RawEvent> events, CancellationToken cancellationToken) =>
        await WriteAsync(writer => writer.Import(events), cancellationToken);

    /// <summary>Copies the database as it is at one moment into a new file, its owner's only, while it is written.</summary>
    internal void CopyTo(string path)
    {
        try
        {
            using var connection = Open(MigrationTimeoutSeconds);

            // What an attempt left that was broken off may be readable by others.
            File.Delete(path);
            OwnFile.Open(path, FileMode.CreateNew).Dispose();
            using var copy = new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = path, Pooling = false }.ConnectionString);
            copy.Open();
            connection.BackupDatabase(copy);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new LedgerException($"The copy {path} cannot be written: {error.Message}", error);
        }
        catch (SqliteException error)
        {
            throw CannotAnswer(error);
        }
    }

    // Each on a connection of its own: an import or export has few of them.
    private async ValueTask<T> TransferAsync<T>(Func<TransferSql, Task<T>> work, bool isWriting, CancellationToken cancellationToken)
    {
        try
        {
            await using var connection = Open(MigrationTimeoutSeconds);
            await using var transaction = connection.BeginTransaction(deferred: !isWriting);
            var result = await work(new TransferSql(connection, transaction, cancellationToken));
            await transaction.CommitAsync(CancellationToken.None);
            return result;
        }
        catch (SqliteException error)
        {
            throw CannotAnswer(error);
        }
    }

    private static async Task<bool> Done(Task work)
    {
        await work;
        return true;
    }
}
