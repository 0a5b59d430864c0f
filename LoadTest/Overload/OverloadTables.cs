using HeartGrains.LoadTest.Report;
using Spectre.Console;

namespace HeartGrains.LoadTest.Overload;

/// <summary>Writes what a run saw.</summary>
internal static class OverloadTables
{
    private static readonly int[] RefusalLimits = [1, 5, 10];

    public static void Write(IAnsiConsole console, OverloadReport report)
    {
        var table = new Table().Border(TableBorder.Rounded).AddColumn("overload").AddColumn(new TableColumn("").RightAligned());
        foreach (var (name, value) in Rows(report)) table.AddRow(Markup.Escape(name), Markup.Escape(value));
        console.Write(table);

        var promises = new Table().Border(TableBorder.Rounded).AddColumns("promise", "seen", "kept");
        foreach (var promise in report.Promises())
            promises.AddRow(Markup.Escape(promise.Name), Markup.Escape(promise.Seen), promise.IsKept ? "yes" : "[red]no[/]");
        console.Write(promises);
    }

    private static IEnumerable<(string Name, string Value)> Rows(OverloadReport report)
    {
        foreach (var step in report.Steps)
            yield return ($"closed loop, {step.Connections} connections", $"{step.HeartsPerSecond:N0} hearts/s, p99 {Millis(step.P99)}, {step.NotAdmitted:N0} not admitted");
        yield return ("peak", $"{report.Peak:N0} hearts/s");

        var overload = report.Overload;
        yield return ("offered", $"{report.Peak * report.Options.Factor:N0} hearts/s for {report.Options.Duration.TotalSeconds:0.#} s");
        yield return ("goodput", $"{overload.Goodput:N0} hearts/s, {overload.Goodput / report.Peak:P1} of the peak");
        yield return ("admitted", Percentiles(overload.Admitted));
        yield return ("admitted, from due time", Percentiles(overload.AdmittedSinceDue));
        yield return ("refused", Percentiles(overload.Refused));
        yield return ("refused, from due time", Percentiles(overload.RefusedSinceDue));
        yield return ("refused in under 1 / 5 / 10 ms",
            string.Join(" / ", RefusalLimits.Select(limit => $"{overload.Refused.PartUnder(TimeSpan.FromMilliseconds(limit)):P2}")));
        yield return ("sent late by", Percentiles(overload.Lateness));
        yield return ("never sent, other answers", $"{overload.NotSent:N0}, {overload.Failed:N0}");
        foreach (var process in report.Processes)
            yield return ($"CPU of {process.Name ?? "process"} {process.ProcessId}", process.Cpu is { } cpu ? Cores(cpu, overload.Elapsed) : "unknown: it ended");
        yield return ("CPU of this program", Cores(report.OwnCpu, overload.Elapsed));

        yield return ($"calm at {report.Options.CalmFactor:P0} of the peak", Percentiles(report.Calm.Admitted));
        yield return ("refused, other answers in the calm", $"{report.Calm.Refused.Count:N0}, {report.Calm.Failed:N0}");
        yield return ("recovered after", report.Recovery is { } time ? $"{time.TotalSeconds:0.00} s" : "never");
        yield return ("seed", $"{report.Options.Seed}");
    }

    private static string Percentiles(LatencyRecord record)
    {
        var at = record.Read();
        return $"{record.Count:N0}; p50 {Millis(at.P50)}, p99 {Millis(at.P99)}, max {Millis(at.Max)}";
    }

    private static string Cores(TimeSpan cpu, TimeSpan elapsed) => $"{cpu / elapsed:0.00} cores";

    private static string Millis(TimeSpan time) => $"{time.TotalMilliseconds:N2} ms";
}
