using HeartGrains.Hosting;
using Npgsql;

namespace HeartGrains.Ledger.Postgres;

/// <summary>How the ledger talks to PostgreSQL, and what it asks of it before it trusts it with hearts.</summary>
internal static class PostgresConnection
{
    // After a timeout the connection is given up at once: whoever waits for the append has waited long enough.
    private const int NoWait = -1;

    /// <summary>
    /// The connection string with the ledger's limits: every wait ends, a vanished client's locks are let go, and the fold's snapshots
    /// are taken statement by statement. Every read has its index; a plan made while the tables were empty must not scan them when full.
    /// </summary>
    /// <exception cref="StartException">The driver cannot read it; what it says may quote the password, so it is kept back.</exception>
    public static NpgsqlConnectionStringBuilder Build(string connectionString, LedgerOptions options)
    {
        try
        {
            var settings = Limit(connectionString, options);

            // Opens nothing, but checks what the settings only hold.
            NpgsqlDataSource.Create(settings).Dispose();
            return settings;
        }
        catch (Exception)
        {
            throw StartException.Setting(
                "ConnectionStrings:Postgres", "PostgreSQL's connection string cannot be read; write it as Host=…;Database=…;Username=…;Password=…");
        }
    }

    /// <summary>The connection string with an end to every wait, for whoever else talks to the same server.</summary>
    public static NpgsqlConnectionStringBuilder Bound(string connectionString, LedgerOptions options) => new(connectionString)
    {
        Timeout = Seconds(options.ConnectTimeout),
        CommandTimeout = Seconds(options.CommandTimeout),
        CancellationTimeout = NoWait,
        IncludeErrorDetail = false,
    };

    private static NpgsqlConnectionStringBuilder Limit(string connectionString, LedgerOptions options)
    {
        var settings = Bound(connectionString, options);
        settings.MaxPoolSize = options.MaxPoolSize;
        settings.MaxAutoPrepare = 16;
        settings.AutoPrepareMinUsages = 2;
        settings.NoResetOnClose = true;
        settings.ApplicationName ??= "heartgrains-ledger";
        settings.Options = "-c lock_timeout=1s -c idle_in_transaction_session_timeout=5s -c tcp_user_timeout=5s -c jit=off -c enable_seqscan=off "
            + "-c max_parallel_workers_per_gather=0 -c default_transaction_isolation=read\\ committed "
            + settings.Options;
        return settings;
    }

    public static int Seconds(TimeSpan time) => (int)Math.Ceiling(time.TotalSeconds);

    /// <summary>Throws when a crash of the server could take back what it had confirmed.</summary>
    public static async Task RequireDurabilityAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(
            "select name from unnest(array['fsync', 'full_page_writes', 'synchronous_commit']) name where current_setting(name) = 'off'",
            connection);
        var weak = new List<string>();
        await using (var reader = await command.ExecuteReaderAsync(cancellationToken))
        {
            while (await reader.ReadAsync(cancellationToken))
                weak.Add(reader.GetString(0));
        }

        if (weak.Count > 0)
        {
            throw new LedgerException(
                $"PostgreSQL runs with {string.Join(", ", weak)} off: a crash could lose hearts that were acknowledged. Turn "
                + "it on in postgresql.conf (or in the role's or connection's settings), or accept the loss with "
                + "HeartGrains:Ledger:AllowWeakDurability, HEARTGRAINS__LEDGER__ALLOWWEAKDURABILITY=true.");
        }
    }

    /// <summary>Throws when the log's transactions are another server's: the fold orders by their ids and would pass new events over.</summary>
    public static async Task RequireOwnTransactionsAsync(NpgsqlTransaction transaction, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(
            """
            select exists (select from heart_event where xid >= pg_snapshot_xmax(pg_current_snapshot()))
                or exists (select from heart_fold where xid >= pg_snapshot_xmax(pg_current_snapshot()))
            """,
            transaction.Connection,
            transaction);
        if ((bool)(await command.ExecuteScalarAsync(cancellationToken))!)
        {
            throw new LedgerException(
                "The hearts in this database were written on another PostgreSQL server and loaded from a dump: their transaction ids lie ahead "
                + "of this server's, so new hearts would never be folded. Run the statements under \"Moving to another server\" in "
                + "docs/ledger.md once, then start again.");
        }
    }
}
