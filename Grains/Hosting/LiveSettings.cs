using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Primitives;

namespace HeartGrains.Hosting;

/// <summary>
/// Settings that follow the configuration while the program runs. A change that does not pass the checks is told in the log and changes nothing.
/// </summary>
/// <typeparam name="T">What is read; immutable, compared by reference to see a change.</typeparam>
public sealed partial class LiveSettings<T> : IDisposable where T : class
{
    private readonly Func<T> _read = null!;
    private readonly Action<T>? _changed;
    private readonly ILogger _logger = null!;
    private readonly Lock _reading = new();
    private readonly IDisposable? _watch;
    private volatile T _current;
    private string? _refusal;

    /// <summary>Settings that stay as they are.</summary>
    public LiveSettings(T current) => _current = current;

    /// <summary>Reads the settings, and again at each change. Throws as <paramref name="read"/> does the first time only.</summary>
    /// <param name="configuration">What is followed.</param>
    /// <param name="read">Reads and checks; throws a <see cref="StartException"/>.</param>
    /// <param name="logger">Is told of changes.</param>
    /// <param name="changed">Is given each new value, one at a time.</param>
    public LiveSettings(IConfiguration configuration, Func<IConfiguration, T> read, ILogger logger, Action<T>? changed = null)
    {
        (_read, _logger, _changed) = (() => read(configuration), logger, changed);
        _current = read(configuration);
        _watch = ChangeToken.OnChange(configuration.GetReloadToken, Reload);
    }

    /// <summary>The settings in force.</summary>
    public T Current => _current;

    /// <summary>Stops following.</summary>
    public void Dispose() => _watch?.Dispose();

    private void Reload()
    {
        lock (_reading)
        {
            try
            {
                _current = _read();
                _refusal = null;
                _changed?.Invoke(_current);
                Log.Changed(_logger, typeof(T).Name);
            }
            catch (StartException exception)
            {
                // One change may be announced several times, once by each source of settings.
                if (_refusal == exception.Message) return;
                _refusal = exception.Message;
                Log.Refused(_logger, typeof(T).Name, exception.Message);
            }
        }
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Information, "{Settings} were read again.")]
        public static partial void Changed(ILogger logger, string settings);

        [LoggerMessage(2, LogLevel.Error, "{Settings} stay as they were: {Reason}")]
        public static partial void Refused(ILogger logger, string settings, string reason);
    }
}
