using System.CommandLine;
using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using HeartGrains.LoadTest.Report;
using Spectre.Console;

namespace HeartGrains.LoadTest.Live;

/// <summary><c>live</c>: how soon a heart is seen through another gateway, what idle connections cost, and what watchers cost the hearts they watch.</summary>
public static class LiveCommand
{
    private const string Origin = "http://127.0.0.1:8080";
    private static readonly TimeSpan LongestSettle = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan LastUpdate = TimeSpan.FromSeconds(3);

    private static readonly Option<Uri[]> Url = new("--url")
    {
        Description = "Gateways, separated by commas: hearts are given at the first and watched at the last.",
        CustomParser = OptionValues.Urls,
        DefaultValueFactory = _ => [new Uri(Origin)],
    };

    private static readonly Option<TimeSpan> Duration = new("--duration")
    {
        Description = "How long each measurement of hearts lasts; 0.2s at least.",
        CustomParser = result => OptionValues.Duration(result, TimeSpan.FromHours(1)),
        DefaultValueFactory = _ => TimeSpan.FromSeconds(10),
    };

    private static readonly Option<int> Rate = OptionValues.Within(
        new Option<int>("--rate") { Description = "Hearts a second, for how soon they are seen.", DefaultValueFactory = _ => 200 }, 1, 100_000);

    private static readonly Option<int> Targets = OptionValues.Within(
        new Option<int>("--targets") { Description = "Targets they are spread over; a connection watches all.", DefaultValueFactory = _ => 100 }, 1, 200);

    private static readonly Option<int> Idle = OptionValues.Within(
        new Option<int>("--idle") { Description = "Idle connections at the last gateway, a hundred of each address of 127.0.0.0/16; 0: none.", DefaultValueFactory = _ => 10_000 }, 0, 60_000);

    private static readonly Option<int[]> Pids = new("--pids")
    {
        Description = "The last gateway's process, whose memory and CPU time are measured.",
        CustomParser = OptionValues.ProcessIds,
    };

    private static readonly Option<int> Watchers = OptionValues.Within(
        new Option<int>("--watchers") { Description = "Clients that watch one hot target; 0: none.", DefaultValueFactory = _ => 1_000 }, 0, 60_000);

    private static readonly Option<int> Rounds = OptionValues.Within(
        new Option<int>("--rounds") { Description = "Rounds of hearts with watchers, and as many between them without.", DefaultValueFactory = _ => 5 }, 1, 100);

    private static readonly Option<int> Connections = OptionValues.Within(
        new Option<int>("--connections") { Description = "Connections that give hearts, each one at a time.", DefaultValueFactory = _ => 16 }, 1, 10_000);

    /// <summary>The command, which writes to <paramref name="console"/>.</summary>
    public static Command Create(IAnsiConsole console)
    {
        var command = new Command("live", "Measures how hearts are seen by those who watch.")
        {
            Url, Duration, Rate, Targets, Idle, Pids, Watchers, Rounds, Connections,
        };
        command.SetAction((parsed, cancellationToken) => RunAsync(parsed, console, cancellationToken));
        return command;
    }

    private static async Task<int> RunAsync(ParseResult parsed, IAnsiConsole console, CancellationToken cancellationToken)
    {
        var urls = parsed.GetRequiredValue(Url);
        var prefix = $"live-{Guid.NewGuid():N}-";
        var run = new Run(urls[0], urls[^1], prefix, parsed.GetValue(Duration), new LiveHearts(urls[0], parsed.GetValue(Connections), prefix), console, cancellationToken);
        if (parsed.GetValue(Idle) > 0 && parsed.GetValue(Pids) is not [_, ..])
        {
            console.MarkupLine("[red]--pids is missing:[/] whose memory is to be measured? Write the last gateway's process id, or --idle 0.");
            return ExitCode.BadUsage;
        }

        try
        {
            List<LiveLatency> latencies =
            [
                await run.LatencyAsync($"{parsed.GetValue(Targets)} targets", parsed.GetValue(Targets), parsed.GetValue(Rate)),
                await run.LatencyAsync("one target", 1, parsed.GetValue(Rate)),
            ];
            if (parsed.GetValue(Watchers) > 1)
                latencies.Add(await run.LatencyAsync($"one target of {parsed.GetValue(Watchers)} watchers", 1, parsed.GetValue(Rate), parsed.GetValue(Watchers) - 1));
            var idle = parsed.GetValue(Idle) > 0 ? await run.IdleAsync(parsed.GetValue(Idle), parsed.GetValue(Pids)![0]) : null;
            var hot = parsed.GetValue(Watchers) > 0 ? await run.HotAsync(parsed.GetValue(Watchers), parsed.GetValue(Rounds), parsed.GetValue(Pids) ?? []) : null;
            LiveTables.Write(console, latencies, idle, hot);
            return latencies.TrueForAll(static latency => latency.IsKept) && idle?.IsKept is not false && hot?.IsKept is not false ? ExitCode.Success : ExitCode.Failed;
        }
        catch (Exception exception) when (exception is IOException or SocketException)
        {
            console.MarkupLineInterpolated($"[red]Cannot watch:[/] {exception.Message} Is a gateway listening there, and ready?");
            return ExitCode.Failed;
        }
    }

    private sealed record Run(Uri Gives, Uri Watches, string Prefix, TimeSpan Duration, LiveHearts Hearts, IAnsiConsole Console, CancellationToken CancellationToken)
    {
        private TimeSpan Settle => Duration * 1.5 < LongestSettle ? Duration * 1.5 : LongestSettle;

