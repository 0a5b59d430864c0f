using System.Net;
using System.Text.Json;
using System.Text.RegularExpressions;
using HeartGrains.Tests.Cluster;
using HeartGrains.Tests.Infrastructure;

namespace HeartGrains.Tests.Observability;

/// <summary>What a real Prometheus makes of a running cluster.</summary>
[Collection(nameof(AloneCollection))]
public sealed partial class ObservedClusterTests(ObservedCluster cluster) : IClassFixture<ObservedCluster>
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(50);

    [Fact]
    public async Task Metrics_OfGatewayAndSilo_AreThoseOfThePage()
    {
        var described = TableRow().Matches(DeployedFiles.Page("metrics.md")).Select(static row => new DescribedMetric(
            row.Groups["name"].Value, row.Groups["type"].Value, row.Groups["labels"].Value.Replace("`", ""), row.Groups["of"].Value)).ToList();
        var shown = Exposition.Describe(await cluster.GatewayMetricsAsync(), await cluster.SiloMetricsAsync());
        described.ShouldBeUnique();
        shown.Except(described).ShouldBeEmpty("not on the page");
        described.Except(shown).ShouldBeEmpty("only on the page");
    }

    [Fact]
    public async Task Metrics_NamedByPagesAlertsAndDashboard_Exist()
    {
        var shown = Exposition.Describe(await cluster.GatewayMetricsAsync(), await cluster.SiloMetricsAsync()).Select(static metric => metric.Name).ToHashSet();
        string[] texts =
        [
            DeployedFiles.Page("metrics.md"), DeployedFiles.Page("runbook.md"), await File.ReadAllTextAsync(DeployedFiles.Alerts),
            DeployedFiles.Dashboard().RootElement.GetRawText(),
        ];
        texts.SelectMany(DeployedFiles.MetricsIn).Where(name => !shown.Contains(name)).ShouldBeEmpty();
    }

    /// <summary>Ours only: the names of .NET's meters are not ours to mend.</summary>
    [Fact]
    public async Task Promtool_CheckMetrics_HasNoComplaint()
    {
        foreach (var text in (string[])[await cluster.GatewayMetricsAsync(), await cluster.SiloMetricsAsync()])
        {
            var ours = Exposition.Ours(text);
            ours.ShouldNotBeEmpty();
            (await Promtool.RunAsync(ours, "check", "metrics")).ShouldBe((0, ""));
        }
    }

    [Fact]
    public async Task Breaker_ForcedOpenAndBack_IsSeenByPrometheus()
    {
        const string State = "heartgrains_breaker_state{dependency=\"hearts\"}";
        const string Opened = "heartgrains_breaker_transitions_total{dependency=\"hearts\",to=\"forced_open\"}";
        const string Closed = "heartgrains_breaker_transitions_total{dependency=\"hearts\",to=\"closed\"}";
        const string Rejected = "heartgrains_breaker_rejected_total{dependency=\"hearts\"}";
        await BecomesAsync(State, static value => value == 0);
        var (opened, closed, rejected) = (await OneAsync(Opened), await OneAsync(Closed), await OneAsync(Rejected));

        await cluster.ForceAsync("hearts", new { state = "forced_open", @for = "5m", reason = "test" });
        try
        {
            (await cluster.GiveAsync()).ShouldBe(HttpStatusCode.ServiceUnavailable);
            await BecomesAsync(State, static value => value == 3);
            await BecomesAsync(Opened, value => value == opened + 1);
            await BecomesAsync(Rejected, value => value > rejected);
        }
        finally
        {
            await cluster.ForceAsync("hearts", new { state = "auto", reason = "test" });
        }

        await BecomesAsync(State, static value => value == 0);
        await BecomesAsync(Closed, value => value == closed + 1);
        (await cluster.GiveAsync()).ShouldBe(HttpStatusCode.Created);
    }

    /// <summary>
    /// PostgreSQL is away for longer than any break: the ledger's breaker opens by itself, and the quotas', which are stored there too; that of <c>hearts</c> does not, because silos
    /// answer. When it is back hearts flow within five seconds.
    /// </summary>
    [Fact]
    public async Task PostgresGone_OpensItsBreakersAlone_AndHeartsFlowSoonAfter()
    {
        static string State(string dependency) => $"heartgrains_breaker_state{{dependency=\"{dependency}\"}}";
        const string Failures = "heartgrains_breaker_failure_rate{dependency=\"ledger\"}";
        static string HalfOpened(string dependency) => $"heartgrains_breaker_transitions_total{{dependency=\"{dependency}\",to=\"half_open\"}}";
        const string HeartsOpened = "sum(heartgrains_breaker_transitions_total{dependency=\"hearts\",to=\"open\"})";
        foreach (var dependency in (string[])["hearts", "quota", "ledger"]) await BecomesAsync(State(dependency), static value => value == 0);
        var heartsOpened = await OneAsync(HeartsOpened);
        var halfOpened = new Dictionary<string, double>(StringComparer.Ordinal);
        foreach (var dependency in (string[])["ledger", "quota"]) halfOpened[dependency] = await OneAsync(HalfOpened(dependency));
        using var stop = new CancellationTokenSource();
        var users = Enumerable.Range(0, 30).Select(static _ => Guid.NewGuid().ToString()).ToArray();

        // They have no tokens left at the gateway: each heart asks a quota.
        foreach (var user in users)
            for (var i = 0; i < 3; i++) (await cluster.GiveAsync($"t{i}", user)).ShouldBe(HttpStatusCode.Created);
        var use = UseAsync(users, stop.Token);
        await cluster.RunAsync("stop", "postgres");
        try
        {
            await BecomesAsync(State("ledger"), static value => value is 1 or 2);
            await BecomesAsync(Failures, static value => value > 0.5);
            await BecomesAsync(State("quota"), static value => value is 1 or 2);

            // Breaks have grown to their longest by then.
            foreach (var dependency in (string[])["ledger", "quota"]) await BecomesAsync(HalfOpened(dependency), value => value >= halfOpened[dependency] + 4);
        }
        finally
        {
            await cluster.RunAsync("start", "postgres");
        }

        var back = TimeProvider.System.GetTimestamp();
        await LocalCluster.UntilAsync(async () => await GivenInARowAsync(users) == users.Length, Patience, "hearts are not given");
        var took = TimeProvider.System.GetElapsedTime(back);
        await BecomesAsync(State("ledger"), static value => value == 0);
        await BecomesAsync(State("quota"), static value => value == 0);
        await stop.CancelAsync();
        await use;
        took.ShouldBeLessThan(TimeSpan.FromSeconds(5));
        (await OneAsync(HeartsOpened)).ShouldBe(heartsOpened);
    }

    [Fact]
    public async Task Dashboard_EveryQuery_ReturnsData()
    {
        using var dashboard = DeployedFiles.Dashboard();
        var queries = DeployedFiles.Panels(dashboard.RootElement)
            .SelectMany(static panel => panel.GetProperty("targets").EnumerateArray().Select(target => (
                Panel: panel.GetProperty("title").GetString()!,
                Query: Variable().Replace(target.GetProperty("expr").GetString()!.Replace("$__rate_interval", "10s"), ".*"))))
            .ToList();
        queries.Count.ShouldBeGreaterThan(20);

        using var stop = new CancellationTokenSource();
        var use = UseAsync(stop.Token);
        try
        {
            await LocalCluster.UntilAsync(WithoutEmptyAsync, Patience, "");
        }
        catch (TimeoutException)
        {
            queries.ShouldBeEmpty("no data");
        }
        finally
        {
            await stop.CancelAsync();
            await use;
        }

        async Task<bool> WithoutEmptyAsync()
        {
            foreach (var query in queries.ToList())
                if ((await cluster.Prometheus.QueryAsync(query.Query)).Count > 0) queries.Remove(query);
            return queries.Count == 0;
        }
    }

    /// <summary>One trace, from the caller's span through both programs to the statement in PostgreSQL.</summary>
    [Fact]
    public async Task Trace_OfACallersHeart_ReachesTheLedger()
    {
        const string Trace = "4bf92f3577b34da6a3ce929d0e0e4736";
        const string Caller = "00f067aa0ba902b7";
        var path = new List<(string Service, string Span)>();

        (await cluster.GiveAsync($"00-{Trace}-{Caller}-01")).ShouldBe(HttpStatusCode.Created);

        await LocalCluster.UntilAsync(() => Task.FromResult(IsWhole(cluster.SpansOf(Trace).ToDictionary(static span => span.Id))), Patience, "spans are missing");
        path.ShouldBe(
        [
            ("HeartGrains.Gateway", "POST /api/v1/hearts"), ("HeartGrains.Gateway", "IHeartGrain/GiveAsync"), ("HeartGrains.Silo", "IHeartGrain/GiveAsync"),
            ("HeartGrains.Silo", "ledger append"), ("HeartGrains.Silo", "ledger commit"), ("HeartGrains.Silo", "postgresql"),
        ]);

        // From the statement of the commit up to the caller.
        bool IsWhole(Dictionary<string, ReceivedSpan> spans)
        {
            path.Clear();
            var span = spans.Values.FirstOrDefault(last => last.Name == "postgresql" && spans.TryGetValue(last.Parent, out var parent) && parent.Name == "ledger commit");
            for (; span is not null; span = spans.GetValueOrDefault(span.Parent))
            {
                path.Insert(0, (span.Service, span.Name));
                if (span.Parent == Caller) return true;
            }

            return false;
        }
    }

    [Fact]
    public async Task Rules_Evaluated_AreAllWell()
    {
        await LocalCluster.UntilAsync(async () => (await RulesAsync()).All(static rule => rule.Health != "unknown"), Patience, "rules were not evaluated");
        (await RulesAsync()).Where(static rule => rule.Health != "ok").ShouldBeEmpty();
    }

    private async Task<IReadOnlyList<(string Name, string Health)>> RulesAsync()
    {
        using var answer = JsonDocument.Parse(await cluster.Prometheus.GetAsync("/api/v1/rules"));
        return
        [
            .. answer.RootElement.GetProperty("data").GetProperty("groups").EnumerateArray()
                .SelectMany(static group => group.GetProperty("rules").EnumerateArray())
                .Select(static rule => (rule.GetProperty("name").GetString()!, rule.GetProperty("health").GetString()!)),
        ];
    }

    private async Task<double> OneAsync(string query) => (await cluster.Prometheus.QueryAsync(query)).ShouldHaveSingleItem();

    private Task BecomesAsync(string query, Func<double, bool> condition) => LocalCluster.UntilAsync(
        async () => await cluster.Prometheus.QueryAsync(query) is [var value] && condition(value), Patience, query);

    private async Task<int> GivenInARowAsync(IEnumerable<string> users)
    {
        var given = 0;
        foreach (var user in users)
        {
            if (await cluster.GiveAsync("after", user) is not (HttpStatusCode.Created or HttpStatusCode.OK)) return given;
            given++;
        }

        return given;
    }

    private async Task UseAsync(string[] users, CancellationToken stop)
    {
        for (var turn = 0; !stop.IsCancellationRequested; turn++)
        {
            await cluster.GiveAsync($"t{turn}", users[turn % users.Length]);
            await Task.Delay(Pause, TimeProvider.System, CancellationToken.None);
        }
    }

    private async Task UseAsync(CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            await cluster.GiveAsync();
            await cluster.ReadAsync();
            await Task.Delay(Pause, TimeProvider.System, CancellationToken.None);
        }
    }

    [GeneratedRegex(@"\$\{?[a-z_]+(:[a-z]+)?\}?", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1_000)]
    private static partial Regex Variable();

    [GeneratedRegex(@"^\| `(?<name>heartgrains_[a-z0-9_]+)` \| (?<type>[a-z]+) \| [^|]* \| (?<labels>[^|]*?) ?\| (?<of>[a-z]+) \|", RegexOptions.Multiline | RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1_000)]
    private static partial Regex TableRow();
}
