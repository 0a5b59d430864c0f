using HeartGrains.Gateway.Grpc;
using Microsoft.Extensions.Options;

namespace HeartGrains.Gateway.Overload;

/// <summary>The gateway's admission, one lane for each kind of calls.</summary>
internal sealed class OverloadGuard
{
    private readonly OverloadMetrics _metrics;
    private readonly AdmissionLane[] _lanes;

    public OverloadGuard(IOptions<OverloadOptions> options, TimeProvider timeProvider, OverloadMetrics metrics)
    {
        _metrics = metrics;
        _lanes = [.. Enum.GetValues<CallKind>().Select(kind => new AdmissionLane(options.Value, timeProvider, metrics.Of(kind)))];
    }

    /// <summary>The lane of a call.</summary>
    public AdmissionLane LaneOf(HttpRequest request) => _lanes[(int)KindOf(request)];

    /// <summary>Ends an interval.</summary>
    public void Adapt(TimeSpan elapsed, TimeSpan dispatchDelay, double cpuRatio)
    {
        _metrics.ShowCpu(cpuRatio);
        foreach (var lane in _lanes) lane.Adapt(elapsed, dispatchDelay, cpuRatio);
    }

    private static CallKind KindOf(HttpRequest request) =>
        HttpMethods.IsGet(request.Method) || HttpMethods.IsHead(request.Method)
        || request.Path.Value!.EndsWith("/query", StringComparison.OrdinalIgnoreCase)
        || GrpcRoutes.IsRead(request.Path)
            ? CallKind.Read
            : CallKind.Write;
}

/// <summary>Ends the guard's intervals and measures what no call can: the process's CPU, and how long work waits for a thread.</summary>
internal sealed class OverloadSampler(OverloadGuard guard, IOptions<OverloadOptions> options, TimeProvider timeProvider) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (!options.Value.Enabled) return;
        var interval = options.Value.Interval;
        using var timer = new PeriodicTimer(interval, timeProvider);
        var (endedAt, cpuBefore, lateBefore) = (timeProvider.GetTimestamp(), Environment.CpuUsage.TotalTime, TimeSpan.Zero);
        while (await NextAsync(timer, stoppingToken))
        {
            var now = timeProvider.GetTimestamp();
            var elapsed = timeProvider.GetElapsedTime(endedAt, now);
            if (elapsed <= TimeSpan.Zero) continue;
            var cpu = Environment.CpuUsage.TotalTime;

            // This very loop is work that waited for a thread. The lesser of two lags: one long one may be the garbage collector's, or the machine's.
            var late = elapsed > interval ? elapsed - interval : TimeSpan.Zero;
            guard.Adapt(elapsed, late < lateBefore ? late : lateBefore, (cpu - cpuBefore) / elapsed / Environment.ProcessorCount);
            (endedAt, cpuBefore, lateBefore) = (now, cpu, late);
        }
    }

    private static async ValueTask<bool> NextAsync(PeriodicTimer timer, CancellationToken stoppingToken)
    {
        try
        {
            return await timer.WaitForNextTickAsync(stoppingToken);
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }
}
