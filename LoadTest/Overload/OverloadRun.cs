using HeartGrains.LoadTest.Hearts;
using HeartGrains.LoadTest.Report;

namespace HeartGrains.LoadTest.Overload;

/// <summary>How a run stands: how much of it is done, from 0 to 1, and what it does.</summary>
public sealed record OverloadProgress(double Done, string Text);

/// <summary>Finds the peak in a closed loop, offers a multiple of it in an open one, and then a part of it.</summary>
public sealed class OverloadRun
{
    private readonly OverloadRunOptions _options;
    private readonly IProgress<OverloadProgress>? _progress;
    private readonly TimeSpan _length;
    private TimeSpan _done;

    private OverloadRun(OverloadRunOptions options, IProgress<OverloadProgress>? progress)
    {
        (_options, _progress) = (options, progress);
        _length = options.WarmUp + (options.Peak > 0 ? TimeSpan.Zero : options.PeakStep * options.PeakConnections.Count) + options.Duration + options.Calm;
    }

    /// <summary>Runs it; null when no gateway answers.</summary>
    public static Task<OverloadReport?> RunAsync(
        OverloadRunOptions options, IProgress<OverloadProgress>? progress = null, CancellationToken cancellationToken = default) =>
        new OverloadRun(options, progress).RunAsync(cancellationToken);

    private async Task<OverloadReport?> RunAsync(CancellationToken stop)
    {
        await CloseLoopAsync(_options.PeakConnections[0], _options.WarmUp, stop);
        var steps = new List<PeakStep>();
        if (_options.Peak <= 0)
            foreach (var connections in _options.PeakConnections)
                steps.Add(await CloseLoopAsync(connections, _options.PeakStep, stop));
        var peak = _options.Peak > 0 ? _options.Peak : steps.Max(step => step.HeartsPerSecond);
        if (peak <= 0) return null;

        using var loop = new OpenLoop(_options);
        if (!await loop.OpenAsync()) return null;

        var (cpuBefore, ownBefore) = (ProcessCpu.Read(_options.ProcessIds), Environment.CpuUsage.TotalTime);
        var overload = await loop.RunAsync(peak * _options.Factor, _options.Duration, Tell("overload", _options.Duration), stop);
        var (ownCpu, cpuAfter) = (Environment.CpuUsage.TotalTime - ownBefore, ProcessCpu.Read(_options.ProcessIds));
        var calm = await loop.RunAsync(peak * _options.CalmFactor, _options.Calm, Tell("calm", _options.Calm), stop);
        return new()
        {
            Options = _options,
            Steps = steps,
            Peak = peak,
            Overload = overload,
            Calm = calm,
            Processes = [.. cpuBefore.Zip(cpuAfter, HeartLoad.CpuBetween)],
            OwnCpu = ownCpu,
        };
    }

    private async Task<PeakStep> CloseLoopAsync(int connections, TimeSpan duration, CancellationToken stop)
    {
        var load = await HeartLoad.RunAsync(
            new()
            {
                Urls = _options.Urls,
                Duration = duration,
                Connections = connections,
                Targets = _options.Targets,
                Users = _options.Users,
                Seed = unchecked(_options.Seed + connections + (int)_done.TotalSeconds),
            },
            new Relay(at => _progress?.Report(new((_done + at.Elapsed) / _length, $"closed loop, {connections} connections: {at.RequestsPerSecond:N0} hearts/s"))),
            stop);
        _done += duration;
        var others = load.Answered - load.Succeeded + load.NotConnected + load.Broken + load.TimedOut;
        return new(connections, load.Succeeded / load.Elapsed.TotalSeconds, load.Latencies.P99, others);
    }

    private Action<TimeSpan, PhaseMeasures> Tell(string phase, TimeSpan length)
    {
        var before = _done;
        _done += length;
        return (elapsed, measures) => _progress?.Report(
            new((before + elapsed) / _length, $"{phase}: {measures.Admitted.Count:N0} admitted, {measures.Refused.Count:N0} refused, {measures.Failed:N0} failed"));
    }

    private sealed class Relay(Action<HeartLoadProgress> report) : IProgress<HeartLoadProgress>
    {
        public void Report(HeartLoadProgress value) => report(value);
    }
}
