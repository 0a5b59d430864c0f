using HeartGrains.Gateway.RateLimiting;
using HeartGrains.RateLimiting;
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
    private readonly ClusterQuota _quota;
    private readonly GatewaySeatLease _lease;

    public GatewaySeatLeaseTests()
    {
        var grains = GrainFactoryDouble.Of(_seats);
        _slices = new QuotaSlices(1_000, _time);
        _quota = new ClusterQuota(_slices, GrainCallsOver.Grains(grains, _time), _time);
        _lease = new GatewaySeatLease(grains, _slices, _quota, _time, NullLogger<GatewaySeatLease>.Instance);
    }

    [Fact]
    public async Task ExecuteAsync_SeatGranted_GivesSlicesUnderTheSilosPolicy()
    {
        await _lease.StartAsync(TestContext.Current.CancellationToken);
        await _seats.CallsReachAsync(1);
        await Eventually(() => _quota.Policy == new RateLimitPolicy(60, 1));
        _slices.TryAcquire("u", out _, out _).ShouldBeTrue();
        await _lease.StopAsync(CancellationToken.None);
    }

    [Fact]
    public async Task ExecuteAsync_RenewalsFail_SlicesStopWhenTheLeaseCountedFromTheCallEnds()
    {
        // The grain answers two seconds after the call: those are gone from the lease.
        _seats.OnCall = () => _time.Advance(TimeSpan.FromSeconds(2));
        await _lease.StartAsync(TestContext.Current.CancellationToken);
        await Eventually(() => _quota.Policy.TokenLimit == 60);
        _seats.OnCall = () => throw new IOException("no silo");

        _time.Advance(TimeSpan.FromSeconds(13) - TimeSpan.FromTicks(1));
        _slices.TryAcquire("u", out _, out _).ShouldBeTrue();
        _time.Advance(TimeSpan.FromTicks(1));
        _slices.TryAcquire("v", out _, out _).ShouldBeFalse();
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
            return _quota.Policy.TokenLimit == 60;
        });
        await _lease.StopAsync(CancellationToken.None);
    }

    [Fact]
    public async Task AcquireAsync_GrainDoesNotAnswer_IsUnavailableWhenThePipelineGivesUp()
    {
        var waiting = _quota.AcquireAsync("u", TestContext.Current.CancellationToken).AsTask();
        waiting.IsCompleted.ShouldBeFalse();
        _time.Advance(TimeSpan.FromSeconds(2.5));
        await Should.ThrowAsync<QuotaUnavailableException>(waiting);
    }

    [Fact]
    public async Task AcquireAsync_CallerGivesUp_IsCancelledAndNotUnavailable()
    {
        using var cancel = new CancellationTokenSource();
        var waiting = _quota.AcquireAsync("u", cancel.Token).AsTask();
        await cancel.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(waiting);
    }

    private static async Task Eventually(Func<bool> condition)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(10));
        while (!condition())
        {
            limit.Token.ThrowIfCancellationRequested();
            await Task.Yield();
        }
    }
}
