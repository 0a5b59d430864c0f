using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace HeartGrains.Tests.Infrastructure;

/// <summary>
/// A private server on a free loopback port with a folder of its own. Started when first asked for, so that a run which needs none
/// starts none.
/// </summary>
public abstract class LocalServer : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan PollPeriod = TimeSpan.FromMilliseconds(20);

    private readonly SemaphoreSlim _starting = new(1, 1);
    private DirectoryInfo? _folder;
    private bool _isSuspended;
    private Process? _process;

    /// <summary>The port, the same after every restart; 0 before the first start.</summary>
    public int Port { get; private set; }

    protected string Folder => _folder!.FullName;

    /// <summary>Starts the server, on the port and data it had before if it was stopped, and waits until it answers.</summary>
    public async Task StartAsync()
    {
        await _starting.WaitAsync();
        try
        {
            if (_process is { HasExited: false })
                return;
            if (_folder is null)
            {
                _folder = Directory.CreateTempSubdirectory("heartgrains-test-");
                Port = FreePort();
                await PrepareAsync();
            }

            await StartAndWaitAsync();
        }
        finally
        {
            _starting.Release();
        }
    }

    /// <summary>Stops it in good order, keeping its data.</summary>
    public Task StopAsync() => EndAsync(StopSignal);

    /// <summary>Ends it as a power cut would (SIGKILL), keeping what reached its files.</summary>
    public Task KillAsync() => EndAsync("KILL");

    /// <summary>Stands still with all its children (SIGSTOP): connections stay, and nobody answers.</summary>
    public async Task SuspendAsync()
    {
        _isSuspended = true;
        await SignalAllAsync("STOP");
    }

    /// <summary>Goes on after <see cref="SuspendAsync"/>.</summary>
    public async Task ResumeAsync()
    {
        await SignalAllAsync("CONT");
        _isSuspended = false;
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (_process is not null)
            await KillAsync();
        await CleanUpAsync();
        _folder?.Delete(recursive: true);
        GC.SuppressFinalize(this);
    }

    protected abstract string StopSignal { get; }

    protected virtual Task PrepareAsync() => Task.CompletedTask;

    /// <summary>After the server's end, before its folder is deleted.</summary>
    protected virtual Task CleanUpAsync() => Task.CompletedTask;

    protected abstract ProcessStartInfo Describe();

    /// <summary>Throws unless the server answers.</summary>
    protected abstract Task AskAsync();

    protected static async Task<string> RunAsync(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments)
        {
            UseShellExecute = false,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        var output = process.StandardOutput.ReadToEndAsync();
        var errors = process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        return process.ExitCode == 0
            ? await output
            : throw new InvalidOperationException($"{program} {string.Join(' ', arguments)}: exit code {process.ExitCode}\n{await output}{await errors}");
    }

    private async Task StartAndWaitAsync()
    {
        var started = Stopwatch.GetTimestamp();
        while (true)
        {
            // After a kill the dead server's children may still hold its files: the first tries can end at once.
            if (_process is null or { HasExited: true })
                _process = Process.Start(Describe())!;
            try
            {
                await AskAsync();
                return;
            }
            catch (Exception) when (Stopwatch.GetElapsedTime(started) < Patience)
            {
                await Task.Delay(PollPeriod, TimeProvider.System);
            }
        }
    }

    private async Task SignalAllAsync(string signal)
    {
        var children = await RunAsync("/usr/bin/pgrep", "-P", $"{_process!.Id}");
        await RunAsync("/bin/kill", [$"-{signal}", $"{_process.Id}", .. children.Split('\n', StringSplitOptions.RemoveEmptyEntries)]);
    }

    private async Task EndAsync(string signal)
    {
        if (_process is { HasExited: false } process)
        {
            if (_isSuspended) await ResumeAsync();

            // Killed with its children, which would serve on for a moment; one that has just ended is no matter.
            if (signal == "KILL") await RunAsync("/bin/sh", "-c", $"kill -KILL {process.Id} $(pgrep -P {process.Id}) || true");
            else await RunAsync("/bin/kill", $"-{signal}", process.Id.ToString());
            await process.WaitForExitAsync().WaitAsync(Patience, TimeProvider.System);
        }
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
