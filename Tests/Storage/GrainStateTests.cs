using HeartGrains.Ledger;
using HeartGrains.Ledger.Postgres;
using HeartGrains.Tests.Infrastructure;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Orleans.Runtime;
using Orleans.Storage;
using Orleans.TestingHost;

namespace HeartGrains.Tests.Storage;

/// <summary>Orleans' AdoNet provider over the tables and statements of ours.</summary>
public sealed class GrainStateTests(LocalPostgres postgres) : IAsyncLifetime
{
    private const string StateName = "quota_v1";

    private static readonly string[] StorageNames = ["keeps", "deletes"];

    private InProcessTestCluster _cluster = null!;
    private NpgsqlDataSource _source = null!;

    public async ValueTask InitializeAsync()
    {
        var owner = await postgres.CreateDatabaseAsync();
        var database = LocalPostgres.AsService(owner);
        await using (var ledger = new PostgresLedger(database, new LedgerOptions(), owner))
            await ledger.InitializeAsync("key", TestContext.Current.CancellationToken);

        _source = NpgsqlDataSource.Create(database);
        var builder = new InProcessTestClusterBuilder(1);
        builder.ConfigureSilo((_, silo) =>
        {
            foreach (var name in StorageNames)
            {
                silo.AddAdoNetGrainStorage(name, options =>
                {
                    options.Invariant = "Npgsql";
                    options.DataSource = _source;
                    options.DeleteStateOnClear = name == "deletes";
                });
            }
        });
        _cluster = builder.Build();
        await _cluster.DeployAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await _cluster.DisposeAsync();
        await _source.DisposeAsync();
    }

    public static TheoryData<string> Keys => ["u:020235", "u:anna 'b' 👩‍❤️‍👩", "42", "3f2504e0-4f89-11d3-9a0c-0305e82c3301"];

    [Theory]
    [MemberData(nameof(Keys))]
    public async Task ReadWriteClear_OneAfterTheOther_RoundTrip(string key)
    {
        var (storage, grain) = (Storage("keeps"), Grain(key));
        var state = await ReadAsync(storage, grain);
        (state.RecordExists, state.ETag).ShouldBe((false, null));

        state.State!.Text = "first";
        await storage.WriteStateAsync(StateName, grain, state);
        state.State!.Text = "second";
        await storage.WriteStateAsync(StateName, grain, state);
        var read = await ReadAsync(storage, grain);
        (read.State!.Text, read.ETag, read.RecordExists).ShouldBe(("second", state.ETag, true));

        await storage.ClearStateAsync(StateName, grain, read);
        var cleared = await ReadAsync(storage, grain);
        (cleared.ETag, cleared.RecordExists).ShouldBe((read.ETag, false));

        cleared.State!.Text = "third";
        await storage.WriteStateAsync(StateName, grain, cleared);
        (await ReadAsync(storage, grain)).State!.Text.ShouldBe("third");
    }

    [Fact]
    public async Task Clear_DeleteStateOnClear_RemovesTheRowAndAFirstWriteFollows()
    {
        var (storage, grain) = (Storage("deletes"), Grain("u:1"));
        var state = Written("first");
        await storage.WriteStateAsync(StateName, grain, state);

        await storage.ClearStateAsync(StateName, grain, state);

        (await CountRowsAsync()).ShouldBe(0);
        await storage.WriteStateAsync(StateName, grain, Written("again"));
        (await ReadAsync(storage, grain)).State!.Text.ShouldBe("again");
    }

    [Theory]
    [MemberData(nameof(Keys))]
    public async Task Write_TwoFirstWritesAtOnce_OneWinsAndReadingWorksAfterwards(string key)
    {
        var (storage, grain) = (Storage("keeps"), Grain(key));

        var outcomes = await Task.WhenAll(Enumerable.Range(0, 8).Select(i => Task.Run(async () =>
        {
            try
            {
                await storage.WriteStateAsync(StateName, grain, Written($"writer {i}"));
                return $"writer {i}";
            }
            catch (InconsistentStateException)
            {
                return null;
            }
        })));

        var winner = outcomes.Where(outcome => outcome is not null).ShouldHaveSingleItem();
        var read = await ReadAsync(storage, grain);
        read.State!.Text.ShouldBe(winner);
        (await CountRowsAsync()).ShouldBe(1);
    }

    [Fact]
    public async Task Write_StaleVersion_IsAnInconsistentState()
    {
        var (storage, grain) = (Storage("keeps"), Grain("u:1"));
        var state = Written("first");
        await storage.WriteStateAsync(StateName, grain, state);
        var stale = await ReadAsync(storage, grain);
        await storage.WriteStateAsync(StateName, grain, state);

        await Should.ThrowAsync<InconsistentStateException>(() => storage.WriteStateAsync(StateName, grain, stale));
        await Should.ThrowAsync<InconsistentStateException>(() => storage.ClearStateAsync(StateName, grain, stale));

        (await ReadAsync(storage, grain)).ETag.ShouldBe(state.ETag);
    }

    [Theory]
    [InlineData("u:020235", "u:20235")]
    [InlineData("u:aB", "u:ab")]
    public async Task Write_KeysThatReadAlikeAsHex_StayApartBehindThePrefix(string first, string second)
    {
        var storage = Storage("keeps");
        await storage.WriteStateAsync(StateName, Grain(first), Written("the first"));
        await storage.WriteStateAsync(StateName, Grain(second), Written("the second"));

        (await ReadAsync(storage, Grain(first))).State!.Text.ShouldBe("the first");
        (await ReadAsync(storage, Grain(second))).State!.Text.ShouldBe("the second");
    }

    private static GrainState<Note> Written(string text) => new(new Note { Text = text });

    private static GrainId Grain(string key) => GrainId.Create("quota", key);

    private static async Task<GrainState<Note>> ReadAsync(IGrainStorage storage, GrainId grain)
    {
        var state = new GrainState<Note>();
        await storage.ReadStateAsync(StateName, grain, state);
        return state;
    }

    private IGrainStorage Storage(string name) =>
        _cluster.Silos[0].ServiceProvider.GetRequiredKeyedService<IGrainStorage>(name);

    private async Task<long> CountRowsAsync()
    {
        await using var command = _source.CreateCommand("select count(*) from grain_state");
        return (long)(await command.ExecuteScalarAsync(TestContext.Current.CancellationToken))!;
    }

    [GenerateSerializer, Alias("tests.Note")]
    public sealed class Note
    {
        [Id(0)]
        public string Text { get; set; } = "";
    }
}
