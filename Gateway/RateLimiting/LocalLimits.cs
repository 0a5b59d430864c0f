using HeartGrains.Hosting;
using Microsoft.Extensions.Primitives;

namespace HeartGrains.Gateway.RateLimiting;

/// <summary>
/// The local limits in force. They follow the configuration: a changed policy starts with full buckets, an unchanged one keeps what was
/// spent, and settings that are refused change nothing.
/// </summary>
/// <remarks>
/// Not an options monitor: that throws into the configuration's reload when a value is refused, where only a log line can be of use.
/// </remarks>
internal sealed partial class LocalLimits : IDisposable
{
    private readonly IConfiguration _configuration;
    private readonly TimeProvider _clock;
    private readonly ILogger<LocalLimits> _logger;
    private readonly Lock _applying = new();
    private readonly IDisposable _reloads;
    private LocalLimitOptions _options = new();
    private volatile Buckets? _current;
    private string? _refusal;

    /// <summary>Reads the settings.</summary>
    /// <exception cref="StartException">They are refused.</exception>
    public LocalLimits(IConfiguration configuration, TimeProvider clock, ILogger<LocalLimits> logger)
    {
        (_configuration, _clock, _logger) = (configuration, clock, logger);
        Apply(Read());
        _reloads = ChangeToken.OnChange(configuration.GetReloadToken, Reload);
    }

    /// <summary>The buckets in force; null while both limits are off.</summary>
    public Buckets? Current => _current;

    public void Dispose() => _reloads.Dispose();

    private LocalLimitOptions Read()
    {
        SettingsCheck.Check(_configuration.GetSection(LocalLimitOptions.SectionName), typeof(LocalLimitOptions));
        var options = _configuration.Read<LocalLimitOptions>(LocalLimitOptions.SectionName);
        options.Check();
        return options;
    }

    private void Reload()
    {
        try
        {
            lock (_applying) Apply(Read());
            _refusal = null;
        }
        catch (StartException exception)
        {
            // One change may be announced several times, once by each source of settings.
            if (Interlocked.Exchange(ref _refusal, exception.Message) != exception.Message) Log.Refused(_logger, exception.Message);
        }
    }

    private void Apply(LocalLimitOptions options)
    {
        var (gateway, address) = (_current?.Gateway, _current?.Addresses);
        if (options.Gateway.Policy != _options.Gateway.Policy)
            gateway = options.Gateway.IsOn ? new LocalTokenBucket(options.Gateway.Terms(_clock), _clock) : null;

        if (options.Address.Policy != _options.Address.Policy || options.Address.TableCells != _options.Address.TableCells)
            address = options.Address.IsOn ? new AddressLimits(options.Address.Terms(_clock), options.Address.TableCells, _clock) : null;

        _options = options;
        _current = gateway is null && address is null ? null : new Buckets(gateway, address, options.Address.Shadow);
    }

    /// <summary>What is asked for each call.</summary>
    /// <param name="Gateway">All calls together; null when off.</param>
    /// <param name="Addresses">The calls of each address; null when off.</param>
    /// <param name="IsAddressShadow">Addresses are counted, not refused.</param>
    internal sealed record Buckets(LocalTokenBucket? Gateway, AddressLimits? Addresses, bool IsAddressShadow);

    private static partial class Log
    {
        [LoggerMessage(Level = LogLevel.Error, Message = "The local limits stay as they were: {Reason}")]
        public static partial void Refused(ILogger logger, string reason);
    }
}
