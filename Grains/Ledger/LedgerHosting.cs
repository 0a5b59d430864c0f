using HeartGrains.Audit;
using HeartGrains.Hosting;
using HeartGrains.Jobs;
using HeartGrains.Ledger.Memory;
using HeartGrains.Ledger.Postgres;
using HeartGrains.Ledger.Sqlite;
using HeartGrains.Moderation;
using HeartGrains.Resilience;
using HeartGrains.Users;
using HeartGrains.Webhooks;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace HeartGrains.Ledger;

/// <summary>Chooses the ledger: memory for <c>dev</c>, SQLite for <c>single</c>, PostgreSQL for <c>cluster</c>.</summary>
internal static class LedgerHosting
{
    /// <summary>The store itself, which its guard closes: behind it for hearts, beside it for what hearts do not wait for.</summary>
    private sealed record LedgerStore(IHeartLedger Hearts);

    public static void AddLedger(this IServiceCollection services, HostSettings settings, IConfiguration configuration)
    {
        var postgres = settings.Mode == HostMode.Cluster ? configuration.RequiredConnection(PostgresConnection.Service) : "";
        var owner = settings.Mode == HostMode.Cluster ? configuration.GetConnectionString(PostgresConnection.Owner) : null;

        // Read once before anything starts, and before others are given the string as it is.
        if (settings.Mode == HostMode.Cluster)
        {
            var options = configuration.Read<LedgerOptions>(LedgerOptions.Section);
            PostgresConnection.Build(postgres, options);
            if (owner is { Length: > 0 }) PostgresConnection.Build(owner, options, PostgresConnection.Owner);
        }

        if (settings.Mode != HostMode.Cluster && configuration[$"{LedgerOptions.Section}:{nameof(LedgerOptions.CommitDelay)}"] is null)
            services.PostConfigure<LedgerOptions>(options => options.CommitDelay = TimeSpan.Zero);

        services.AddSingleton(_ => DataFolderLock.Take(settings.Data));
        services.AddSingleton<LedgerStore>(provider =>
        {
            var options = provider.GetRequiredService<IOptions<LedgerOptions>>().Value;
            return new LedgerStore(settings.Mode switch
            {
                HostMode.Dev => new MemoryLedger(),
                HostMode.Single => new SqliteLedger(
                    provider.GetRequiredService<DataFolderLock>().Folder, options, provider.GetRequiredService<ILogger<SqliteLedger>>()),
                _ => new PostgresLedger(postgres, options, owner),
            });
        });
        services.AddSingleton<IHeartLedger>(static provider => new GuardedLedger(
            provider.GetRequiredService<LedgerStore>().Hearts, provider.GetRequiredService<Breakers>().Of(Breakers.Ledger), provider.GetRequiredService<TimeProvider>()));
        services.AddSingleton(static provider => (IEventLog)provider.GetRequiredService<LedgerStore>().Hearts);
        services.AddSingleton(static provider => (IModerationStore)provider.GetRequiredService<LedgerStore>().Hearts);
        services.AddSingleton(static provider => (IWebhookStore)provider.GetRequiredService<LedgerStore>().Hearts);
        services.AddSingleton(static provider => (ISealStore)provider.GetRequiredService<LedgerStore>().Hearts);
        services.AddSingleton(static provider => (IAuditStore)provider.GetRequiredService<LedgerStore>().Hearts);
        services.AddSingleton(static provider => (IJobStore)provider.GetRequiredService<LedgerStore>().Hearts);
        services.AddSingleton(static provider => (IUserLog)provider.GetRequiredService<LedgerStore>().Hearts);
    }
}
