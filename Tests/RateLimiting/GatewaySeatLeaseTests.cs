using HeartGrains.Gateway.Diagnostics;
using HeartGrains.Gateway.RateLimiting;
using HeartGrains.Gateway.Resilience;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Shouldly;
using Xunit;

namespace HeartGrains.Tests.RateLimiting;

public sealed class GatewaySeatLeaseTests
{
    private readonly FakeTimeProvider _time = new();
    private readonly SeatsGrainDouble _seats = new();
    private readonly QuotaSlices _slices;
    private readonly Quota _quota;
    private readonly GatewaySeatLease _lease;

    public GatewaySeatLeaseTests()
    {
        var grains = GrainFactoryDouble.Of(_seats);
        _slices = new QuotaSlices(1_000, _time);
        var calls = GrainCallsOver.Grains(grains, _time);
        _quota = new Quota(_slices, calls, _time, NullLogger<Quota>.Instance);
        _lease = new GatewaySeatLease(grains, _slices, _quota, calls, ClusterConnection.Remote(new GatewayMetrics()), _time, NullLogger<GatewaySeatLease>.Instance);
    }

    [Fact]
    public async Task ExecuteAsync_SeatGranted_GivesSlicesUnderTheSilosPolicy()
    {
        await _lease.StartAsync(TestContext.Current.CancellationToken);
        await _seats.CallsReachAsync(1);
        await Eventually(() => _quota.IsReady && Takes("first"));
        Takes("u").ShouldBeTrue();
        await _lease.StopAsync(CancellationToken.None);
    }

    [Fact]
    public async Task ExecuteAsync_RenewalsFail_SlicesStopWhenTheLeaseCountedFromTheCallEnds()
    {
        // The grain answers two seconds after the call: those are gone from the lease.
        _seats.OnCall = () => _time.Advance(TimeSpan.FromSeconds(2));
        await _lease.StartAsync(TestContext.Current.CancellationToken);
        await Eventually(() => _quota.IsReady);
        _seats.OnCall = () => throw new IOException("no silo");

        _time.Advance(TimeSpan.FromSeconds(13) - TimeSpan.FromTicks(1));
        Takes("u").ShouldBeTrue();
        _time.Advance(TimeSpan.FromTicks(1));
        Takes("v").ShouldBeFalse();
        await _lease.StopAsync(CancellationToken.None);
    }

    [Fact]
    public async Task ExecuteAsync_FirstCallFails_TriesAgain()
    {
        _seats.OnCall = () => throw new IOException("no silo");
        await _lease.StartAsync(TestContext.Current.CancellationToken);
        await _seats.CallsReachAsync(1);
        _seats.OnCall = () => { };
        await Eventually(() =>
        {
            _time.Advance(TimeSpan.FromSeconds(1));
            return _quota.IsReady;
        });
        await _lease.StopAsync(CancellationToken.None);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task AcquireAsync_GrainDoesNotAnswer_ThePolicyDecidesWithin50Ms(bool admits)
    {
        _quota.Set = Policies.Prepared(_time, -1, Policies.User with { AdmitsOnOutage = admits });
        var waiting = _quota.AcquireAsync(new QuotaKeys("u"), TestContext.Current.CancellationToken).AsTask();
        waiting.IsCompleted.ShouldBeFalse();
        _time.Advance(TimeSpan.FromMilliseconds(50));
        (await waiting).Status.ShouldBe(admits ? QuotaStatus.Admitted : QuotaStatus.Unavailable);
    }

    [Fact]
    public async Task AcquireAsync_CallerGivesUp_IsAbortedAndNotUnavailable()
    {
        _quota.Set = Policies.Prepared(_time, -1, Policies.User);
        using var cancel = new CancellationTokenSource();
        var waiting = _quota.AcquireAsync(new QuotaKeys("u"), cancel.Token).AsTask();
        await cancel.CancelAsync();
        (await waiting).Status.ShouldBe(QuotaStatus.Aborted);
    }

    private bool Takes(string key) => _slices.TryTake(_quota.Set.Policies[0], key, 1, out _);

    private static async Task Eventually(Func<bool> condition)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while (!condition())
        {
            limit.Token.ThrowIfCancellationRequested();
            await Task.Yield();
        }
    }
}
