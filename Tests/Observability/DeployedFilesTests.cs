using System.Text.RegularExpressions;

namespace HeartGrains.Tests.Observability;

/// <summary>Prometheus' configuration, rules and runbook, and Grafana's dashboard, each by itself.</summary>
public sealed partial class DeployedFilesTests
{
    // Panels every Grafana has.
    private static readonly string[] PanelTypes = ["stat", "timeseries", "gauge", "bargauge", "text", "heatmap", "state-timeline"];

    [Theory]
    [InlineData("check", "config", "prometheus.yml")]
    [InlineData("check", "rules", "alerts.yml")]
    [InlineData("test", "rules", "alerts.test.yml")]
    public async Task Promtool_FilesOfTheProject_HasNoComplaint(string verb, string kind, string file)
    {
        var (exitCode, output) = await Promtool.RunAsync("", verb, kind, file);
        exitCode.ShouldBe(0, output);
        output.ShouldNotContain("WARNING");
    }

    [Fact]
    public void Alerts_Each_NamesASectionOfTheRunbook()
    {
        var headings = Heading().Matches(DeployedFiles.Page("runbook.md")).Select(static match => Anchor(match.Groups["text"].Value)).ToHashSet();
        var alerts = Alert().Matches(File.ReadAllText(DeployedFiles.Alerts)).Select(static match => match.Value.Trim()).ToList();
        alerts.Count.ShouldBeGreaterThan(10);
        foreach (var alert in alerts)
        {
            var link = Runbook().Match(alert);
            link.Success.ShouldBeTrue(alert);
            headings.ShouldContain(link.Groups["section"].Value);
        }
    }

    /// <summary>A case that fires names the alert with labels; one that does not expects none.</summary>
    [Fact]
    public void Alerts_Each_HasACaseThatFiresAndOneThatDoesNot()
    {
        var tests = File.ReadAllText(Path.Combine(DeployedFiles.PrometheusFolder, "alerts.test.yml"));
        var names = AlertName().Matches(File.ReadAllText(DeployedFiles.Alerts)).Select(static match => match.Groups["name"].Value).ToList();
        foreach (var name in names)
        {
            tests.ShouldContain($"alertname: {name}\n        exp_alerts:\n", Case.Sensitive, $"{name} never fires");
            tests.ShouldContain($"alertname: {name}\n        exp_alerts: []\n", Case.Sensitive, $"{name} always fires");
        }
    }

    [Fact]
    public void Dashboard_Panels_AreGrafanasOwnAndAskTheProvisionedSource()
    {
        using var dashboard = DeployedFiles.Dashboard();
        dashboard.RootElement.GetProperty("uid").GetString().ShouldBe("heartgrains");
        var source = File.ReadAllText(Path.Combine(DeployedFiles.GrafanaFolder, "provisioning", "datasources", "prometheus.yml"));
        var panels = DeployedFiles.Panels(dashboard.RootElement).ToList();
        panels.Select(static panel => panel.GetProperty("id").GetInt32()).ShouldBeUnique();
        foreach (var panel in panels)
        {
            PanelTypes.ShouldContain(panel.GetProperty("type").GetString());
            source.ShouldContain($"uid: {panel.GetProperty("datasource").GetProperty("uid").GetString()}\n");
        }
    }

    /// <summary>Where both are asked for (<c>$gateway|$silo</c>), an All that matches everything takes the other's choice away.</summary>
    [Fact]
    public void Dashboard_Variables_AllIsTheListOfThem()
    {
        using var dashboard = DeployedFiles.Dashboard();
        var variables = dashboard.RootElement.GetProperty("templating").GetProperty("list").EnumerateArray().ToList();
        variables.Select(static variable => variable.GetProperty("name").GetString()).ShouldBe(["gateway", "silo"]);
        foreach (var variable in variables)
        {
            variable.GetProperty("includeAll").GetBoolean().ShouldBeTrue();
            variable.TryGetProperty("allValue", out _).ShouldBeFalse();
        }
    }

    /// <summary>As GitHub makes anchors of headings.</summary>
    private static string Anchor(string heading) => NotInAnchor().Replace(heading.Trim().ToLowerInvariant(), "").Replace(' ', '-');

    [GeneratedRegex("^#+ (?<text>.+)$", RegexOptions.Multiline | RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1_000)]
    private static partial Regex Heading();

    [GeneratedRegex("[^a-z0-9 _-]", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1_000)]
    private static partial Regex NotInAnchor();

    [GeneratedRegex("^ +- alert: (?<name>[A-Za-z]+)$", RegexOptions.Multiline | RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1_000)]
    private static partial Regex AlertName();

    [GeneratedRegex("^ +- alert: .*?(?=^ +- |\\z)", RegexOptions.Multiline | RegexOptions.Singleline, matchTimeoutMilliseconds: 1_000)]
    private static partial Regex Alert();

    [GeneratedRegex("^ +runbook: docs/runbook\\.md#(?<section>[a-z0-9_-]+)$", RegexOptions.Multiline | RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1_000)]
    private static partial Regex Runbook();
}
