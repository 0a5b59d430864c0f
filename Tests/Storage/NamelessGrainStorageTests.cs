using System.Runtime.CompilerServices;
using HeartGrains.Hearts;
using HeartGrains.Storage;
using HeartGrains.Tests.Infrastructure;
using Microsoft.Extensions.Time.Testing;
using Orleans;
using Orleans.Runtime;
using Orleans.Storage;

namespace HeartGrains.Tests.Storage;

public class NamelessGrainStorageTests
{
    private static readonly GrainId Grain = GrainId.Create("ratelimit", "u:secret");

    private readonly FakeTimeProvider _time = new();
    private readonly LogLines _log = new();

    [Fact]
    public async Task Operation_StoreFails_ThrowsWhatCanBeSentAndNamesNobody()
    {
        var storage = Over(static grain => new IOException($"writing {grain}", new TimeoutException("no answer")));

        foreach (var exception in await FailuresAsync(storage))
        {
            exception.GetType().ShouldBe(typeof(OrleansException));
            exception.InnerException.ShouldBeNull();
            exception.Message.ShouldEndWith(": no answer");
            exception.Message.ShouldNotContain("secret");
        }
    }

    [Fact]
    public async Task Operation_StoreFailsForMany_IsLoggedOnceASecondWithACount()
    {
        var storage = Over(static grain => new IOException($"writing {grain}", new TimeoutException("no answer")));

        for (var call = 0; call < 100; call++) await FailuresAsync(storage);
        _time.Advance(TimeSpan.FromSeconds(1));
        await FailuresAsync(storage);

        _log.Lines.ShouldBe(
        [
            "Grain state could not be read, 1 times since this was last told, last quota: no answer ",
            "Grain state could not be read, 300 times since this was last told, last quota: no answer ",
        ]);
    }

    [Fact]
    public async Task Operation_AnotherActivationWrote_StaysThatAndNamesNobody()
    {
        var storage = Over(static grain => new InconsistentStateException($"{grain} has changed", "2", "1"));

        foreach (var exception in await FailuresAsync(storage))
        {
            var inconsistent = exception.ShouldBeOfType<InconsistentStateException>();
            (inconsistent.StoredEtag, inconsistent.CurrentEtag).ShouldBe(("2", "1"));
            inconsistent.ToString().ShouldNotContain("secret");
        }

        _log.Lines.ShouldBeEmpty();
    }

    [Theory]
    [InlineData("u:ann")]
    [InlineData("ip:203.0.113.7")]
    public async Task Write_Quota_IsKeptUnderAKeyedHashOfWhoseItIs(string key)
    {
        var inner = new ProcessGrainStorage();
        var (storage, grain) = (new NamelessGrainStorage(inner, new HeartKeys("a key"), _time, _log), GrainId.Create("ratelimit", key));
        await storage.WriteStateAsync("quota", grain, new GrainState<StrongBox<string>>(new("spent")));

        (await ReadAsync(storage, grain)).ShouldBe("spent");
        (await ReadAsync(inner, grain)).ShouldBeNull();
        (await ReadAsync(new NamelessGrainStorage(inner, new HeartKeys("another key"), _time, _log), grain)).ShouldBeNull();
        (await ReadAsync(storage, GrainId.Create("ratelimit", key + "a"))).ShouldBeNull();

        static async Task<string?> ReadAsync(IGrainStorage storage, GrainId grain)
        {
            var state = new GrainState<StrongBox<string>>();
            await storage.ReadStateAsync("quota", grain, state);
            return state.State?.Value;
        }
    }

    private static async Task<Exception[]> FailuresAsync(NamelessGrainStorage storage) =>
    [
        await Should.ThrowAsync<Exception>(() => storage.ReadStateAsync("quota", Grain, new GrainState<string>())),
        await Should.ThrowAsync<Exception>(() => storage.WriteStateAsync("quota", Grain, new GrainState<string>())),
        await Should.ThrowAsync<Exception>(() => storage.ClearStateAsync("quota", Grain, new GrainState<string>())),
    ];

    private NamelessGrainStorage Over(Func<GrainId, Exception> failure) => new(new FailingStorage(failure), new HeartKeys("a key"), _time, _log);

    private sealed class FailingStorage(Func<GrainId, Exception> failure) : IGrainStorage
    {
        public Task ReadStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState) => Task.FromException(failure(grainId));

        public Task WriteStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState) => Task.FromException(failure(grainId));

        public Task ClearStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState) => Task.FromException(failure(grainId));
    }
}
