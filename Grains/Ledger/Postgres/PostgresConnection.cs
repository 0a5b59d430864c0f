using HeartGrains.Hosting;
using Npgsql;

namespace HeartGrains.Ledger.Postgres;

/// <summary>How the ledger talks to PostgreSQL, and what it asks of it before it trusts it with hearts.</summary>
internal static class PostgresConnection
{
    /// <summary>The name of the connection string that the program runs with.</summary>
    public const string Service = "Postgres";

    /// <summary>The name of that which changes the tables, where it is another.</summary>
    public const string Owner = "PostgresOwner";

    // After a timeout the connection is given up at once: whoever waits for the append has waited long enough.
    private const int NoWait = -1;

    /// <summary>
    /// The connection string with the ledger's limits: every wait ends, a vanished client's locks are let go, and the fold's snapshots
    /// are taken statement by statement. Every read has its index; a plan made while the tables were empty must not scan them when full.
    /// </summary>
    /// <exception cref="StartException">The driver cannot read it; what it says may quote the password, so it is kept back.</exception>
    public static NpgsqlConnectionStringBuilder Build(string connectionString, LedgerOptions options, string name = Service)
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
                $"ConnectionStrings:{name}", "PostgreSQL's connection string cannot be read; write it as Host=…;Database=…;Username=…;Password=…");
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

    /// <summary>
    /// When the log was loaded from a dump of another server, whose transaction ids may lie ahead of this one's, puts its clock forward, so that what comes is ordered behind what is there.
    /// Within the transaction that keeps other starts out.
    /// </summary>
    public static async Task SetClockAsync(NpgsqlTransaction transaction, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(
            """
            update heart_clock
               set xid_offset = xid_offset + latest.xid - heart_xid()::text::bigint + 1
              from (select greatest((select xid from heart_event order by xid desc limit 1), (select xid from heart_fold))::text::bigint as xid) latest
             where latest.xid >= heart_xid()::text::bigint
            """,
            transaction.Connection,
            transaction);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }
}
