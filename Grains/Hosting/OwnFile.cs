using System.Text;

namespace HeartGrains.Hosting;

/// <summary>Small files that only their owner may read, and that are whole whenever the machine stops.</summary>
internal static class OwnFile
{
    /// <summary>Writes a file, in place of one that may be there: all of it, or nothing.</summary>
    public static void Replace(string path, string text)
    {
        var unfinished = path + ".new";
        var options = new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows()) options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        using (var file = new FileStream(unfinished, options))
        {
            file.Write(Encoding.ASCII.GetBytes(text));
            file.Flush(flushToDisk: true);
        }

        File.Move(unfinished, path, overwrite: true);
    }
}
