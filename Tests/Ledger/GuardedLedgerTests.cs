using HeartGrains.Ledger;
using HeartGrains.Ledger.Memory;
using HeartGrains.Resilience;
using Microsoft.Extensions.Time.Testing;

namespace HeartGrains.Tests.Ledger;

/// <summary>What the breaker lets through to the ledger, and what it learns from it.</summary>
public sealed class GuardedLedgerTests
{
    private readonly FakeTimeProvider _time = new();
    private readonly Breaker _breaker;
    private readonly GuardedLedger _ledger;

    public GuardedLedgerTests()
    {
        _breaker = new Breaker(Breakers.Ledger, new BreakersOptions().Ledger, _time);
        _ledger = new GuardedLedger(new MemoryLedger(), _breaker);
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

    /// <summary>They may take their time.</summary>
    [Fact]
    public async Task Lists_WhileClosed_AreNotInItsFigures()
    {
        for (var i = 0; i < 10; i++) await _ledger.ListTopAsync(10, default);
        _breaker.Look().Reading.Calls.ShouldBe(0);
        await _ledger.LoadAsync(Guid.NewGuid(), 10, default);
        _breaker.Look().Reading.Calls.ShouldBe(1);
    }

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
}
