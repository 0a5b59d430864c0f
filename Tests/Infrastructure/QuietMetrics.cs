using System.Runtime.CompilerServices;
using Prometheus;

namespace HeartGrains.Tests.Infrastructure;

/// <summary>
/// Keeps .NET's and Orleans' own meters out of the metrics of the tests' process: what listens to them holds every silo that there ever was, and hundreds of dead ones make each collection of garbage a long one.
/// The programs' own processes have them.
/// </summary>
internal static class QuietMetrics
{
    [ModuleInitializer]
    public static void Start()
    {
        // What is listened to is settled by the first collection.
        Metrics.SuppressDefaultMetrics(new SuppressDefaultMetricOptions { SuppressEventCounters = true, SuppressMeters = true });
        Metrics.DefaultRegistry.CollectAndExportAsTextAsync(Stream.Null, CancellationToken.None).GetAwaiter().GetResult();
    }
}
