using HeartGrains.Hosting;
using HeartGrains.Ledger.Memory;
using HeartGrains.Ledger.Postgres;
using HeartGrains.Ledger.Sqlite;
using HeartGrains.Resilience;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace HeartGrains.Ledger;

/// <summary>Chooses the ledger: memory for <c>dev</c>, SQLite for <c>single</c>, PostgreSQL for <c>cluster</c>.</summary>
internal static class LedgerHosting
{
    public static void AddLedger(this IServiceCollection services, HostSettings settings, IConfiguration configuration)
    {
        var postgres = settings.Mode == HostMode.Cluster ? configuration.RequiredConnection("Postgres") : "";

        // Read once before anything starts, and before others are given the string as it is.
        if (settings.Mode == HostMode.Cluster) PostgresConnection.Build(postgres, configuration.Read<LedgerOptions>(LedgerOptions.Section));
        if (settings.Mode != HostMode.Cluster && configuration[$"{LedgerOptions.Section}:{nameof(LedgerOptions.CommitDelay)}"] is null)
            services.PostConfigure<LedgerOptions>(options => options.CommitDelay = TimeSpan.Zero);

        services.AddSingleton(_ => DataFolderLock.Take(settings.Data));
        services.AddSingleton<IHeartLedger>(provider =>
        {
            var options = provider.GetRequiredService<IOptions<LedgerOptions>>().Value;
            IHeartLedger ledger = settings.Mode switch
            {
                HostMode.Dev => new MemoryLedger(),
                HostMode.Single => new SqliteLedger(
                    provider.GetRequiredService<DataFolderLock>().Folder, options, provider.GetRequiredService<ILogger<SqliteLedger>>()),
                _ => new PostgresLedger(postgres, options),
            };
            return new GuardedLedger(ledger, provider.GetRequiredService<Breakers>().Of(Breakers.Ledger), provider.GetRequiredService<TimeProvider>());
        });
    }
}
