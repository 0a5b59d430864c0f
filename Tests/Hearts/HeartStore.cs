using HeartGrains.Hosting;
using HeartGrains.Ledger;
using HeartGrains.Ledger.Memory;
using HeartGrains.Ledger.Postgres;
using HeartGrains.Ledger.Sqlite;
using HeartGrains.Tests.Infrastructure;
using Microsoft.Extensions.Logging.Abstractions;

namespace HeartGrains.Tests.Hearts;

/// <summary>Where the hearts of a test are kept.</summary>
internal abstract class HeartStore : IDisposable
{
    /// <summary>The mode whose ledger this is.</summary>
    public abstract HostMode Mode { get; }

    public virtual string Data => "";

    /// <summary>The database as the role that owns it.</summary>
    public virtual string Postgres => "";

    /// <summary>A ledger over the store as another process would open it.</summary>
    public abstract IHeartLedger Open(LedgerOptions options);

    public abstract void Dispose();

    public static HeartStore Memory() => new MemoryStore();

    public static HeartStore Sqlite() => new SqliteStore();

    public static async Task<HeartStore> PostgresAsync(LocalPostgres server) => new PostgresStore(await server.CreateDatabaseAsync());

    private sealed class MemoryStore : HeartStore
    {
        private readonly MemoryLedger _ledger = new();

        public override HostMode Mode => HostMode.Dev;

        public override IHeartLedger Open(LedgerOptions options) => _ledger;

        public override void Dispose()
        {
        }
    }

    private sealed class SqliteStore : HeartStore
    {
        private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("heartgrains-test-");

        public override HostMode Mode => HostMode.Single;

        public override string Data => _folder.FullName;

        public override IHeartLedger Open(LedgerOptions options) => new SqliteLedger(Data, options, NullLogger<SqliteLedger>.Instance);

        public override void Dispose() => _folder.Delete(recursive: true);
    }

    private sealed class PostgresStore(string connection) : HeartStore
    {
        public override HostMode Mode => HostMode.Cluster;

        public override string Postgres => connection;

        // The service runs as a role that owns nothing; as the owner it does in the tests of whole clusters.
        public override IHeartLedger Open(LedgerOptions options) => new PostgresLedger(LocalPostgres.AsService(connection), options, connection);

        public override void Dispose()
        {
        }
    }
}
