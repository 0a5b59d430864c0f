using Microsoft.Extensions.Hosting;
using Prometheus;

namespace HeartGrains.Diagnostics;

/// <summary>Brings .NET's and Orleans' own meters to <c>/metrics</c>, without those that are recorded for every request or message.</summary>
internal sealed class MeterBridge : IHostedService
{
    /// <inheritdoc/>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        // Event counters say what the meters say already, and cost an event a request; exemplars need traces, and there are none.
        Metrics.SuppressDefaultMetrics(new SuppressDefaultMetricOptions { SuppressEventCounters = true });
        Metrics.DefaultFactory.ExemplarBehavior = ExemplarBehavior.NoExemplars();
        Metrics.ConfigureMeterAdapter(adapter => adapter.InstrumentFilterPredicate = instrument =>
            instrument.Meter.Name is "System.Runtime"
            || (instrument.Meter.Name is "Microsoft.Orleans" && instrument.IsObservable));

        // The adapter starts listening at the first collection; what was counted before it would be lost.
        await Metrics.DefaultRegistry.CollectAndExportAsTextAsync(Stream.Null, CancellationToken.None);
    }

    /// <inheritdoc/>
    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
