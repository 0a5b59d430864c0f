using HeartGrains.Hosting;

namespace HeartGrains.Ledger.Sqlite;

/// <summary>
/// Keeps the data folder to one process: a lock on a file in it, which the operating system lets go when the process ends, however it
/// ends. Two processes on one folder would each count hearts the other does not know of, and refuse them in turn.
/// </summary>
internal sealed class DataFolderLock : IDisposable
{
    private const int WouldBlock = 11;
    private const int SharingViolation = unchecked((int)0x80070020);

    private readonly FileStream _file;

    private DataFolderLock(string folder, FileStream file)
    {
        Folder = folder;
        _file = file;
    }

    public string Folder { get; }

    /// <exception cref="StartException">Another process holds the folder, or it cannot be used.</exception>
    public static DataFolderLock Take(string folder)
    {
        try
        {
            Make(folder);
            return new(folder, new FileStream(Path.Combine(folder, "hearts.lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None));
        }
        catch (IOException exception) when (exception.HResult is WouldBlock or SharingViolation)
        {
            throw StartException.Setting(
                "HeartGrains:Data", $"The data folder {Path.GetFullPath(folder)} belongs to another running process; stop it, or choose another folder");
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw Unusable(folder, exception);
        }
    }

    /// <summary>Makes the folder where it is missing, for its owner only: hearts say who loves what.</summary>
    public static void Make(string folder)
    {
        if (OperatingSystem.IsWindows()) Directory.CreateDirectory(folder);
        else Directory.CreateDirectory(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }

    /// <summary>What to tell when <paramref name="folder"/> cannot be made, read or written.</summary>
    public static StartException Unusable(string folder, Exception exception) => StartException.Setting(
        "HeartGrains:Data", $"The data folder {Path.GetFullPath(folder)} cannot be made, read or written: {exception.Message.TrimEnd('.')}");

    /// <inheritdoc/>
    public void Dispose() => _file.Dispose();
}
