using Orleans.Runtime;

namespace HeartGrains.Gateway.Resilience;

/// <summary>
/// Where the silos answer HTTP, as they last told: each names itself in the cluster's membership by that address. Learnt while all is well, for when it is not; empty where the silo is in this
/// process.
/// </summary>
internal sealed class SiloDirectory
{
    private volatile IReadOnlyList<Uri> _silos = [];

    /// <summary>Base addresses.</summary>
    public IReadOnlyList<Uri> Silos => _silos;

    /// <summary>Takes over what silos are called.</summary>
    public void Learn(IEnumerable<string> names)
    {
        List<Uri> silos = [.. names.Where(name => Uri.TryCreate(name, UriKind.Absolute, out var uri) && uri.Scheme == Uri.UriSchemeHttp).Select(name => new Uri(name))];
        if (silos.Count > 0) _silos = silos;
    }
}

/// <summary>Keeps the directory of a gateway whose silos are elsewhere.</summary>
internal sealed class SiloDirectoryRefresh(IClusterClient client, SiloDirectory directory, ClusterConnection connection, TimeProvider time) : BackgroundService
{
    private static readonly TimeSpan Period = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            if (connection.IsConnected) await LearnAsync(stoppingToken);
            await Task.Delay(directory.Silos.Count == 0 ? Period / 5 : Period, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task LearnAsync(CancellationToken stoppingToken)
    {
        try
        {
            var hosts = await client.GetGrain<IManagementGrain>(0).GetDetailedHosts(onlyActive: true).WaitAsync(Patience, time, stoppingToken);
            directory.Learn(hosts.Select(static host => host.SiloName));
        }
        catch (Exception) when (!stoppingToken.IsCancellationRequested)
        {
            // What was known stays: it is needed most when nothing new can be learnt.
        }
        catch (OperationCanceledException)
        {
        }
    }
}
