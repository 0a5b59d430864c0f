using HeartGrains.Audit;
using HeartGrains.Hearts;
using HeartGrains.Ledger;
using HeartGrains.Live;
using HeartGrains.Moderation;
using HeartGrains.Tests.Audit;
using HeartGrains.Tests.Hearts;
using HeartGrains.Tests.Infrastructure;
using Microsoft.Extensions.Logging;

namespace HeartGrains.Tests.Moderation;

public sealed class SqliteMisledTargetTests() : MisledTargetTests(new SqliteDrift());

public sealed class PostgresMisledTargetTests(LocalPostgres server) : MisledTargetTests(new PostgresDrift(server));

/// <summary>Rules that no order makes and a hand in the table can: an old name that leads to itself, or further than any may.</summary>
public abstract class MisledTargetTests(DriftingStore store) : IAsyncLifetime
{
    private static readonly HeartOrigin Operator = new("key:operator");
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(20);
    private readonly LogLines _log = new();
    private HeartSilo _silo = null!;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        await store.InitializeAsync();
        _silo = store.Silo;
        _silo.Get<ILoggerFactory>().AddProvider(_log);
    }

    public async ValueTask DisposeAsync()
    {
        await store.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    [Theory]
    [InlineData("a")]
    [InlineData("a,b")]
    public async Task ReadAsync_RuleLeadsRound_IsRefusedAtOnceUntilItIsMended(string ring)
    {
        var names = ring.Split(',');
        foreach (var name in names) await _silo.Target(name).GiveAsync("ann");
        await _silo.Target("other").GiveAsync("ann");
        for (var at = 0; at < names.Length; at++) await LeadAsync(names[at], names[(at + 1) % names.Length]);
        var observer = _silo.Grains.CreateObjectReference<ILiveObserver>(new NoWatcher());

        foreach (var name in names)
        {
            var target = _silo.Target(name);
            for (var time = 0; time < 2; time++) (await target.ReadAsync("ann").WaitAsync(Soon, Cancellation)).Outcome.ShouldBe(HeartOutcome.LedgerUnavailable);
            (await target.GiveAsync("ben")).Outcome.ShouldBe(HeartOutcome.LedgerUnavailable);
            (await target.WithdrawAsync("ann")).Outcome.ShouldBe(HeartOutcome.LedgerUnavailable);
            (await target.Grain.WatchAsync(observer, Cancellation)).Outcome.ShouldBe(HeartOutcome.LedgerUnavailable);
            (await Rule(name).ReadInTurnAsync(Cancellation)).Outcome.ShouldBe(HeartOutcome.LedgerUnavailable);

            // Whatever else it is told, it is not followed.
            (await Rule(name).FreezeAsync(true, "a reason", Operator, Cancellation)).ShouldSatisfyAllConditions(
                frozen => frozen.Outcome.ShouldBe(HeartOutcome.Committed), frozen => frozen.IsFrozen.ShouldBeTrue());
            await target.Grain.UnwatchAsync(observer, Cancellation);
            (await target.ReadAsync().WaitAsync(Soon, Cancellation)).Outcome.ShouldBe(HeartOutcome.LedgerUnavailable);
            (await _silo.Get<Verifier>().VerifyTargetAsync(_silo.Keys.OfTarget(name), null, null, Cancellation)).Findings
                .Select(static finding => (finding.Kind, finding.TargetId)).ShouldBe([(FindingKinds.Rule, name)]);
        }

        _log.Lines.Where(static line => line.Contains("heart_rule", StringComparison.Ordinal)).Select(static line => line.Split(' ')[1])
            .ShouldBe(names.Select(name => _silo.Keys.OfTarget(name).ToString()), ignoreOrder: true);
        (await _silo.Target("other").GiveAsync("ben")).Count.ShouldBe(2);
        await store.RunAsync("delete from heart_rule", Guid.Empty);
        foreach (var name in names) (await _silo.Target(name).ReadAsync("ann")).ShouldSatisfyAllConditions(state => state.Count.ShouldBe(1), state => state.Hearted.ShouldBe(true));
    }

    [Fact]
    public async Task StopAsync_RuleLeadsRoundAndIsRead_IsSoonOver()
    {
        await LeadAsync("a", "a");
        _ = _silo.Target("a").ReadAsync();

        await _silo.StopAsync().WaitAsync(Soon, Cancellation);
    }

    [Fact]
    public async Task FindPlaceAsync_RuleLeadsRoundOrTooFar_ThrowsAndOneThatMayBeIsFollowed()
    {
        await LeadAsync("a", "a");
        for (var at = 0; at <= ModerationLimits.Chain; at++) await LeadAsync($"n{at}", $"n{at + 1}");
        await _silo.Target("n9").GiveAsync("ann");
        var moderator = _silo.Get<Moderator>();

        foreach (var name in (string[])["a", "n0"])
        {
            await Should.ThrowAsync<LedgerException>(async () => await moderator.FindPlaceAsync(name, Cancellation));
            (await _silo.Grains.GetGrain<IHeartListGrain>(0).UsersAsync(name, 0, 10, Cancellation)).IsAvailable.ShouldBeFalse();
            (await _silo.Target(name).ReadAsync().WaitAsync(Soon, Cancellation)).Outcome.ShouldBe(HeartOutcome.LedgerUnavailable);
        }

        (await moderator.FindPlaceAsync("n1", Cancellation)).ShouldBe("n9");
        (await _silo.Target("n1").ReadAsync("ann")).ShouldBe(new HeartState(HeartOutcome.Committed, 1, 1, true));
    }

    /// <summary>By hand, and as if the silo had been started anew.</summary>
    private async Task LeadAsync(string from, string to)
    {
        await store.RunAsync(
            $"insert into heart_rule (target, target_id, frozen, moved_to, moved_key, reason, at_micros) values ($target, '{from}', 0, '{to}', $target, 'by hand', 1)", _silo.Keys.OfTarget(from));
        await store.RunAsync($"update heart_rule set moved_key = $target where moved_to = '{to}'", _silo.Keys.OfTarget(to));
        await _silo.ForgetAsync(from);
    }

    private ITargetRuleGrain Rule(string targetId) => _silo.Grains.GetGrain<ITargetRuleGrain>(targetId);

    private sealed class NoWatcher : ILiveObserver
    {
        public ValueTask ToldAsync(LiveBatch batch) => default;
    }
}
