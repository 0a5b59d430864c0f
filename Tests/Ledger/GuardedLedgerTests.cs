using HeartGrains.Audit;
using HeartGrains.Hearts;
using HeartGrains.Ledger;
using HeartGrains.Ledger.Memory;
using HeartGrains.Resilience;
using Microsoft.Extensions.Time.Testing;

namespace HeartGrains.Tests.Ledger;

/// <summary>What the breaker lets through to the ledger, and what it learns from it.</summary>
public sealed class GuardedLedgerTests
{
    private readonly FakeTimeProvider _time = new();
    private readonly ScriptedAppends _inner = new();
    private readonly Breaker _breaker;
    private readonly GuardedLedger _ledger;

    public GuardedLedgerTests()
    {
        _breaker = new Breaker(Breakers.Ledger, new BreakersOptions().Ledger, _time);
        _ledger = new GuardedLedger(_inner, _breaker, _time);
    }

    [Fact]
    public async Task Lists_BreakIsOver_OnePassesAndEndsIt()
    {
        Open();
        await Should.ThrowAsync<LedgerException>(async () => await _ledger.ListTopAsync(10, default));
        _time.Advance(TimeSpan.FromSeconds(1));

        // Somebody's probe is under way.
        _breaker.TryPass(out var probe, out _).ShouldBeTrue();
        await Should.ThrowAsync<LedgerException>(async () => await _ledger.ListTopAsync(10, default));
        await Should.ThrowAsync<LedgerException>(async () => await _ledger.ListUsersAsync(Guid.NewGuid(), long.MaxValue, 10, default));
        _breaker.Report(probe, CallVerdict.Ignored);

        (await _ledger.ListTopAsync(10, default)).ShouldBeEmpty();
        _breaker.Look().State.ShouldBe(BreakerState.Closed);
    }

    /// <summary>They would hide appends that fail, and may take their time.</summary>
    [Fact]
    public async Task Reads_WhileClosed_AreInItsFiguresOnlyWhenTheyFail()
    {
        for (var i = 0; i < 10; i++) await _ledger.ListTopAsync(10, default);
        await _ledger.LoadAsync(Guid.NewGuid(), 10, default);
        _breaker.Look().Reading.Calls.ShouldBe(0);
        _inner.Load = static () => throw new LedgerException("gone");
        await Should.ThrowAsync<LedgerException>(async () => await _ledger.LoadAsync(Guid.NewGuid(), 10, default));
        _breaker.Look().Reading.Calls.ShouldBe(1);
    }

    /// <summary>A store that reads and does not write, or slowly: a full disk.</summary>
    [Fact]
    public async Task Reads_AppendsFail_NeitherKeepItClosedNorEndTheBreak()
    {
        _inner.Append = static () => AppendOutcome.Refused;
        for (var i = 0; i < 3; i++)
        {
            for (var read = 0; read < 30; read++) await _ledger.LoadAsync(Guid.NewGuid(), 10, default);
            await _ledger.AppendAsync(OneEvent);
        }

        _time.Advance(TimeSpan.FromMilliseconds(200));
        _breaker.Look().State.ShouldBe(BreakerState.Open);
        _time.Advance(TimeSpan.FromSeconds(1));
        await _ledger.LoadAsync(Guid.NewGuid(), 10, default);
        _breaker.Look().State.ShouldBe(BreakerState.HalfOpen);

        // Nobody appends any more: after a window they are all there is to go by.
        _time.Advance(_breaker.Options.Window);
        await _ledger.LoadAsync(Guid.NewGuid(), 10, default);
        _breaker.Look().State.ShouldBe(BreakerState.Closed);
    }

    private static ReadOnlyMemory<HeartEvent> OneEvent =>
        new[] { new HeartEvent(Guid.NewGuid(), 1, "t", new HeartId(1, 2), "u", HeartEventKind.Given, 1, 5) };

    private void Open()
    {
        for (var i = 0; i < 3; i++)
        {
            _breaker.TryPass(out var ticket, out _).ShouldBeTrue();
            _breaker.Report(ticket, CallVerdict.Failed);
        }

        _time.Advance(TimeSpan.FromMilliseconds(200));
        _breaker.Look().State.ShouldBe(BreakerState.Open);
    }

    private sealed class ScriptedAppends : IHeartLedger
    {
        private readonly MemoryLedger _inner = new();

        public Func<AppendOutcome> Append { get; set; } = static () => AppendOutcome.Committed;

        public Action Load { get; set; } = static () => { };

        public ValueTask<AppendOutcome> AppendAsync(ReadOnlyMemory<HeartEvent> batch) => new(Append());

        public ValueTask<TargetSnapshot> LoadAsync(Guid target, int recentLimit, CancellationToken cancellationToken)
        {
            Load();
            return _inner.LoadAsync(target, recentLimit, cancellationToken);
        }

        public Task InitializeAsync(string keyFingerprint, CancellationToken cancellationToken) => Task.CompletedTask;
        public ValueTask<IReadOnlyList<WrittenVersion>> FindVersionsAsync(ReadOnlyMemory<HeartEvent> batch, CancellationToken cancellationToken) => _inner.FindVersionsAsync(batch, cancellationToken);
        public ValueTask<CurrentHeart?> FindHeartAsync(Guid target, HeartId heart, CancellationToken cancellationToken) => _inner.FindHeartAsync(target, heart, cancellationToken);
        public ValueTask<bool> SetOpeningAsync(Guid target, string targetId, long opening, OpeningDecision decide, CancellationToken cancellationToken) => _inner.SetOpeningAsync(target, targetId, opening, decide, cancellationToken);
        public ValueTask<HeartUserPage> ListUsersAsync(Guid target, long before, int limit, CancellationToken cancellationToken) => _inner.ListUsersAsync(target, before, limit, cancellationToken);
        public ValueTask<TopTarget[]> ListTopAsync(int limit, CancellationToken cancellationToken) => _inner.ListTopAsync(limit, cancellationToken);
        public ValueTask<int> FoldAsync(int limit, CancellationToken cancellationToken) => _inner.FoldAsync(limit, cancellationToken);
        public ValueTask CheckAsync(CancellationToken cancellationToken) => ValueTask.CompletedTask;
    }
}
