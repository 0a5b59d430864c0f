using System.Collections.Concurrent;
using HeartGrains.Hearts;
using HeartGrains.Live;
using HeartGrains.Tests.Hearts;
using Orleans.Core.Internal;

namespace HeartGrains.Tests.Live;

/// <summary>Watching a target in a real silo.</summary>
public sealed class LiveGrainTests : IAsyncLifetime
{
    private readonly HeartStore _store = HeartStore.Memory();
    private readonly Watcher _watcher = new();
    private HeartSilo _silo = null!;
    private ILiveObserver _observer = null!;

    public async ValueTask InitializeAsync()
    {
        _silo = await HeartSilo.StartAsync(_store);
        _observer = _silo.Grains.CreateObjectReference<ILiveObserver>(_watcher);
    }

    public async ValueTask DisposeAsync()
    {
        await _silo.DisposeAsync();
        _store.Dispose();
        GC.KeepAlive(_watcher);
    }

    [Fact]
    public async Task WatchAsync_AnswersTheStateAndTellsEveryChangeAfterIt()
    {
        var post = _silo.Target("post");
        await post.GiveAsync("ann");

        (await WatchAsync("post")).ShouldBe(new HeartState(HeartOutcome.Committed, 1, 1, null));
        await post.GiveAsync("ben");
        await post.WithdrawAsync("ann");

        await LiveClient.UntilAsync(() => _watcher.Last("post") == new LiveUpdate("post", 1, 3), "the change is not told");
    }

    [Fact]
    public async Task WatchAsync_ManyHearts_AreFewMessages()
    {
        await WatchAsync("post");
        await Task.WhenAll(Enumerable.Range(0, 2_000).Select(number => _silo.Target("post").GiveAsync($"u{number}")));

        await LiveClient.UntilAsync(() => _watcher.Last("post")?.Count == 2_000, "the last is not told");
        _watcher.Batches.ShouldBeLessThan(50);
    }

    [Fact]
    public async Task DrainSettled_WhatIsNotCommitted_IsNotTold()
    {
        await WatchAsync("post");
        var gate = _silo.Ledger.Close();
        var given = _silo.Target("post").GiveAsync("ann");
        await gate.Reached;
        await Task.Delay(TimeSpan.FromMilliseconds(300), TimeProvider.System);
        _watcher.Batches.ShouldBe(0);

        gate.Open();
        await given;
        await LiveClient.UntilAsync(() => _watcher.Last("post")?.Version == 1, "it is not told");
    }

    /// <summary>It stays while it is watched: its first heart would be given to an activation that knows of no watcher.</summary>
    [Fact]
    public async Task UnknownTarget_StaysWhileWatchedAndLeavesAfter()
    {
        await WatchAsync("new");
        await Task.Delay(TimeSpan.FromSeconds(2.5), TimeProvider.System);
        (await _silo.IsActiveAsync("new")).ShouldBeTrue();

        await _silo.Grains.GetGrain<IHeartGrain>("new").UnwatchAsync(_observer);

        await HeartSilo.UntilAsync(async () => !await _silo.IsActiveAsync("new"));
    }

    [Fact]
    public async Task Activation_Goes_ItsWatchersAreToldToWatchAgain()
    {
        await _silo.Target("post").GiveAsync("ann");
        await WatchAsync("post");

        await _silo.Grains.GetGrain<IHeartGrain>("post").AsReference<IGrainManagementExtension>().DeactivateOnIdle();

        await LiveClient.UntilAsync(() => _watcher.Lost.Contains("post"), "it is not said to be lost");
    }

    /// <summary>Another activation has written: what it wrote is told as soon as this one reads it.</summary>
    [Fact]
    public async Task WatchAsync_AfterAConflict_TellsWhatTheRivalWrote()
    {
        await _silo.Target("post").GiveAsync("ann");
        await WatchAsync("post");
        var first = _silo.Ledger.LogOf(_silo.Keys.OfTarget("post")).Single();
        await _silo.Ledger.CommitAsync(first with { Version = 2, UserId = "ben", Heart = _silo.Keys.OfHeart(first.Target, "ben"), Writer = 1 });

        (await _silo.Target("post").GiveAsync("cid")).Outcome.ShouldBe(HeartOutcome.Conflict);
        await _silo.Target("post").ReadAsync();

        await LiveClient.UntilAsync(() => _watcher.Last("post") == new LiveUpdate("post", 2, 2), "the rival's heart is not told");
    }

    [Fact]
    public async Task WatchAsync_LedgerCannotBeRead_SaysSoAndWatchesAllTheSame()
    {
        _silo.Ledger.OnRead = HookedLedger.Refuse;
        (await WatchAsync("post")).Outcome.ShouldBe(HeartOutcome.LedgerUnavailable);

        _silo.Ledger.OnRead = null;
        await _silo.Target("post").GiveAsync("ann");

        await LiveClient.UntilAsync(() => _watcher.Last("post")?.Version == 1, "it is not told");
    }

    private Task<HeartState> WatchAsync(string target) => _silo.Grains.GetGrain<IHeartGrain>(target).WatchAsync(_observer).AsTask();

    private sealed class Watcher : ILiveObserver
    {
        private readonly ConcurrentQueue<LiveBatch> _batches = new();

        public int Batches => _batches.Count;

        public IEnumerable<string> Lost => _batches.SelectMany(static batch => batch.Lost);

        public LiveUpdate? Last(string target) => _batches.SelectMany(static batch => batch.Updates).Where(update => update.TargetId == target).Select(static update => (LiveUpdate?)update).LastOrDefault();

        public ValueTask ToldAsync(LiveBatch batch)
        {
            _batches.Enqueue(batch);
            return default;
        }
    }
}
