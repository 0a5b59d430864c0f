using System.Diagnostics;
using HeartGrains.Tests.Cluster;
using HeartGrains.Tests.Infrastructure;

[assembly: AssemblyFixture(typeof(OneFile))]

namespace HeartGrains.Tests.Infrastructure;

/// <summary>
/// The program as it is published: one file, made once for all tests by the command of <c>docs/operations.md</c>. What is built already is not built again.
/// </summary>
public sealed class OneFile
{
    private readonly Lazy<Task<string>> _file = new(PublishAsync);

    /// <summary>The published file.</summary>
    public Task<string> FindAsync() => _file.Value;

    private static async Task<string> PublishAsync()
    {
        // Into a folder that is not there yet, so that what lies in it afterwards is what was published.
        var published = Path.Combine(LocalCluster.Root, "Gateway", "bin", "Release", "net10.0", "linux-x64", "publish");
        if (Directory.Exists(published)) Directory.Delete(published, recursive: true);
        using var process = Process.Start(new ProcessStartInfo(
            "dotnet", ["publish", "Gateway", "-r", "linux-x64", "-v", "quiet", "-m:1", "--nodereuse:false", "-p:UseSharedCompilation=false", "-p:RunAnalyzers=false"])
        {
            WorkingDirectory = LocalCluster.Root,
            UseShellExecute = false,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        var output = process.StandardOutput.ReadToEndAsync();
        var errors = process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        process.ExitCode.ShouldBe(0, await output + await errors);
        Directory.GetFileSystemEntries(published).Select(Path.GetFileName).ShouldBe(["heart-server"]);
        return Path.Combine(published, "heart-server");
    }
}
