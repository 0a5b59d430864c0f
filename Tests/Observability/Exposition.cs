using System.Text.RegularExpressions;

namespace HeartGrains.Tests.Observability;

/// <summary>A metric as it is described by <c>/metrics</c> or by a page.</summary>
internal sealed record DescribedMetric(string Name, string Type, string Labels, string Of);

/// <summary>Reads what <c>/metrics</c> says of our metrics.</summary>
internal static partial class Exposition
{
    /// <summary>The lines of our metrics alone.</summary>
    public static string Ours(string text) => string.Concat(text.Split('\n').Where(static line => OurLine().IsMatch(line)).Select(static line => line + "\n"));

    /// <summary>Names, types and labels of our metrics at the gateway and at the silo.</summary>
    public static IReadOnlyList<DescribedMetric> Describe(string gateway, string silo)
    {
        var (atGateway, atSilo) = (Describe(gateway), Describe(silo));
        return
        [
            .. atGateway.Keys.Union(atSilo.Keys).Select(name => (atGateway.GetValueOrDefault(name), atSilo.GetValueOrDefault(name)) switch
            {
                ({ } metric, null) => metric with { Of = "gateway" },
                (null, { } metric) => metric with { Of = "silo" },
                var (metric, _) => metric! with { Of = "both" },
            }),
        ];
    }

    private static Dictionary<string, DescribedMetric> Describe(string text)
    {
        var types = TypeLine().Matches(text).ToDictionary(static match => match.Groups["name"].Value, static match => match.Groups["type"].Value);
        return types.ToDictionary(static type => type.Key, type => new DescribedMetric(type.Key, type.Value, LabelsOf(type.Key, text), ""));
    }

    private static string LabelsOf(string name, string text)
    {
        var series = Regex.Match(text, $@"^{name}(_sum)?(?:\{{(?<labels>.*)\}})? ", RegexOptions.Multiline | RegexOptions.ExplicitCapture, TimeSpan.FromSeconds(1));
        return string.Join(", ", Label().Matches(series.Groups["labels"].Value).Select(static match => match.Groups["name"].Value));
    }

    [GeneratedRegex("^(# [A-Z]+ )?heartgrains_", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1_000)]
    private static partial Regex OurLine();

    [GeneratedRegex("^# TYPE (?<name>heartgrains_[a-z0-9_]+) (?<type>[a-z]+)$", RegexOptions.Multiline | RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1_000)]
    private static partial Regex TypeLine();

    [GeneratedRegex("(?<name>[a-z_]+)=\"", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1_000)]
    private static partial Regex Label();
}
