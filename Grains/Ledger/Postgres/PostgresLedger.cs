using System.Collections.Concurrent;
using System.Data.Common;
using System.Diagnostics;
using HeartGrains.Audit;
using HeartGrains.Jobs;
using HeartGrains.Users;
using Npgsql;

namespace HeartGrains.Ledger.Postgres;

/// <summary>The ledger in PostgreSQL: shared by all silos, folded by whichever comes first. See <c>docs/ledger.md</c>.</summary>
public sealed partial class PostgresLedger : IHeartLedger, IEventLog, ISealStore, IAuditStore, IJobStore, IUserLog, IAsyncDisposable
{
    private static readonly TimeSpan MigrationPatience = TimeSpan.FromSeconds(60);

    // The same even where a role has no right to make tables, while there is nothing to make.
    private const string MakeTable = $"do $$ begin if to_regclass('heart_migration') is null then {Migration.MakeTable}; end if; end $$";

    private readonly NpgsqlDataSource _source;
    private readonly string? _owner;
    private readonly LedgerOptions _options;
    private readonly string _address;
    private readonly ConcurrentStack<PostgresAppender> _appenders = new();

    /// <summary>
    /// A ledger in the database that <paramref name="connectionString"/> names; nothing is opened yet. Where <paramref name="ownerConnectionString"/> is given its role makes and changes the tables, and the other is
    /// given what it needs.
    /// </summary>
    public PostgresLedger(string connectionString, LedgerOptions options, string? ownerConnectionString = null)
    {
        _options = options;
        _owner = ownerConnectionString is { Length: > 0 } owner ? PostgresConnection.Build(owner, options, PostgresConnection.Owner).ConnectionString : null;
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

        if (_owner is not null) await MigrateAsOwnerAsync(_owner, await RoleOfAsync(connection, cancellationToken), cancellationToken);
        await using var transaction = await BeginAloneAsync(connection, cancellationToken);
        await MigrateAsync(transaction, cancellationToken);
        await Migration.ClaimKeyAsync(keyFingerprint, transaction, cancellationToken);
        await PostgresConnection.SetClockAsync(transaction, cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return true;
    }, Timeout.InfiniteTimeSpan).AsTask();

    /// <inheritdoc/>
    public async ValueTask<AppendOutcome> AppendAsync(ReadOnlyMemory<HeartEvent> batch)
    {
        if (batch.IsEmpty)
            return AppendOutcome.Committed;

        var started = Stopwatch.GetTimestamp();
        if (!_appenders.TryPop(out var appender))
        {
            var opening = PostgresAppender.OpenAsync(_source);
            try
            {
                appender = await opening.WaitAsync(_options.CommandTimeout, TimeProvider.System);
            }
            catch (Exception)
            {
                // Nothing was sent yet, so nothing can have been written.
                _ = KeepLaterAsync(opening);
                return AppendOutcome.Refused;
            }
        }

        // It has read the batch when it returns: what is waited for is the server alone.
        var append = appender.AppendAsync(batch).AsTask();
        try
        {
            var outcome = await append.WaitAsync(Left(started), TimeProvider.System);
            await KeepAsync(appender);
            return outcome;
        }
        catch (TimeoutException)
        {
            _ = KeepLaterAsync(append, appender);
            return AppendOutcome.Unknown;
        }
    }

    /// <inheritdoc/>
    public ValueTask<bool> SetOpeningAsync(Guid target, string targetId, long opening, OpeningDecision decide, CancellationToken cancellationToken) =>
        ModerateAsync(sql => sql.SetOpeningAsync(target, targetId, opening, decide), cancellationToken);

    /// <inheritdoc/>
    public ValueTask<int> FoldAsync(int limit, CancellationToken cancellationToken) => AskAsync(async () =>
    {
        await using var command = _source.CreateCommand("select fold_hearts($1)");
        command.CommandTimeout = PostgresConnection.Seconds(_options.FoldTimeout);
        command.Parameters.Add(new NpgsqlParameter<int> { TypedValue = limit });
        return (int)(await command.ExecuteScalarAsync(cancellationToken))!;
    }, Timeout.InfiniteTimeSpan);

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

    private static async Task MigrateAsOwnerAsync(string owner, string role, CancellationToken cancellationToken)
    {
        await using var source = NpgsqlDataSource.Create(owner);
        await using var connection = await source.OpenConnectionAsync(cancellationToken);
        await using var transaction = await BeginAloneAsync(connection, cancellationToken);
        await MigrateAsync(transaction, cancellationToken);
        await PostgresRoles.GrantAsync(role, transaction, cancellationToken);
        await transaction.CommitAsync(cancellationToken);
    }

    private static Task MigrateAsync(NpgsqlTransaction transaction, CancellationToken cancellationToken) =>
        Migration.ApplyAsync(Migration.In("HeartGrains.Ledger.Postgres", "HeartGrains.Storage"), transaction, cancellationToken, MakeTable);

    /// <summary>A transaction that keeps other starts out.</summary>
    private static async Task<NpgsqlTransaction> BeginAloneAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        var transaction = await connection.BeginTransactionAsync(cancellationToken);
        await using var command = new NpgsqlCommand("", connection, transaction);
        command.CommandTimeout = (int)MigrationPatience.TotalSeconds;
        command.CommandText = $"set local lock_timeout = '{MigrationPatience.TotalSeconds}s'";
        await command.ExecuteNonQueryAsync(cancellationToken);
        command.CommandText = "select pg_advisory_xact_lock(7521862, 1)";
        await command.ExecuteNonQueryAsync(cancellationToken);
        return transaction;
    }

    private static async Task<string> RoleOfAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand("select current_user::text", connection);
        return (string)(await command.ExecuteScalarAsync(cancellationToken))!;
    }

    /// <summary>
    /// Asks with an end to the wait. The driver has time limits of its own, but one that a server ran into by hanging is followed by an attempt to cancel, which hangs as well: three times as
    /// long in all. What is not waited for any longer ends by itself.
    /// </summary>
    private async ValueTask<T> AskAsync<T>(Func<Task<T>> question, TimeSpan? patience = null)
    {
        var answer = question();
        try
        {
            return await answer.WaitAsync(patience ?? _options.CommandTimeout, TimeProvider.System);
        }
        catch (Exception error) when (error is DbException or TimeoutException or IOException)
        {
            _ = ForgetAsync(answer);
            throw new LedgerException(
                $"PostgreSQL ({_address}) cannot answer: {error.Message.TrimEnd('.')}. Its address is ConnectionStrings:Postgres, "
                + "CONNECTIONSTRINGS__POSTGRES or --postgres."
                + (error is PostgresException { SqlState: PostgresErrorCodes.InsufficientPrivilege } ? " Where another role owns the tables, a start needs its address too, in ConnectionStrings:PostgresOwner." : ""),
                error);
        }
    }

    private static async Task ForgetAsync(Task answer) => await answer.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);

    private async Task KeepAsync(PostgresAppender appender)
    {
        if (appender.IsUsable) _appenders.Push(appender);
        else await appender.DisposeAsync();
    }

    private async Task KeepLaterAsync(Task<PostgresAppender> opening)
    {
        await ForgetAsync(opening);
        if (opening.IsCompletedSuccessfully) await KeepAsync(await opening);
    }

    private async Task KeepLaterAsync(Task<AppendOutcome> append, PostgresAppender appender)
    {
        await append;
        await KeepAsync(appender);
    }

    private TimeSpan Left(long started)
    {
        var left = _options.CommandTimeout - Stopwatch.GetElapsedTime(started);
        return left > TimeSpan.Zero ? left : TimeSpan.Zero;
    }
}
