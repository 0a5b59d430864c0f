using System.Text.Json;
using System.Text.RegularExpressions;
using HeartGrains.Tests.Cluster;

namespace HeartGrains.Tests.Observability;

/// <summary>What is deployed beside the programs, and the pages about it.</summary>
internal static partial class DeployedFiles
{
    public static string PrometheusFolder { get; } = Path.Combine(LocalCluster.Root, "deploy", "prometheus");

    public static string Alerts { get; } = Path.Combine(PrometheusFolder, "alerts.yml");

    public static string GrafanaFolder { get; } = Path.Combine(LocalCluster.Root, "deploy", "grafana");

    public static string Page(string name) => File.ReadAllText(Path.Combine(LocalCluster.Root, "docs", name));

    public static JsonDocument Dashboard() => JsonDocument.Parse(File.ReadAllText(Path.Combine(GrafanaFolder, "dashboards", "heartgrains.json")));

    /// <summary>The dashboard's panels, rows left out.</summary>
    public static IEnumerable<JsonElement> Panels(JsonElement holder)
    {
        foreach (var panel in holder.GetProperty("panels").EnumerateArray())
        {
            if (panel.GetProperty("type").GetString() != "row") yield return panel;
            else if (panel.TryGetProperty("panels", out _)) foreach (var inner in Panels(panel)) yield return inner;
        }
    }

    /// <summary>The metrics of ours that a text names, without the suffixes of a histogram's series.</summary>
    public static IEnumerable<string> MetricsIn(string text) =>
        OurMetric().Matches(text).Select(static match => HistogramSuffix().Replace(match.Value, "")).Distinct();

    [GeneratedRegex(@"\bheartgrains_[a-z0-9_]*[a-z0-9]", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1_000)]
    private static partial Regex OurMetric();

    [GeneratedRegex("_(bucket|sum|count)$", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1_000)]
    private static partial Regex HistogramSuffix();
}
