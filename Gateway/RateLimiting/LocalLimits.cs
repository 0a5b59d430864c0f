using HeartGrains.Hosting;

namespace HeartGrains.Gateway.RateLimiting;

/// <summary>
/// The local limits in force. They follow the configuration: a changed policy starts with full buckets, an unchanged one keeps what was
/// spent, and settings that are refused change nothing.
/// </summary>
internal sealed class LocalLimits : IDisposable
{
    private readonly TimeProvider _clock;
    private readonly LiveSettings<LocalLimitOptions> _settings;
    private LocalLimitOptions _options = new();
    private volatile Buckets? _current;

    /// <summary>Reads the settings.</summary>
    /// <exception cref="StartException">They are refused.</exception>
    public LocalLimits(IConfiguration configuration, TimeProvider clock, ILogger<LocalLimits> logger)
    {
        _clock = clock;
        _settings = new LiveSettings<LocalLimitOptions>(configuration, Read, logger, Apply);
        Apply(_settings.Current);
    }

    /// <summary>The buckets in force; null while both limits are off.</summary>
    public Buckets? Current => _current;

    public void Dispose() => _settings.Dispose();

    private static LocalLimitOptions Read(IConfiguration configuration)
    {
        var options = configuration.ReadChecked<LocalLimitOptions>(LocalLimitOptions.SectionName);
        options.Check();
        return options;
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
}
