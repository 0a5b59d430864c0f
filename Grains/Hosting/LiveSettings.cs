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
    private readonly IDisposable? _watch;
    private volatile T _current;

    /// <summary>Settings that stay as they are.</summary>
    public LiveSettings(T current) => _current = current;

    /// <summary>Reads the settings, and again at each change. Throws as <paramref name="read"/> does the first time only.</summary>
    public LiveSettings(IConfiguration configuration, Func<IConfiguration, T> read, ILogger logger)
    {
        _current = read(configuration);
        _watch = ChangeToken.OnChange(configuration.GetReloadToken, () =>
        {
            try
            {
                _current = read(configuration);
                Log.Changed(logger, typeof(T).Name);
            }
            catch (StartException exception)
            {
                Log.Refused(logger, typeof(T).Name, exception.Message);
            }
        });
    }

    /// <summary>The settings in force.</summary>
    public T Current => _current;

    /// <summary>Stops following.</summary>
    public void Dispose() => _watch?.Dispose();

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Information, "{Settings} were read again.")]
        public static partial void Changed(ILogger logger, string settings);

        [LoggerMessage(2, LogLevel.Error, "{Settings} stay as they were: {Reason}")]
        public static partial void Refused(ILogger logger, string settings, string reason);
    }
}
