using Spectre.Console;

namespace HeartGrains.LoadTest.Report;

/// <summary>Writes what a load saw.</summary>
internal static class LoadTables
{
    public static void Write(IAnsiConsole console, HeartLoadReport report)
    {
        var table = new Table().Border(TableBorder.Rounded).AddColumn("hearts").AddColumn(new TableColumn("").RightAligned());
        foreach (var (name, value) in Rows(report)) table.AddRow(Markup.Escape(name), Markup.Escape(value));
        console.Write(table);
        if (report.HistoryWasFull)
            console.MarkupLineInterpolated($"[yellow]The load ended early:[/] the history holds {report.Options.HistoryLimit:N0} requests and was full.");
    }

    private static IEnumerable<(string Name, string Value)> Rows(HeartLoadReport report)
    {
        yield return ("requests/s", $"{report.RequestsPerSecond:N0}");
        yield return ("answered", $"{report.Answered:N0} in {report.Elapsed.TotalSeconds:0.0} s");
        yield return ("latency p50", Millis(report.Latencies.P50));
        yield return ("latency p90", Millis(report.Latencies.P90));
        yield return ("latency p99", Millis(report.Latencies.P99));
        yield return ("latency p99.9", Millis(report.Latencies.P999));
        yield return ("latency max", Millis(report.Latencies.Max));
        foreach (var (status, count) in report.Answers.OrderBy(answer => answer.Key)) yield return ($"status {status}", $"{count:N0}");
        if (report.NotConnected > 0) yield return ("no connection", $"{report.NotConnected:N0}");
        if (report.Broken > 0) yield return ("connection broken", $"{report.Broken:N0}");
        if (report.TimedOut > 0) yield return ("no answer in time", $"{report.TimedOut:N0}");
        yield return ("longest time without success", Millis(report.Timeline.LongestGap));
        if (report.Outages.Longest > TimeSpan.Zero) yield return ("longest outage of one target", Millis(report.Outages.Longest));
        if (report.Outages.StillFailing > 0) yield return ("targets failing at the end", $"{report.Outages.StillFailing:N0}");
        foreach (var process in report.Processes)
            yield return ($"CPU of {process.Name ?? "process"} {process.ProcessId}", process.Cpu is { } cpu ? PerRequest(cpu) : "unknown: it ended");
        if (report.Processes.Count > 1)
            yield return ("CPU of all these", PerRequest(report.Processes.Aggregate(TimeSpan.Zero, (sum, process) => sum + (process.Cpu ?? TimeSpan.Zero))));
        yield return ("CPU of this program", PerRequest(report.OwnCpu));
        yield return ("seed", $"{report.Options.Seed}");

        string PerRequest(TimeSpan cpu) => $"{report.MicrosPerRequest(cpu):0.0} µs/request";
    }

    private static string Millis(TimeSpan time) => $"{time.TotalMilliseconds:N2} ms";
}
