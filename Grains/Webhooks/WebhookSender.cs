using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;

namespace HeartGrains.Webhooks;

/// <summary>What came of an attempt.</summary>
/// <param name="Error">Why it failed, for people; null when it was delivered.</param>
/// <param name="RetryAfter">How long the receiver wants us to wait at least; null when it did not say.</param>
internal readonly record struct WebhookAttempt(string? Error, TimeSpan? RetryAfter = null);

/// <summary>
/// Posts messages: to the configured host alone, at an address of the internet (the one that is connected to is the one that was checked), without following redirects, and without
/// reading what is answered beyond its status.
/// </summary>
internal sealed class WebhookSender : IDisposable
{
    private static readonly TimeSpan LongestRetryAfter = TimeSpan.FromHours(1);

    private readonly HttpClient _client;
    private readonly TimeProvider _time;
    private readonly bool _allowsLoopback;

    public WebhookSender(WebhookSettings settings, TimeProvider time)
    {
        (_time, _allowsLoopback) = (time, settings.AllowsLoopback);
        _client = new HttpClient(new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseProxy = false,
            UseCookies = false,
            MaxConnectionsPerServer = 16,
            MaxResponseHeadersLength = 16,
            MaxResponseDrainSize = 64 * 1024,
            PooledConnectionLifetime = TimeSpan.FromMinutes(1),
            ConnectCallback = ConnectAsync,
        })
        {
            Timeout = settings.Options.Timeout,
        };
        _client.DefaultRequestHeaders.UserAgent.Add(new ProductInfoHeaderValue("HeartGrains", "1"));
    }

    public void Dispose() => _client.Dispose();

    public async Task<WebhookAttempt> SendAsync(WebhookEndpoint endpoint, string id, byte[] body, CancellationToken cancellationToken)
    {
        var timestamp = _time.GetUtcNow().ToUnixTimeSeconds();
        using var request = new HttpRequestMessage(HttpMethod.Post, endpoint.Url) { Content = new ByteArrayContent(body) };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        request.Headers.Add("webhook-id", id);
        request.Headers.Add("webhook-timestamp", timestamp.ToString(System.Globalization.CultureInfo.InvariantCulture));
        request.Headers.Add("webhook-signature", endpoint.Signature.Of(id, timestamp, body));
        try
        {
            using var response = await _client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
            return response.IsSuccessStatusCode ? default : new WebhookAttempt($"answered {(int)response.StatusCode}", RetryAfterOf(response));
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return new WebhookAttempt("did not answer in time");
        }
        catch (HttpRequestException exception)
        {
            return new WebhookAttempt(exception.InnerException is ForbiddenAddressException forbidden ? forbidden.Message : $"cannot be reached: {exception.HttpRequestError}");
        }
    }

    private TimeSpan? RetryAfterOf(HttpResponseMessage response)
    {
        var wait = response.Headers.RetryAfter switch
        {
            { Delta: { } delta } => delta,
            { Date: { } date } => date - _time.GetUtcNow(),
            _ => (TimeSpan?)null,
        };
        return wait is { } time && time > TimeSpan.Zero ? (time < LongestRetryAfter ? time : LongestRetryAfter) : null;
    }

    private async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancellationToken)
    {
        var addresses = await Dns.GetHostAddressesAsync(context.DnsEndPoint.Host, cancellationToken);
        var allowed = Array.FindAll(addresses, address => PublicAddress.Is(address) || (_allowsLoopback && IPAddress.IsLoopback(address)));
        if (allowed.Length == 0) throw new ForbiddenAddressException();
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(allowed, context.DnsEndPoint.Port, cancellationToken);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private sealed class ForbiddenAddressException() : IOException("has no address that may be called: only the public internet's may");
}
