using HeartGrains.Hearts;
using HeartGrains.Ledger;
using HeartGrains.Ledger.Postgres;
using HeartGrains.Storage;
using HeartGrains.Tests.Infrastructure;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Orleans.Runtime;
using Orleans.Storage;
using Orleans.TestingHost;

namespace HeartGrains.Tests.Storage;

/// <summary>What a silo's grain storage takes of a PostgreSQL that other silos need too.</summary>
public sealed class PostgresGrainStorageTests(LocalPostgres postgres)
{
    [Fact]
    public async Task Read_ManyAtOnce_HoldNoMoreConnectionsThanDocumented()
    {
        var owner = await postgres.CreateDatabaseAsync();
        var database = LocalPostgres.AsService(owner);
        await using (var ledger = new PostgresLedger(database, new LedgerOptions(), owner))
            await ledger.InitializeAsync("key", TestContext.Current.CancellationToken);
        var builder = new InProcessTestClusterBuilder(1);
        builder.ConfigureSilo((_, silo) => silo.ConfigureServices(static services => services.AddSingleton(new HeartKeys("key"))).AddPostgresGrainStorage(
            "states", new ConfigurationBuilder().AddInMemoryCollection([new("ConnectionStrings:Postgres", database)]).Build()));
        await using var cluster = builder.Build();
        await cluster.DeployAsync();
        var storage = cluster.Silos[0].ServiceProvider.GetRequiredKeyedService<IGrainStorage>("states");

        await Task.WhenAll(Enumerable.Range(0, 200).Select(key =>
            storage.ReadStateAsync("state", GrainId.Create("test", $"{key}"), new GrainState<object>())));

        await using var source = NpgsqlDataSource.Create(new NpgsqlConnectionStringBuilder(database) { Pooling = false, ApplicationName = "counts" });
        await using var count = source.CreateCommand(
            "select count(*) from pg_stat_activity where datname = current_database() and application_name not in ('counts', 'heartgrains-ledger')");
        ((long)(await count.ExecuteScalarAsync(TestContext.Current.CancellationToken))!)
            .ShouldBeInRange(1, PostgresGrainStorage.MaxPoolSize);
    }
}
