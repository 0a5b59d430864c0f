using System.Text;

namespace HeartGrains.Hosting;

/// <summary>Files that only their owner may read.</summary>
internal static class OwnFile
{
    /// <summary>Opens a file to write, made for its owner only where it is missing; one that is there keeps its mode.</summary>
    public static FileStream Open(string path, FileMode mode)
    {
        var options = new FileStreamOptions { Mode = mode, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows()) options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        return new FileStream(path, options);
    }

    /// <summary>Writes a small file, in place of one that may be there: all of it, or nothing, whenever the machine stops.</summary>
    public static void Replace(string path, string text)
    {
        var unfinished = path + ".new";
        using (var file = Open(unfinished, FileMode.Create))
        {
            file.Write(Encoding.ASCII.GetBytes(text));
            file.Flush(flushToDisk: true);
        }

        File.Move(unfinished, path, overwrite: true);
    }
}
