using System.Diagnostics;
using System.Globalization;
using HeartGrains.Tests.Identity;

namespace HeartGrains.Tests.Cluster;

/// <summary>A real cluster, as processes of this machine, run by <c>scripts/cluster.sh</c>.</summary>
/// <param name="silos">How many silos it starts with.</param>
/// <param name="gateways">How many gateways.</param>
/// <param name="settings">Settings of all of them, as <c>Key=Value</c>.</param>
public abstract class LocalCluster(int silos, int gateways, params string[] settings) : IAsyncLifetime
{
    /// <summary>The checkout.</summary>
    public static readonly string Root = FindRoot();

    // One starts at a time, so that no two choose the same ports.
    private static readonly SemaphoreSlim Starting = new(1, 1);

    private readonly string _folder = Directory.CreateTempSubdirectory("heartgrains-cluster-").FullName;

    /// <summary>One process of the cluster.</summary>
    public sealed record Member(string Role, int Number, int ProcessId, Uri Url);

    /// <summary>The gateways' addresses.</summary>
    public IReadOnlyList<Uri> Gateways { get; private set; } = [];

    public async ValueTask InitializeAsync()
    {
        // PostgreSQL runs as another user when the tests run as root.
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(_folder, (UnixFileMode)0b111_101_101);
        await Starting.WaitAsync();
        try
        {
            await RunAsync(
                ["up", "--silos", $"{silos}", "--gateways", $"{gateways}", "--ports", "auto", .. settings.SelectMany(static setting => new[] { "--set", setting })]);
        }
        finally
        {
            Starting.Release();
        }

        Gateways = [.. (await MembersAsync("gateway")).Select(member => member.Url)];
    }

    public async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        await RunAsync("down", "--wipe");
        if (Directory.Exists(_folder)) Directory.Delete(_folder, recursive: true);
    }

    /// <summary>Running members of a role, by number.</summary>
    public async Task<IReadOnlyList<Member>> MembersAsync(string role) =>
        [.. (await RunAsync("status")).Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries))
            .Where(words => words.Length == 4 && words[0] == role)
            .Select(words => new Member(words[0], int.Parse(words[1], CultureInfo.InvariantCulture), int.Parse(words[2], CultureInfo.InvariantCulture), new Uri(words[3])))];

    /// <summary>Runs a command of the script against this cluster and returns what it printed; throws when it fails.</summary>
    public async Task<string> RunAsync(params string[] arguments)
    {
        var start = new ProcessStartInfo(Path.Combine(Root, "scripts", "cluster.sh"))
        {
            UseShellExecute = false,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = Root,
        };
        foreach (var argument in (string[])[.. arguments, "--dir", Path.Combine(_folder, "cluster")]) start.ArgumentList.Add(argument);
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync();
        var errors = process.StandardError.ReadToEndAsync();
        using var patience = new CancellationTokenSource(TimeSpan.FromMinutes(4));
        await process.WaitForExitAsync(patience.Token);
        if (process.ExitCode != 0)
            throw new InvalidOperationException($"cluster.sh {string.Join(' ', arguments)} failed:\n{await output}\n{await errors}");
        return await output;
    }

    /// <summary>Sends a signal by process id.</summary>
    public static async Task SignalAsync(int processId, string signal)
    {
        using var process = Process.Start("kill", [$"-{signal}", processId.ToString(CultureInfo.InvariantCulture)]);
        await process.WaitForExitAsync();
        process.ExitCode.ShouldBe(0);
    }

    /// <summary>Sends a signal to a process and to those it started: a server that forks hangs only with its children.</summary>
    public static async Task SignalTreeAsync(int processId, string signal)
    {
        await SignalAsync(processId, signal);
        using var process = Process.Start("pkill", [$"-{signal}", "-P", processId.ToString(CultureInfo.InvariantCulture)]);
        await process.WaitForExitAsync();
        process.ExitCode.ShouldBe(0);
    }

    /// <summary>Waits until a condition holds, asking ten times a second.</summary>
    public static async Task UntilAsync(Func<Task<bool>> condition, TimeSpan patience, string what)
    {
        var started = TimeProvider.System.GetTimestamp();
        while (!await condition())
        {
            if (TimeProvider.System.GetElapsedTime(started) > patience) throw new TimeoutException($"After {patience}: {what}");
            await Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System);
        }
    }

    /// <summary>Forgets everything Redis holds.</summary>
    public async Task WipeRedisAsync()
    {
        var redis = (await MembersAsync("redis")).Single();
        using var process = Process.Start("redis-cli", ["-p", redis.Url.Port.ToString(CultureInfo.InvariantCulture), "flushall"]);
        await process.WaitForExitAsync();
        process.ExitCode.ShouldBe(0);
    }

    /// <summary>What the members wrote last as a warning or worse: what a test that fails has to tell.</summary>
    public string Complaints() => string.Join('\n', Directory.GetFiles(Path.Combine(_folder, "cluster", "logs")).Order().Select(static file =>
    {
        var lines = File.ReadAllLines(file);
        var complaints = lines.Index().Where(static line => line.Item.StartsWith("warn:", StringComparison.Ordinal) || line.Item.StartsWith("fail:", StringComparison.Ordinal));
        return $"{Path.GetFileName(file)}:\n" + string.Join('\n', complaints.TakeLast(10).SelectMany(line => lines.Skip(line.Index).Take(3)));
    }));

    private static string FindRoot()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "HeartGrains.sln"))) folder = folder.Parent!;
        return folder.FullName;
    }
}

/// <summary>
/// Three silos and two gateways, shared by the tests of its collection, each of which leaves it whole. Pages of <c>*.site.test</c> may call it, and buttons made elsewhere are switched on.
/// </summary>
public sealed class ClusterFixture() : LocalCluster(
    silos: 3, gateways: 2, ["Sites=http://*.site.test:*", "OpenHeart:Enabled=true", "Applause:Enabled=true", .. TestKeys.Settings(OperatorKey)])
{
    public const string OperatorKey = "the-operator-key-of-tests";
}

[CollectionDefinition(nameof(ClusterFixture), DisableParallelization = true)]
public sealed class ClusterCollection : ICollectionFixture<ClusterFixture>;

/// <summary>Tests that want the machine for themselves: they load it, or ask what is soon done. Clusters that mostly wait run beside other tests.</summary>
[CollectionDefinition(nameof(AloneCollection), DisableParallelization = true)]
public sealed class AloneCollection;
