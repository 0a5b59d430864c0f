using System.Text.Json;
using HeartGrains.Hosting;

namespace HeartGrains.Gateway.Identity.Jwt;

/// <summary>
/// Keeps the keys up to date: from time to time, and when a token names one that is not known, but then not more often than is configured. What cannot be fetched or read changes nothing: the known keys go on.
/// </summary>
internal sealed partial class JwtKeys : BackgroundService
{
    private const int MostBytes = 1024 * 1024;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan ConfiguredPeriod = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan ConfiguredInterval = TimeSpan.FromMilliseconds(200);

    private readonly JwtTerms _terms;
    private readonly IConfiguration _configuration;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly HttpClient? _http;
    private readonly Lock _asking = new();
    private volatile JwtKeySet? _current;
    private Task _refresh = Task.CompletedTask;
    private long _refreshedAt;
    private bool _wasRefreshed;
    private volatile string? _trouble;

    /// <summary>Reads configured keys at once; an authority is asked when the program runs.</summary>
    /// <exception cref="StartException">Configured keys cannot be used.</exception>
    public JwtKeys(JwtTerms terms, IConfiguration configuration, TimeProvider time, ILogger<JwtKeys> logger)
    {
        (_terms, _configuration, _time, _logger) = (terms, configuration, time, logger);
        if (terms.Authority is null)
        {
            try
            {
                _current = JwtKeySet.OfConfigured(ReadConfigured(), terms);
            }
            catch (Exception exception) when (IsTrouble(exception))
            {
                throw StartException.Setting($"{JwtOptions.Section}:{nameof(JwtOptions.Keys)}", $"The keys of tokens cannot be used. {exception.Message.TrimEnd('.')}");
            }
        }
        else
        {
            // No redirect: it could lead to where anybody writes.
            _http = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false, PooledConnectionLifetime = TimeSpan.FromMinutes(5) })
            {
                Timeout = Patience,
                MaxResponseContentBufferSize = MostBytes,
            };
        }
    }

    /// <summary>The keys that are believed now; null while the authority has not answered yet.</summary>
    public JwtKeySet? Current => _current;

    /// <summary>Whether the last look for keys failed: there may be some that are not known here.</summary>
    public bool IsBehind => _trouble is not null;

    /// <summary>Looks for new keys, unless that was done just now. All who ask at a time wait for the same answer.</summary>
    public Task RefreshAsync()
    {
        lock (_asking)
        {
            if (!_refresh.IsCompleted) return _refresh;
            var interval = _terms.Authority is null ? ConfiguredInterval : _terms.Options.MinRefreshInterval;
            if (_wasRefreshed && _time.GetElapsedTime(_refreshedAt) < interval) return Task.CompletedTask;
            (_refreshedAt, _wasRefreshed) = (_time.GetTimestamp(), true);
            return _refresh = LoadAsync();
        }
    }

    public override void Dispose()
    {
        _http?.Dispose();
        base.Dispose();
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            await RefreshAsync();
            var period = _terms.Authority is null ? ConfiguredPeriod : _current is null ? _terms.Options.MinRefreshInterval : _terms.Options.RefreshPeriod;
            await Task.Delay(period, _time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task LoadAsync()
    {
        try
        {
            var keys = _terms.Authority is null ? JwtKeySet.OfConfigured(ReadConfigured(), _terms) : await FetchAsync(_terms.Authority);
            _trouble = null;
            if (keys.Text == _current?.Text && keys.Issuer == _current.Issuer) return;
            _current = keys;
            if (keys.Count > 0) Log.Read(_logger, keys.Count);
            else Log.AllTakenBack(_logger);
        }
        catch (Exception exception)
        {
            // Whatever an authority answers, it must not stop a gateway.
            if (_trouble == exception.Message) return;
            _trouble = exception.Message;
            Log.Kept(_logger, _current?.Count ?? 0, exception.Message);
        }
    }

    private string ReadConfigured()
    {
        var keys = _configuration[$"{JwtOptions.Section}:{nameof(JwtOptions.Keys)}"] ?? "";
        if (keys.AsSpan().TrimStart().StartsWith('{')) return keys;

        // What was taken for a path may be a secret: it is not told, nor what names it.
        return TryReadFile(keys) ?? throw new FormatException("The setting is neither a JSON Web Key Set {\"keys\":[…]} nor a file that can be read");
    }

    private static string? TryReadFile(string path)
    {
        try
        {
            return File.ReadAllText(path);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            return null;
        }
    }

    /// <summary>OpenID Connect Discovery 1.0, section 4.</summary>
    private async Task<JwtKeySet> FetchAsync(Uri authority)
    {
        var about = await _http!.GetStringAsync(new Uri(authority.AbsoluteUri.TrimEnd('/') + "/.well-known/openid-configuration"));
        using var document = JsonDocument.Parse(about);
        var issuer = Text(document, "issuer");
        if (_terms.Options.Issuer is { } wanted ? issuer != wanted : issuer.TrimEnd('/') != authority.AbsoluteUri.TrimEnd('/'))
            throw new FormatException($"{authority} calls itself another issuer than is configured");
        if (!Uri.TryCreate(Text(document, "jwks_uri"), UriKind.Absolute, out var address) || !JwtTerms.IsSafe(address))
            throw new FormatException($"{authority} names no https address of its keys (jwks_uri)");
        return JwtKeySet.OfAuthority(await _http!.GetStringAsync(address), issuer, _terms, reason => Log.Skipped(_logger, reason));
    }

    private static string Text(JsonDocument document, string member) =>
        document.RootElement.ValueKind == JsonValueKind.Object && document.RootElement.TryGetProperty(member, out var value) && value.ValueKind == JsonValueKind.String
            ? value.GetString()!
            : throw new FormatException($"The authority's configuration lacks {member}");

    private static bool IsTrouble(Exception exception) =>
        exception is FormatException or JsonException or ArgumentException or InvalidOperationException or NotSupportedException;

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Information, "The keys of users' tokens were read: {Keys}.")]
        public static partial void Read(ILogger logger, int keys);

        [LoggerMessage(2, LogLevel.Error, "The keys of users' tokens cannot be read anew, and the {Keys} that are known go on: {Reason}")]
        public static partial void Kept(ILogger logger, int keys, string reason);

        [LoggerMessage(3, LogLevel.Debug, "A key of the authority is passed over: {Reason}")]
        public static partial void Skipped(ILogger logger, string reason);

        [LoggerMessage(4, LogLevel.Error, "The authority publishes no key that can be used: no token is believed until it does.")]
        public static partial void AllTakenBack(ILogger logger);
    }
}
