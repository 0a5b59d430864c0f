using System.Net.Http.Headers;

namespace HeartGrains.Gateway.Resilience;

/// <summary>Asks a silo, over HTTP and not over what may be broken, whether it is ready: <c>HEAD /health/ready</c>.</summary>
internal sealed class SiloProbe(SiloDirectory directory, RecoveryMetrics metrics, TimeProvider time) : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(500);

    // No proxy, whatever HTTP_PROXY says: it would be the proxy's answer.
    private readonly HttpClient _client = new(
        new SocketsHttpHandler { ConnectTimeout = Patience, PooledConnectionIdleTimeout = TimeSpan.FromSeconds(30), UseProxy = false });
    private uint _turn;

    /// <summary>One silo, another each time, is ready; also true when none is known to ask, as where the silo is in this process.</summary>
    public async ValueTask<bool> IsReadyAsync(CancellationToken cancellationToken)
    {
        var silos = directory.Silos;
        if (silos.Count == 0) return true;
        var silo = silos[(int)(Interlocked.Increment(ref _turn) % (uint)silos.Count)];
        var isReady = await AskAsync(silo, cancellationToken);
        metrics.Probed(isReady);
        return isReady;
    }

    public void Dispose() => _client.Dispose();

    private async Task<bool> AskAsync(Uri silo, CancellationToken cancellationToken)
    {
        using var patience = new CancellationTokenSource(Patience, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, cancellationToken);
        using var request = new HttpRequestMessage(HttpMethod.Head, new Uri(silo, "/health/ready"));
        request.Headers.CacheControl = new CacheControlHeaderValue { NoCache = true };
        try
        {
            using var answer = await _client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, either.Token);
            return answer.IsSuccessStatusCode;
        }
        catch (Exception exception) when (exception is HttpRequestException or OperationCanceledException)
        {
            return false;
        }
    }
}