        private TimeSpan Short => Duration / 2 < TimeSpan.FromSeconds(1) ? Duration / 2 : TimeSpan.FromSeconds(1);

        public async Task<LiveLatency> LatencyAsync(string name, int targets, int perSecond, int others = 0)
        {
            Console.MarkupLineInterpolated($"Hearts on {name}, watched at {Watches}.");
            string[] names = [.. Enumerable.Range(0, targets).Select(number => $"{Prefix}{name.Replace(' ', '-')}-{number}")];
            using var crowd = await LiveWatchers.OpenAsync(Watches, others, _ => names[0], opened => Tell(opened, others), CancellationToken);
            var arrivals = new ArrivalRecord();
            var told = 0;
            using var socket = await LiveSocket.ConnectAsync(Watches, IPAddress.Loopback);
            var reading = socket.ReadAsync(message =>
            {
                var at = TimeProvider.System.GetTimestamp();
                var reader = new Utf8JsonReader(message);
                if (!JsonElement.ParseValue(ref reader).TryGetProperty("updates", out var updates)) return;
                foreach (var update in updates.EnumerateArray())
                {
                    arrivals.Seen(update.GetProperty("target_id").GetString()!, update.GetProperty("version").GetInt64(), at);
                    Interlocked.Increment(ref told);
                }
            });
            await socket.SendAsync(LiveWatchers.Subscribe(names));
            for (var wait = 0; wait < 500 && Volatile.Read(ref told) < targets; wait++) await PauseAsync(TimeSpan.FromMilliseconds(10));

            // A first second is not counted: code is compiled and targets are read.
            await Hearts.RunAsync(user => names[user % targets], perSecond, Short, null, CancellationToken);
            var (rate, _, _) = await Hearts.RunAsync(user => names[user % targets], perSecond, Duration, arrivals.Given, CancellationToken);
            for (var wait = TimeSpan.Zero; wait < LastUpdate && arrivals.Waiting > 0; wait += TimeSpan.FromMilliseconds(10)) await PauseAsync(TimeSpan.FromMilliseconds(10));
            var result = new LiveLatency(name, arrivals.Latencies, arrivals.Waiting, rate);
            socket.Dispose();
            await reading;
            return result;
        }

        public async Task<LiveIdle> IdleAsync(int connections, int processId)
        {
            // A first hundred open what only the first need.
            using (await LiveWatchers.OpenAsync(Watches, Math.Min(100, connections), number => $"{Prefix}idle-{number}", static _ => { }, CancellationToken)) await PauseAsync(Settle / 5);
            await PauseAsync(Settle / 5);
            var before = ProcessMemory.Read(processId);
            using var watchers = await LiveWatchers.OpenAsync(
                Watches, connections, number => $"{Prefix}idle-{number % 1_000}", opened => Tell(opened, connections), CancellationToken);
            await PauseAsync(Settle);
            return new LiveIdle(connections, watchers.Open, before, ProcessMemory.Read(processId));
        }

        public async Task<LiveHot> HotAsync(int count, int rounds, int[] processIds)
        {
            var (hot, cold) = ($"{Prefix}hot", $"{Prefix}cold");
            var (onlyHot, onlyCold) = ($$"""{"unsubscribe":["{{cold}}"],"subscribe":["{{hot}}"]}""", $$"""{"unsubscribe":["{{hot}}"],"subscribe":["{{cold}}"]}""");
            using var watchers = await LiveWatchers.OpenAsync(Watches, count, _ => cold, opened => Tell(opened, count), CancellationToken);
            var results = new List<HotRound>();

            // The first of each is not counted.
            for (var round = -1; round < rounds; round++)
            {
                foreach (var isWatched in (bool[])(round % 2 == 0 ? [true, false] : [false, true]))
                {
                    await watchers.SendAsync(isWatched ? onlyHot : onlyCold);
                    await PauseAsync(Short);
                    var (before, cpu, own, started) = (watchers.Messages, CpuOf(processIds), Environment.CpuUsage.TotalTime, TimeProvider.System.GetTimestamp());
                    var (rate, latencies, failed) = await Hearts.RunAsync(_ => hot, 0, Duration, null, CancellationToken);
                    if (round < 0) continue;
                    var elapsed = TimeProvider.System.GetElapsedTime(started);
                    results.Add(new HotRound(
                        isWatched, rate, latencies.Read().P50, latencies.At(95), isWatched ? watchers.Messages - before : 0, failed,
                        (CpuOf(processIds) - cpu) / elapsed, (Environment.CpuUsage.TotalTime - own) / elapsed));
                    Console.MarkupLineInterpolated($"{(isWatched ? count : 0):N0} watchers: {rate:N0} hearts/s, p50 {latencies.Read().P50.TotalMilliseconds:0.00} ms");
                }
            }

            return new LiveHot(watchers.Open, results);
        }

        private void Tell(int opened, int all)
        {
            if (opened % 1_000 == 0) Console.MarkupLineInterpolated($"{opened:N0} of {all:N0} connections are open.");
        }

        private static TimeSpan CpuOf(int[] processIds) => ProcessCpu.Read(processIds).Aggregate(TimeSpan.Zero, static (sum, process) => sum + process.Cpu);

        private Task PauseAsync(TimeSpan pause) => Task.Delay(pause, TimeProvider.System, CancellationToken);
    }
}
