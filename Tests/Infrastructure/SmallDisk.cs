using System.Diagnostics;

namespace HeartGrains.Tests.Infrastructure;

/// <summary>A file system of a few megabytes, in memory, that can be filled and made larger.</summary>
internal sealed class SmallDisk : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("heartgrains-disk-");

    private SmallDisk()
    {
    }

    public string Folder => _folder.FullName;

    /// <summary>Null where this user may not mount.</summary>
    public static SmallDisk? TryMount(int megabytes)
    {
        var disk = new SmallDisk();
        if (Run("mount", "-t", "tmpfs", "-o", $"size={megabytes}m", "none", disk.Folder)) return disk;
        disk._folder.Delete();
        return null;
    }

    public void Grow(int megabytes) => Run("mount", "-o", $"remount,size={megabytes}m", Folder).ShouldBeTrue();

    public void Dispose()
    {
        Run("umount", Folder);
        _folder.Delete();
    }

    private static bool Run(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { UseShellExecute = false, RedirectStandardError = true })!;
        process.WaitForExit();
        return process.ExitCode == 0;
    }
}
