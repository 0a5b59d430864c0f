using System.Globalization;
using HeartGrains.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace HeartGrains.Audit;

/// <summary>
/// The head of the chain as this process last saw it: in memory, and in a file where one is configured. Whoever takes the seals out of the database, so that the log would be sealed anew as it stands, has not taken them from here.
/// One writer, many readers.
/// </summary>
internal sealed partial class KeptHead
{
    private const string SettingName = $"{AuditOptions.Section}:{nameof(AuditOptions.HeadFile)}";

    private readonly ILogger<KeptHead> _logger;
    private SealHead? _last;
    private bool _isFailing;

    /// <summary>Reads the file.</summary>
    /// <exception cref="StartException">It is there and cannot be read, or holds something else, or it could not be written.</exception>
    public KeptHead(HostSettings settings, IOptions<AuditOptions> options, ILogger<KeptHead> logger)
    {
        _logger = logger;
        File = FileOf(settings, options.Value);
        if (File is null) return;
        _last = Read(File);
        if (settings.Mode != HostMode.Single && Path.GetDirectoryName(Path.GetFullPath(File)) is { } folder && !Directory.Exists(folder))
            throw StartException.Setting(SettingName, $"There is no folder {folder} for the log's head");
    }

    /// <summary>Where it is kept for the next start; null when nowhere.</summary>
    public string? File { get; }

    /// <summary>Where a silo of these settings keeps it.</summary>
    public static string? FileOf(HostSettings settings, AuditOptions options) =>
        options.HeadFile is { Length: > 0 } path ? path
        : settings.Mode == HostMode.Single ? Path.Combine(settings.Data, "heart.head")
        : null;

    /// <summary>The head; null before any was seen.</summary>
    public SealHead? Last => Volatile.Read(ref _last);

    /// <summary>Keeps a later head. A file that cannot be written keeps the one before it.</summary>
    public void Keep(SealHead seal)
    {
        if (_last is { } last && seal.Number <= last.Number) return;
        Volatile.Write(ref _last, seal);
        if (File is null) return;
        try
        {
            OwnFile.Replace(File, string.Create(CultureInfo.InvariantCulture, $"{seal.Number} {Convert.ToHexStringLower(seal.Hash)}\n"));
            _isFailing = false;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            if (!_isFailing) Log.CannotKeep(_logger, File, exception);
            _isFailing = true;
        }
    }

    private static SealHead? Read(string path)
    {
        try
        {
            return Directory.Exists(path) ? throw StartException.Setting(SettingName, $"{Path.GetFullPath(path)} is a folder")
                : !System.IO.File.Exists(path) ? null
                : Parse(System.IO.File.ReadAllText(path)) ?? throw StartException.Setting(
                    SettingName, $"{Path.GetFullPath(path)} holds no head of the log; write the number and hash that were last told into it, or remove it to begin with the log as it stands");
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw StartException.Setting(SettingName, $"{Path.GetFullPath(path)} cannot be read: {exception.Message.TrimEnd('.')}");
        }
    }

    private static SealHead? Parse(string text)
    {
        var parts = text.Trim().Split(' ');
        return parts.Length == 2 && parts[1].Length == 2 * EventChain.HashBytes && long.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            && parts[1].All(char.IsAsciiHexDigit) ? new SealHead(number, Convert.FromHexString(parts[1])) : null;
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Warning, "The log's head cannot be written to {File}; the one before it stays there")]
        public static partial void CannotKeep(ILogger logger, string file, Exception exception);
    }
}
