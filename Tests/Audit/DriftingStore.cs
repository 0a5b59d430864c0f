using HeartGrains.Audit;
using HeartGrains.Ledger;
using HeartGrains.Tests.Hearts;
using HeartGrains.Tests.Infrastructure;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace HeartGrains.Tests.Audit;

/// <summary>A silo over a real store in which anything can be changed behind its back; all tests of a class share it, and each finds its tables as the first did.</summary>
public abstract class DriftingStore : IAsyncLifetime
{
    private string[] _tables = [];

    internal HeartSilo Silo { get; private set; } = null!;

    internal HeartStore Store { get; private set; } = null!;

    /// <summary>What lists the program's tables.</summary>
    protected abstract string TablesQuery { get; }

    /// <summary>Puts version 6 of a target among what was sealed.</summary>
    public abstract string MoveToFirst { get; }

    /// <inheritdoc/>
    public async ValueTask InitializeAsync()
    {
        Store = await OpenAsync();

        // Tests fold and seal when they want to.
        Silo = await HeartSilo.StartAsync(Store, null, static services =>
        {
            foreach (var service in services.Where(static service => service.ImplementationType == typeof(LedgerFolder) || service.ImplementationType == typeof(LogSealer)).ToList()) services.Remove(service);
        });
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await Silo.DisposeAsync();
        Store.Dispose();
        GC.SuppressFinalize(this);
    }

    /// <summary>Keeps what is in all tables.</summary>
    internal async Task KeepAsync()
    {
        _tables = await ListAsync(TablesQuery);
        await RunAsync(string.Concat(_tables.Select(static table => $"create table kept_{table} as select * from {table};")), Guid.Empty);
    }

    /// <summary>Puts back what was kept; false when nothing was.</summary>
    internal async Task<bool> RestoreAsync()
    {
        if (_tables.Length == 0) return false;
        await RunAsync(string.Concat(_tables.Select(static table => $"delete from {table}; insert into {table} select * from kept_{table};")), Guid.Empty);
        return true;
    }

    /// <summary>Runs statements with triggers off, as a superuser or whoever has the file could. <c>$target</c> is the target's key.</summary>
    internal abstract Task RunAsync(string sql, Guid target);

    private protected abstract Task<HeartStore> OpenAsync();

    private protected abstract Task<string[]> ListAsync(string query);
}

/// <summary>In a file of SQLite.</summary>
public sealed class SqliteDrift : DriftingStore
{
    /// <inheritdoc/>
    public override string MoveToFirst => "update heart_event set seq = -seq; update heart_event set seq = iif(target = $target and version = 6, 1, 1 - seq)";

    /// <inheritdoc/>
    protected override string TablesQuery => "select name from sqlite_master where type = 'table' and name like 'heart%'";

    private protected override Task<HeartStore> OpenAsync() => Task.FromResult(HeartStore.Sqlite());

    internal override async Task RunAsync(string sql, Guid target)
    {
        await using var connection = await ConnectAsync();
        await using var command = connection.CreateCommand();
        command.CommandText = "select name, sql from sqlite_master where type = 'trigger'";
        var triggers = new List<(string Name, string Sql)>();
        await using (var row = await command.ExecuteReaderAsync())
            while (await row.ReadAsync()) triggers.Add((row.GetString(0), row.GetString(1)));
        var off = string.Concat(triggers.Select(static trigger => $"drop trigger {trigger.Name};"));
        var on = string.Concat(triggers.Select(static trigger => $";{trigger.Sql};"));
        command.CommandText = $"begin immediate; {off} {sql} {on} commit;";
        command.Parameters.AddWithValue("$target", target.ToByteArray(bigEndian: true));
        await command.ExecuteNonQueryAsync();
    }

    private protected override async Task<string[]> ListAsync(string query)
    {
        await using var connection = await ConnectAsync();
        await using var command = connection.CreateCommand();
        command.CommandText = query;
        var names = new List<string>();
        await using var row = await command.ExecuteReaderAsync();
        while (await row.ReadAsync()) names.Add(row.GetString(0));
        return [.. names];
    }

    private async Task<SqliteConnection> ConnectAsync()
    {
        var connection = new SqliteConnection($"Data Source={Store.Data}/hearts.db;Pooling=false");
        await connection.OpenAsync();
        return connection;
    }
}

/// <summary>In a database of PostgreSQL.</summary>
public sealed class PostgresDrift(LocalPostgres postgres) : DriftingStore
{
    /// <inheritdoc/>
    public override string MoveToFirst => "update heart_event set xid = (select min(xid) from heart_event) where target = $target and version = 6";

    /// <inheritdoc/>
    protected override string TablesQuery => "select tablename from pg_tables where tablename like 'heart%'";

    private protected override Task<HeartStore> OpenAsync() => HeartStore.PostgresAsync(postgres);

    internal override async Task RunAsync(string sql, Guid target)
    {
        await using var connection = new NpgsqlConnection(Store.Postgres);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand($"set session_replication_role = replica; {sql.Replace("$target", $"'{target}'")}", connection);
        await command.ExecuteNonQueryAsync();
    }

    private protected override async Task<string[]> ListAsync(string query)
    {
        await using var connection = new NpgsqlConnection(Store.Postgres);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(query, connection);
        var names = new List<string>();
        await using var row = await command.ExecuteReaderAsync();
        while (await row.ReadAsync()) names.Add(row.GetString(0));
        return [.. names];
    }
}
