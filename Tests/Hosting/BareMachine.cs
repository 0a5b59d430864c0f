using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using HeartGrains.Tests.Infrastructure;

namespace HeartGrains.Tests.Hosting;

/// <summary>
/// A folder that holds a copy of the one file and nothing else, owned by a user without a home, where it is started with an empty environment: as near as this machine comes to one
/// without .NET.
/// </summary>
internal sealed class BareMachine : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("heartgrains-one-file-");
    private readonly List<Process> _processes = [];
    private readonly HttpClient _client = new() { Timeout = TimeSpan.FromSeconds(10) };

    private BareMachine() { }

    /// <summary>Puts the published file there.</summary>
    public static async Task<BareMachine> CreateAsync(OneFile file)
    {
        var machine = new BareMachine();
        File.Copy(await file.FindAsync(), Path.Combine(machine._folder.FullName, "heart-server"));
        if (Environment.IsPrivilegedProcess) (await RunAsync(new ProcessStartInfo("/bin/chown", ["-R", "nobody", machine._folder.FullName]))).Code.ShouldBe(0);
        return machine;
    }

    /// <summary>What lies in the folder.</summary>
    public IEnumerable<string?> Files => _folder.GetFileSystemInfos().Select(static entry => entry.Name).Order(StringComparer.Ordinal);

    /// <summary>Runs it to its end.</summary>
    public Task<(int Code, string Output, string Errors)> RunAsync(params string[] args) => RunAsync(Describe([], args));

    /// <summary>Starts it and waits until it is ready.</summary>
    public async Task<(Process Process, Uri Url)> StartAsync(IEnumerable<KeyValuePair<string, string>> environment, params string[] args)
    {
        var port = FreePort();
        var start = Describe(environment, [.. args, $"--port={port}"]);
        Redirect(start);
        var process = Process.Start(start)!;
        _processes.Add(process);
        var output = process.StandardOutput.ReadToEndAsync();
        var errors = process.StandardError.ReadToEndAsync();
        var url = new Uri($"http://127.0.0.1:{port}");
        var started = TimeProvider.System.GetTimestamp();
        while (!await IsReadyAsync(url))
        {
            if (process.HasExited) throw new InvalidOperationException($"It ended instead of starting: {await output}{await errors}");
            if (TimeProvider.System.GetElapsedTime(started) > Patience) throw new TimeoutException($"It was not ready within {Patience}.");
            await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System);
        }

        return (process, url);
    }

    /// <summary>Stops one in good order; its exit code.</summary>
    public static async Task<int> StopAsync(Process process)
    {
        await Cluster.LocalCluster.SignalAsync(process.Id, "TERM");
        await process.WaitForExitAsync().WaitAsync(Patience, TimeProvider.System);
        return process.ExitCode;
    }

    /// <summary>A port that nobody listens on.</summary>
    public static int FreePort()
    {
        using var probe = new TcpListener(IPAddress.Loopback, 0);
        probe.Start();
        return ((IPEndPoint)probe.LocalEndpoint).Port;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var process in _processes)
        {
            if (!process.HasExited) process.Kill();
            await process.WaitForExitAsync();
            process.Dispose();
        }

        _client.Dispose();
        _folder.Delete(recursive: true);
    }

    private ProcessStartInfo Describe(IEnumerable<KeyValuePair<string, string>> environment, string[] args)
    {
        string[] command = [Path.Combine(_folder.FullName, "heart-server"), .. args];
        if (Environment.IsPrivilegedProcess) command = ["/usr/bin/setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups", .. command];
        var start = new ProcessStartInfo(command[0], command[1..]) { WorkingDirectory = _folder.FullName };
        start.Environment.Clear();
        foreach (var (name, value) in environment) start.Environment[name] = value;
        return start;
    }

    private static async Task<(int Code, string Output, string Errors)> RunAsync(ProcessStartInfo start)
    {
        Redirect(start);
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync();
        var errors = process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync().WaitAsync(Patience, TimeProvider.System);
        return (process.ExitCode, await output, await errors);
    }

    private static void Redirect(ProcessStartInfo start) => (start.UseShellExecute, start.RedirectStandardOutput, start.RedirectStandardError) = (false, true, true);

    private async Task<bool> IsReadyAsync(Uri url)
    {
        try
        {
            using var answer = await _client.GetAsync(new Uri(url, "/health/ready"));
            return answer.IsSuccessStatusCode;
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }
}
