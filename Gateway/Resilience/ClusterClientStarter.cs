using HeartGrains.Hearts;

namespace HeartGrains.Gateway.Resilience;

/// <summary>
/// Starts the Orleans client behind the host's back, so that the gateway listens and answers 503 while no silo is up yet; and calls
/// the cluster while it is lost, because Orleans connects again only when something is sent.
/// </summary>
internal sealed partial class ClusterClientStarter(
    IClusterClient client,
    ClusterConnection connection,
    IHostApplicationLifetime lifetime,
    TimeProvider time,
    ILogger<ClusterClientStarter> logger) : IHostedService, IDisposable
{
    private static readonly TimeSpan ProbePeriod = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan ProbeTimeout = TimeSpan.FromSeconds(1);

    private readonly IHostedService _client = (IHostedService)client;
    private readonly CancellationTokenSource _stopping = new();
    private Task _run = Task.CompletedTask;

    public Task StartAsync(CancellationToken cancellationToken)
    {
        _run = RunAsync(_stopping.Token);
        return Task.CompletedTask;
    }

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        await _stopping.CancelAsync();
        await _run.WaitAsync(cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await _client.StopAsync(cancellationToken);
    }

    public void Dispose() => _stopping.Dispose();

    private async Task RunAsync(CancellationToken stopping)
    {
        try
        {
            await _client.StartAsync(stopping);
            connection.Answered(); // The client asks a silo what grains there are before it counts as started.
            Log.Connected(logger);
            await WatchAsync(stopping);
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
        }
        catch (Exception exception)
        {
            Log.Failed(logger, exception);
            lifetime.StopApplication();
        }
    }

    private async Task WatchAsync(CancellationToken stopping)
    {
        var wasConnected = true;
        using var timer = new PeriodicTimer(ProbePeriod, time);
        while (await timer.WaitForNextTickAsync(stopping))
        {
            if (!connection.IsConnected)
            {
                if (wasConnected) Log.Lost(logger);
                await ProbeAsync(stopping);
            }
            else if (!wasConnected)
            {
                Log.Recovered(logger);
            }

            wasConnected = connection.IsConnected;
        }
    }

    private async Task ProbeAsync(CancellationToken stopping)
    {
        try
        {
            // Any call makes the client look for a silo. This one is answered by the silo it reaches, whatever the state of Redis or the ledger.
            await client.GetGrain<IHeartListGrain>(0).TopAsync(1, stopping).AsTask().WaitAsync(ProbeTimeout, time, stopping);
            connection.Answered();
        }
        catch (Exception) when (!stopping.IsCancellationRequested)
        {
        }
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Information, "Connected to the cluster.")]
        public static partial void Connected(ILogger logger);

        [LoggerMessage(2, LogLevel.Warning, "No silo is connected: requests get 503 until one is.")]
        public static partial void Lost(ILogger logger);

        [LoggerMessage(3, LogLevel.Information, "A silo is connected again.")]
        public static partial void Recovered(ILogger logger);

        [LoggerMessage(4, LogLevel.Critical, "The client of the cluster could not start.")]
        public static partial void Failed(ILogger logger, Exception exception);
    }
}

/// <summary>Keeps the client trying to reach its first silo until the host stops.</summary>
internal sealed partial class PatientConnectionRetry(TimeProvider time, ILogger<PatientConnectionRetry> logger) : IClientConnectionRetryFilter
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(250);
    private bool _hasFailed;

    public async Task<bool> ShouldRetryConnectionAttempt(Exception exception, CancellationToken cancellationToken)
    {
        if (!_hasFailed) Log.Waiting(logger, exception.Message);
        _hasFailed = true;
        await Task.Delay(Pause, time, cancellationToken);
        return true;
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Warning, "No silo can be reached yet, trying on: {Reason}")]
        public static partial void Waiting(ILogger logger, string reason);
    }
}
