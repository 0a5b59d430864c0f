using HeartGrains.Hosting;
using HeartGrains.Ledger;
using HeartGrains.Ledger.Postgres;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Orleans.Runtime;
using Orleans.Storage;

namespace HeartGrains.Storage;

/// <summary>Wires Orleans' AdoNet storage over PostgreSQL into a silo.</summary>
public static class PostgresGrainStorage
{
    /// <summary>Connections a silo may hold for it.</summary>
    internal const int MaxPoolSize = 8;

    /// <summary>
    /// Keeps the states of the storage <paramref name="name"/> beside the ledger, with its patience: a grain that waits for a write lets nobody else in, and the
    /// driver alone would wait half a minute.
    /// </summary>
    public static ISiloBuilder AddPostgresGrainStorage(this ISiloBuilder silo, string name, IConfiguration configuration)
    {
        var connection = PostgresConnection.Bound(
            configuration.RequiredConnection(PostgresConnection.Service), configuration.Read<LedgerOptions>(LedgerOptions.Section));
        connection.MaxPoolSize = MaxPoolSize;
        var inner = name + "-postgres";
        silo.AddNamelessGrainStorage(name, inner);
        silo.AddAdoNetGrainStorage(inner, options =>
        {
            options.Invariant = "Npgsql";
            options.DeleteStateOnClear = true;
            options.ConnectionString = connection.ConnectionString;
        });

        // Before anybody waits for it: a silo that joins a busy cluster takes a second and more to compile what a first read needs.
        return silo.AddStartupTask(
            (services, _) => services.GetRequiredKeyedService<IGrainStorage>(name).ReadStateAsync(
                "none", GrainId.Create("none", "none"), new GrainState<object>()),
            ServiceLifecycleStage.BecomeActive - 1);
    }
}
