using System.Collections.Concurrent;
using System.Data.Common;
using Npgsql;

namespace HeartGrains.Ledger.Postgres;

/// <summary>The ledger in PostgreSQL: shared by all silos, folded by whichever comes first. See <c>docs/ledger.md</c>.</summary>
public sealed partial class PostgresLedger : IHeartLedger, IAsyncDisposable
{
    private static readonly TimeSpan MigrationPatience = TimeSpan.FromSeconds(60);

    private readonly NpgsqlDataSource _source;
    private readonly LedgerOptions _options;
    private readonly string _address;
    private readonly ConcurrentStack<PostgresAppender> _appenders = new();

    /// <summary>A ledger in the database that <paramref name="connectionString"/> names; nothing is opened yet.</summary>
    public PostgresLedger(string connectionString, LedgerOptions options)
    {
        _options = options;
        var settings = PostgresConnection.Build(connectionString, options);
        _address = $"{settings.Host}:{settings.Port}, database {settings.Database}";
        _source = new NpgsqlDataSourceBuilder(settings.ConnectionString).Build();
    }

    /// <inheritdoc/>
    public Task InitializeAsync(string keyFingerprint, CancellationToken cancellationToken) => AskAsync(async () =>
    {
        await using var connection = await _source.OpenConnectionAsync(cancellationToken);
        if (!_options.AllowWeakDurability)
            await PostgresConnection.RequireDurabilityAsync(connection, cancellationToken);

        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        await using (var command = new NpgsqlCommand("", connection, transaction))
        {
            command.CommandTimeout = (int)MigrationPatience.TotalSeconds;
            command.CommandText = $"set local lock_timeout = '{MigrationPatience.TotalSeconds}s'";
            await command.ExecuteNonQueryAsync(cancellationToken);
            command.CommandText = "select pg_advisory_xact_lock(7521862, 1)";
            await command.ExecuteNonQueryAsync(cancellationToken);
        }

        var migrations = Migration.In("HeartGrains.Ledger.Postgres", "HeartGrains.Storage");
        await Migration.ApplyAsync(migrations, transaction, cancellationToken);
        await Migration.ClaimKeyAsync(keyFingerprint, transaction, cancellationToken);
        await PostgresConnection.RequireOwnTransactionsAsync(transaction, cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return true;
    }).AsTask();

    /// <inheritdoc/>
    public async ValueTask<AppendOutcome> AppendAsync(ReadOnlyMemory<HeartEvent> batch)
    {
        if (batch.IsEmpty)
            return AppendOutcome.Committed;

        if (!_appenders.TryPop(out var appender))
        {
            try
            {
                appender = await PostgresAppender.OpenAsync(_source);
            }
            catch (Exception)
            {
                // Nothing was sent yet, so nothing can have been written.
                return AppendOutcome.Refused;
            }
        }

        var outcome = await appender.AppendAsync(batch);
        if (appender.IsUsable)
            _appenders.Push(appender);
        else
            await appender.DisposeAsync();
        return outcome;
    }

    /// <inheritdoc/>
    public ValueTask<int> FoldAsync(int limit, CancellationToken cancellationToken) => AskAsync(async () =>
    {
        await using var command = _source.CreateCommand("select fold_hearts($1)");
        command.CommandTimeout = PostgresConnection.Seconds(_options.FoldTimeout);
        command.Parameters.Add(new NpgsqlParameter<int> { TypedValue = limit });
        return (int)(await command.ExecuteScalarAsync(cancellationToken))!;
    });

    /// <inheritdoc/>
    public async ValueTask CheckAsync(CancellationToken cancellationToken) => await AskAsync(async () =>
    {
        await using var command = _source.CreateCommand("select xid from heart_fold");
        return await command.ExecuteScalarAsync(cancellationToken);
    });

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        while (_appenders.TryPop(out var appender))
            await appender.DisposeAsync();
        await _source.DisposeAsync();
    }

    private async ValueTask<T> AskAsync<T>(Func<Task<T>> question)
    {
        try
        {
            return await question();
        }
        catch (Exception error) when (error is DbException or TimeoutException or IOException)
        {
            throw new LedgerException(
                $"PostgreSQL ({_address}) cannot answer: {error.Message} Its address is ConnectionStrings:Postgres, "
                + "CONNECTIONSTRINGS__POSTGRES or --postgres.",
                error);
        }
    }
}
