using System.Globalization;
using Spectre.Console;

namespace HeartGrains.LoadTest.Limiters;

/// <summary>Writes the algorithms beside each other.</summary>
internal static class LimiterTables
{
    public static void Write(IAnsiConsole console, IReadOnlyList<LimiterReport> reports)
    {
        var rate = reports[0].Plan.PerSecond;
        var table = new Table().Border(TableBorder.Rounded).AddColumn(new TableColumn(Text($"{rate:N0}/s, one user")).NoWrap());
        foreach (var report in reports) table.AddColumn(new TableColumn(Markup.Escape($"{report.Case.Name}\n{report.Case.Terms}")).RightAligned());
        Row("evenly: admitted/s", report => Text($"{report.AdmittedPerSecond:N0}"));
        Row("against the ideal", report => Difference(report.AgainstIdeal(LoadStepKind.Even)));
        Row("burst after nothing", report => Times(report.Tolerance(LoadStepKind.QuietBurst)));
        Row("  the ideal", report => Times(report.IdealTolerance(LoadStepKind.QuietBurst)));
        Row(Text($"burst on {rate / 2:N0}/s"), report => Times(report.Tolerance(LoadStepKind.BusyBurst)));
        Row("  the ideal", report => Times(report.IdealTolerance(LoadStepKind.BusyBurst)));
        Row("bursts against the ideal", report => Difference(report.AgainstIdeal(LoadStepKind.QuietBurst, LoadStepKind.BusyBurst)));
        Row("most in any second", report => report.IsKept ? Text($"{report.WorstSecond:N0}") : Text($"[red]{report.WorstSecond:N0}[/]"));
        Row("  promised", report => Text($"{report.Case.PromisedPerSecond:N0}"));
        Row("decision p50", report => Millis(report.Decision(50)));
        Row("decision p99", report => Millis(report.Decision(99)));
        Row("sent late p99", report => Millis(report.Lateness(99)));
        Row("not judged", report => Text($"{report.NotJudged:N0}"));
        Row("bytes a user", report => Text($"{report.BytesPerUser:N0}"));
        console.Write(table);

        void Row(string name, Func<LimiterReport, string> value) => table.AddRow([name, .. reports.Select(value)]);
    }

    private static string Times(double tolerance) => Text($"{tolerance:0.00} ×");

    private static string Difference(double ratio) => (ratio - 1).ToString("+0.0 %;-0.0 %;0.0 %", CultureInfo.InvariantCulture);

    private static string Millis(TimeSpan time) => Text($"{time.TotalMilliseconds:N1} ms");

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
