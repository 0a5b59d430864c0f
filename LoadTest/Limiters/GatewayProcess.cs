using System.Diagnostics;

namespace HeartGrains.LoadTest.Limiters;

/// <summary>A gateway as a process of its own, in mode <c>dev</c> on a free port, with settings of its own; killed when disposed.</summary>
internal sealed class GatewayProcess : IAsyncDisposable
{
    private static readonly TimeSpan StartTimeout = TimeSpan.FromSeconds(60);

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("heartgrains-limiters-");
    private readonly TaskCompletionSource<Uri> _listens = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Process _process;
    private string _lastError = "it said nothing";

    private GatewayProcess(string settingsJson)
    {
        var settings = Path.Combine(_folder.FullName, "settings.json");
        File.WriteAllText(settings, settingsJson);
        _process = new Process
        {
            StartInfo = new ProcessStartInfo(
                "dotnet", [Path.Combine(AppContext.BaseDirectory, "HeartGrains.Gateway.dll"), "--mode=dev", "--port=0", "--dashboard=false", $"--settings={settings}"])
            {
                UseShellExecute = false,
                WorkingDirectory = _folder.FullName,
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            },
            EnableRaisingEvents = true,
        };
        _process.OutputDataReceived += (_, line) => Note(line.Data);
        _process.ErrorDataReceived += (_, line) => _lastError = line.Data is { Length: > 0 } text ? text : _lastError;
    }

    /// <summary>Where it listens.</summary>
    public Uri Url { get; private set; } = null!;

    /// <summary>Starts one and waits until it listens.</summary>
    /// <exception cref="InvalidOperationException">It did not start; says why.</exception>
    public static async Task<GatewayProcess> StartAsync(string settingsJson, CancellationToken cancellationToken)
    {
        var gateway = new GatewayProcess(settingsJson);
        try
        {
            gateway._process.Start();
            gateway._process.BeginOutputReadLine();
            gateway._process.BeginErrorReadLine();
            var ended = gateway._process.WaitForExitAsync(cancellationToken);
            var first = await Task.WhenAny(gateway._listens.Task, ended).WaitAsync(StartTimeout, TimeProvider.System, cancellationToken);
            if (first == ended) throw new InvalidOperationException(gateway._lastError);
            gateway.Url = await gateway._listens.Task;
            return gateway;
        }
        catch (TimeoutException exception)
        {
            await gateway.DisposeAsync();
            throw new InvalidOperationException($"It did not listen within {StartTimeout.TotalSeconds:0} s.", exception);
        }
        catch
        {
            await gateway.DisposeAsync();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        // It keeps nothing, so there is nothing to stop in order.
        if (!_process.HasExited) _process.Kill();
        await _process.WaitForExitAsync();
        _process.Dispose();
        _folder.Delete(recursive: true);
    }

    /// <summary>Reads the address from the line that announces it.</summary>
    private void Note(string? line)
    {
        if (line?.Split("listens on ") is [_, var url]) _listens.TrySetResult(new Uri(url));
    }
}
