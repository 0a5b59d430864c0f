using System.ComponentModel;
using System.Reflection;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace HeartGrains.Ledger.Sqlite;

/// <summary>
/// SQLite's own library in the one-file program for Linux: a resource, loaded from memory. A service that may write nowhere but into its data folder, and has no home,
/// starts all the same. Other builds have the library beside them.
/// </summary>
internal static class NativeSqlite
{
    private const string Resource = "libe_sqlite3.so";
    private const string Name = "e_sqlite3";
    private static readonly Lazy<nint> Library = new(Load);
    private static readonly Lazy<bool> Resolver = new(SetResolver);

    /// <summary>Makes the library found; before the first connection.</summary>
    public static void Prepare() => _ = Resolver.Value;

    private static bool SetResolver()
    {
        if (Assembly.GetEntryAssembly()?.GetManifestResourceInfo(Resource) is null) return false;
        NativeLibrary.SetDllImportResolver(Assembly.Load("SQLitePCLRaw.provider.e_sqlite3"), static (name, _, _) => name == Name ? Library.Value : 0);
        return true;
    }

    private static nint Load()
    {
        using var resource = Assembly.GetEntryAssembly()!.GetManifestResourceStream(Resource)!;
        using var handle = new SafeFileHandle(CreateMemoryFile(Name, 0), ownsHandle: true);
        if (handle.IsInvalid) throw new Win32Exception(Marshal.GetLastPInvokeError(), "No memory file for SQLite's library");
        using var file = new FileStream(handle, FileAccess.Write, bufferSize: 0);
        resource.CopyTo(file);
        return NativeLibrary.Load($"/proc/self/fd/{handle.DangerousGetHandle()}");
    }

    [DllImport("libc", EntryPoint = "memfd_create", SetLastError = true)]
    private static extern int CreateMemoryFile([MarshalAs(UnmanagedType.LPUTF8Str)] string name, uint flags);
}
