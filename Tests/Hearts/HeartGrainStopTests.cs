using HeartGrains.Hearts;
using HeartGrains.Tests.Infrastructure;

namespace HeartGrains.Tests.Hearts;

/// <summary>What is acknowledged survives the silo, over every ledger that outlives it.</summary>
public abstract class HeartGrainStopTests
{
    private protected abstract Task<HeartStore> OpenStoreAsync();

    [Fact]
    public async Task Restart_SiloOverTheSameStore_KeepsEverything()
    {
        using var store = await OpenStoreAsync();
        HeartReceipt[] given;
        await using (var silo = await HeartSilo.StartAsync(store))
        {
            given = await Task.WhenAll(Enumerable.Range(0, 50).Select(user => silo.Target("post").GiveAsync($"u{user}")));
            await silo.Ledger.FoldAllAsync();
            (await silo.Target("post").WithdrawAsync("u0")).Changed.ShouldBeTrue();
        }

        await using var next = await HeartSilo.StartAsync(store);
        var target = next.Target("post");
        (await target.ReadAsync("u0")).ShouldBe(new HeartState(HeartOutcome.Committed, 49, 51, false));
        for (var user = 1; user < 50; user++)
            (await target.GiveAsync($"u{user}")).ShouldBe(given[user] with { Changed = false, Count = 49, Version = 51, LedgerMillis = 0 });
        (await target.GiveAsync("u0")).Id.ShouldBe(given[0].Id);
    }

    [Fact]
    public async Task Stop_HeartsInFlight_AnswersEachAndTheLedgerAgrees()
    {
        using var store = await OpenStoreAsync();
        var committed = new List<(string Target, string User)>();
        HeartSilo silo;
        await using (silo = await HeartSilo.StartAsync(store))
        {
            var gate = silo.Ledger.Close();
            var calls = new List<(string Target, string User, Task<HeartReceipt> Answer)> { Give(0) };
            await gate.Reached;
            calls.AddRange(Enumerable.Range(1, 199).Select(Give));
            await silo.UntilQueuedAsync(199);

            var stopping = silo.StopAsync();
            gate.Open();
            await stopping;
            foreach (var call in calls)
            {
                var answer = await call.Answer.WaitAsync(TimeSpan.FromSeconds(60), TimeProvider.System, TestContext.Current.CancellationToken);
                if (answer.Outcome == HeartOutcome.Committed) committed.Add((call.Target, call.User));
                else answer.Outcome.ShouldBeOneOf(HeartOutcome.QueueFull, HeartOutcome.LedgerUnavailable);
            }
        }

        (string Target, string User, Task<HeartReceipt> Answer) Give(int number) =>
            ($"post{number % 7}", $"u{number}", silo.Target($"post{number % 7}").GiveAsync($"u{number}"));

        silo.Ledger.Batches.SelectMany(batch => batch).Select(row => (row.TargetId, row.UserId)).Order().ShouldBe(committed.Order());
        committed.Count.ShouldBe(200);
        await using var next = await HeartSilo.StartAsync(store);
        var counts = await Task.WhenAll(Enumerable.Range(0, 7).Select(async target => (await next.Target($"post{target}").ReadAsync()).Count));
        counts.Sum().ShouldBe(200);
    }
}

public sealed class SqliteHeartGrainStopTests : HeartGrainStopTests
{
    private protected override Task<HeartStore> OpenStoreAsync() => Task.FromResult(HeartStore.Sqlite());
}

public sealed class PostgresHeartGrainStopTests(LocalPostgres server) : HeartGrainStopTests
{
    private protected override Task<HeartStore> OpenStoreAsync() => HeartStore.PostgresAsync(server);
}
