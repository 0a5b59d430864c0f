using HeartGrains.LoadTest.Overload;
using HeartGrains.LoadTest.Report;
using Spectre.Console;

namespace HeartGrains.LoadTest.Live;

/// <summary>What a heart took to be seen.</summary>
internal sealed record LiveLatency(string Name, LatencyRecord Latencies, int NotSeen, double PerSecond)
{
    public static readonly TimeSpan Goal = TimeSpan.FromMilliseconds(250);

    /// <summary>The part that was seen in time is at least 95 %, and all were seen.</summary>
    public bool IsKept => NotSeen == 0 && Latencies.Count > 0 && Latencies.PartUnder(Goal) >= 0.95;
}

/// <summary>What idle connections cost.</summary>
internal sealed record LiveIdle(int Connections, int Open, ProcessMemory Before, ProcessMemory After)
{
    public const double GoalKilobytes = 30;

    public double Resident => (After.Resident - Before.Resident) / 1024.0 / Connections;

    public double Private => (After.Private - Before.Private) / 1024.0 / Connections;

    public bool IsKept => Open == Connections && Resident < GoalKilobytes;
}

/// <summary>One round of hearts on the hot target.</summary>
/// <param name="GatewayCores">CPU of the watchers' gateway.</param>
/// <param name="OwnCores">CPU of this program, which gives the hearts and reads for the watchers.</param>
internal sealed record HotRound(bool IsWatched, double PerSecond, TimeSpan P50, TimeSpan P95, long Messages, long Failed, double GatewayCores, double OwnCores);

/// <summary>What watchers cost the hearts of their target.</summary>
internal sealed record LiveHot(int Watchers, IReadOnlyList<HotRound> Rounds)
{
    public const double Goal = 0.10;

    /// <summary>How much slower hearts are with watchers: the median of rounds that followed each other, for the machine is not the same for long.</summary>
    public double Slowdown => 1 - MedianOf(Rounds.Chunk(2).Select(static pair => pair.Single(static round => round.IsWatched).PerSecond / pair.Single(static round => !round.IsWatched).PerSecond));

    public bool IsKept => Slowdown < Goal && Rounds.All(static round => round.Failed == 0);

    public double Median(bool isWatched, Func<HotRound, double> figure) => MedianOf(Rounds.Where(round => round.IsWatched == isWatched).Select(figure));

    private static double MedianOf(IEnumerable<double> all)
    {
        double[] figures = [.. all.Order()];
        return figures.Length == 0 ? 0 : (figures[(figures.Length - 1) / 2] + figures[figures.Length / 2]) / 2;
    }
}

/// <summary>Writes what a run saw.</summary>
internal static class LiveTables
{
    public static void Write(IAnsiConsole console, IReadOnlyList<LiveLatency> latencies, LiveIdle? idle, LiveHot? hot)
    {
        var table = new Table().Border(TableBorder.Rounded).AddColumns("live", "seen", "promise", "kept");
        foreach (var latency in latencies)
        {
            var at = latency.Latencies.Read();
            table.AddRow(
                $"{latency.Name}, {latency.PerSecond:N0} hearts/s: from answer to the other gateway's watcher",
                $"p50 {Millis(at.P50)}, p95 {Millis(latency.Latencies.At(95))}, p99 {Millis(at.P99)}, max {Millis(at.Max)}; {latency.Latencies.PartUnder(LiveLatency.Goal):P2} of {latency.Latencies.Count:N0} within 250 ms, {latency.NotSeen} not seen",
                "P95 within 250 ms", Kept(latency.IsKept));
        }

        if (idle is not null)
        {
            table.AddRow(
                $"{idle.Connections:N0} idle connections", $"{idle.Resident:0.0} KB each of RSS, {idle.Private:0.0} KB of private memory; {idle.Open:N0} open at the end",
                $"< {LiveIdle.GoalKilobytes:0} KB", Kept(idle.IsKept));
        }

        if (hot is not null)
        {
            foreach (var isWatched in (bool[])[false, true])
            {
                table.AddRow(
                    isWatched ? $"hearts on a target with {hot.Watchers:N0} watchers" : "hearts on it without",
                    $"{hot.Median(isWatched, static round => round.PerSecond):N0} hearts/s, p50 {hot.Median(isWatched, static round => round.P50.TotalMilliseconds):0.00} ms, p95 {hot.Median(isWatched, static round => round.P95.TotalMilliseconds):0.00} ms; rounds "
                        + string.Join(", ", hot.Rounds.Where(round => round.IsWatched == isWatched).Select(static round => $"{round.PerSecond:N0}"))
                        + (isWatched ? $"; {hot.Rounds.Sum(static round => round.Messages):N0} updates received" : "")
                        + $"; CPU {hot.Median(isWatched, static round => round.GatewayCores):0.000} cores at the watchers' gateway, {hot.Median(isWatched, static round => round.OwnCores):0.000} here",
                    "", "");
            }

            table.AddRow("slower by, median of pairs of rounds", $"{hot.Slowdown:P1}", $"< {LiveHot.Goal:P0}", Kept(hot.IsKept));
        }

        console.Write(table);
    }

    private static string Kept(bool isKept) => isKept ? "yes" : "[red]no[/]";

    private static string Millis(TimeSpan time) => $"{time.TotalMilliseconds:0.0} ms";
}
