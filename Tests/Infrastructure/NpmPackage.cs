using System.Collections.Concurrent;
using System.Diagnostics;
using System.Formats.Tar;
using System.IO.Compression;

namespace HeartGrains.Tests.Infrastructure;

/// <summary>A package as it is published, fetched by npm from the registry it is set up for. Nothing of it is kept.</summary>
internal sealed class NpmPackage
{
    private const string Root = "package/";
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private static readonly ConcurrentDictionary<string, Task<NpmPackage>> Fetched = new();
    private readonly Dictionary<string, byte[]> _files = [];

    private NpmPackage(string name) => Name = name;

    public string Name { get; }

    /// <summary>A package of an exact version, fetched once.</summary>
    public static Task<NpmPackage> FetchAsync(string name, string version) => Fetched.GetOrAdd($"{name}@{version}", _ => PackAsync(name, version));

    /// <summary>A file by its path in the package.</summary>
    public byte[] Read(string file) => _files[file];

    private static async Task<NpmPackage> PackAsync(string name, string version)
    {
        var folder = Directory.CreateTempSubdirectory("heartgrains-test-");
        try
        {
            using var npm = Process.Start(new ProcessStartInfo("/usr/bin/npm", ["pack", $"{name}@{version}", "--silent", "--cache", Path.Combine(folder.FullName, "cache")])
            {
                WorkingDirectory = folder.FullName,
                UseShellExecute = false,
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            })!;
            var (told, errors) = (npm.StandardOutput.ReadToEndAsync(), npm.StandardError.ReadToEndAsync());
            await npm.WaitForExitAsync().WaitAsync(Patience, TimeProvider.System);
            if (npm.ExitCode != 0) throw new InvalidOperationException($"npm pack {name}@{version}: exit code {npm.ExitCode}\n{await told}{await errors}");

            var package = new NpmPackage(name);
            await using var archive = File.OpenRead(Path.Combine(folder.FullName, (await told).Trim()));
            await using var content = new GZipStream(archive, CompressionMode.Decompress);
            await using var tar = new TarReader(content);
            while (await tar.GetNextEntryAsync() is { } entry)
            {
                if (entry.DataStream is null || !entry.Name.StartsWith(Root, StringComparison.Ordinal)) continue;
                using var file = new MemoryStream();
                await entry.DataStream.CopyToAsync(file);
                package._files[entry.Name[Root.Length..]] = file.ToArray();
            }

            return package;
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }
}
