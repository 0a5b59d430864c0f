using HeartGrains.LoadTest.Hearts;
using Spectre.Console;

namespace HeartGrains.LoadTest.Report;

/// <summary>Writes what a check found.</summary>
internal static class VerifyTables
{
    public static void Write(IAnsiConsole console, HeartVerifyReport report)
    {
        console.Write(new Table().Border(TableBorder.Rounded)
            .AddColumn("check").AddColumn(new TableColumn("").RightAligned())
            .AddRow("hearts acknowledged", $"{report.Acknowledged:N0}")
            .AddRow("hearts refused", $"{report.Refused:N0}")
            .AddRow("hearts without a sure answer", $"{report.Unknown:N0}, {report.UnknownStored:N0} of them stored")
            .AddRow("targets counted", $"{report.Targets:N0}")
            .AddRow("time", $"{report.Elapsed.TotalSeconds:0.0} s")
            .AddRow("violations", report.IsClean ? "[green]none[/]" : $"[red]{report.ViolationCount:N0}[/]"));
        foreach (var violation in report.Violations)
            console.MarkupLineInterpolated($"[red]{violation.Kind}[/] {violation.TargetId} {violation.UserId ?? ""}: {violation.Detail}");
        if (report.ViolationCount > report.Violations.Count)
            console.WriteLine($"… and {report.ViolationCount - report.Violations.Count:N0} more.");
    }
}
