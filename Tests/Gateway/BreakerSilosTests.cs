using System.Reflection;
using HeartGrains.Gateway.Diagnostics;
using HeartGrains.Gateway.Resilience;
using HeartGrains.Resilience;
using Microsoft.Extensions.Time.Testing;

namespace HeartGrains.Tests.Gateway;

public sealed class BreakerSilosTests
{
    private static readonly BreakerOrder Order = new(Breakers.Ledger, BreakerHand.ForcedOpen, 60_000, "a drill");

    private readonly FakeTimeProvider _time = new();

    [Fact]
    public async Task ReadAsync_SilosHang_IsNotKnownAfterHalfASecondAndAskedOnce()
    {
        var grains = HandFactory.That(out var calls, static () => new TaskCompletionSource().Task);
        var silos = new BreakerSilos(grains, ClusterConnection.Embedded(new GatewayMetrics()), _time);
        var (first, second) = (silos.ReadAsync(), silos.ReadAsync());
        first.IsCompleted.ShouldBeFalse();
        _time.Advance(TimeSpan.FromMilliseconds(500));
        (await first).ShouldBeNull();
        (await second).ShouldBeNull();
        calls.Count.ShouldBe(1);
    }

    [Fact]
    public async Task ReadAsync_CallFails_IsNotKnownAndTheNextAsksAgain()
    {
        var grains = HandFactory.That(out var calls, static () => Task.FromException(new IOException()));
        var silos = new BreakerSilos(grains, ClusterConnection.Embedded(new GatewayMetrics()), _time);
        (await silos.ReadAsync()).ShouldBeNull();
        (await silos.ReadAsync()).ShouldBeNull();
        calls.Count.ShouldBe(2);
    }

    [Fact]
    public async Task NoSiloIsConnected_NobodyIsAsked()
    {
        var grains = HandFactory.That(out var calls, static () => Task.CompletedTask);
        var silos = new BreakerSilos(grains, ClusterConnection.Remote(new GatewayMetrics()), _time);
        (await silos.ReadAsync()).ShouldBeNull();
        (await silos.TellAsync(Order, CancellationToken.None)).ShouldBe((Order, BreakerReach.None));
        calls.Count.ShouldBe(0);
    }

    /// <summary>A call without an answer may have been done all the same.</summary>
    [Fact]
    public async Task TellAsync_SilosHang_ReachIsNotKnownAfterTwoTries()
    {
        var grains = HandFactory.That(out var calls, static () => new TaskCompletionSource().Task);
        var telling = new BreakerSilos(grains, ClusterConnection.Embedded(new GatewayMetrics()), _time).TellAsync(Order, CancellationToken.None);
        while (!telling.IsCompleted)
        {
            _time.Advance(TimeSpan.FromMilliseconds(100));
            await Task.Yield();
        }

        (await telling).Reach.ShouldBe(BreakerReach.Unknown);
        calls.Count.ShouldBe(2);
    }

    [Fact]
    public async Task TellAsync_SiloAnswers_TheOrderHasItsRevision()
    {
        var grains = HandFactory.That(out _, static () => Task.CompletedTask);
        var told = await new BreakerSilos(grains, ClusterConnection.Embedded(new GatewayMetrics()), _time).TellAsync(Order, CancellationToken.None);
        told.ShouldBe((Order with { Revision = HandFactory.Revision }, BreakerReach.Cluster));
    }
}

/// <summary>Hands out a grain whose every call becomes what a test says.</summary>
public class HandFactory : DispatchProxy
{
    internal const long Revision = 7;

    private IBreakerHandGrain _grain = null!;

    internal sealed class Calls
    {
        public int Count { get; set; }
    }

    internal static IGrainFactory That(out Calls calls, Func<Task> outcome)
    {
        var factory = Create<IGrainFactory, HandFactory>();
        ((HandFactory)(object)factory)._grain = new Hand(calls = new Calls(), outcome);
        return factory;
    }

    protected override object? Invoke(MethodInfo? targetMethod, object?[]? args) => _grain;

    private sealed class Hand(Calls calls, Func<Task> outcome) : IBreakerHandGrain
    {
        public async ValueTask<long> SetAsync(BreakerOrder order, CancellationToken cancellationToken = default)
        {
            calls.Count++;
            await outcome();
            return Revision;
        }

        public ValueTask<BreakerOrder[]> GetAsync(SiloBreakers? told = null, CancellationToken cancellationToken = default) => throw new NotSupportedException();

        public async ValueTask<SiloBreakers[]> SilosAsync(CancellationToken cancellationToken = default)
        {
            calls.Count++;
            await outcome();
            return [];
        }
    }
}
