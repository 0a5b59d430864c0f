using System.Diagnostics;
using System.Globalization;
using System.Text.Json;

namespace HeartGrains.Tests.Infrastructure;

/// <summary>A private Prometheus that scrapes every second and evaluates the project's rules as often.</summary>
/// <param name="rules">The file of rules.</param>
public sealed class LocalPrometheus(string rules) : LocalServer
{
    private readonly HttpClient _client = new() { Timeout = TimeSpan.FromSeconds(10) };
    private string _targets = "";

    protected override string StopSignal => "TERM";

    private string Address => $"127.0.0.1:{Port}";

    /// <summary>Has it scrape an address under the name of a job; before its start.</summary>
    public void Scrape(string job, Uri url) =>
        _targets += $"  - job_name: {job}\n    static_configs: [{{ targets: ['{url.Authority}'] }}]\n";

    /// <summary>The values a query gives now, without those that are no number.</summary>
    public async Task<IReadOnlyList<double>> QueryAsync(string query)
    {
        using var answer = JsonDocument.Parse(await GetAsync($"/api/v1/query?query={Uri.EscapeDataString(query)}"));
        return
        [
            .. answer.RootElement.GetProperty("data").GetProperty("result").EnumerateArray()
                .Select(static series => double.Parse(series.GetProperty("value")[1].GetString()!, CultureInfo.InvariantCulture))
                .Where(static value => !double.IsNaN(value)),
        ];
    }

    /// <summary>What it answers to GET; throws with the answer's text unless it is good.</summary>
    public async Task<string> GetAsync(string path)
    {
        using var answer = await _client.GetAsync(new Uri($"http://{Address}{path}"));
        var text = await answer.Content.ReadAsStringAsync();
        return answer.IsSuccessStatusCode ? text : throw new InvalidOperationException($"{path}: {text}");
    }

    protected override Task PrepareAsync() => File.WriteAllTextAsync(
        $"{Folder}/prometheus.yml",
        $"""
        global:
          scrape_interval: 1s
          evaluation_interval: 1s
        rule_files: ['{rules}']
        scrape_configs:
        {_targets}
        """);

    protected override ProcessStartInfo Describe() => new(
        "prometheus",
        [$"--config.file={Folder}/prometheus.yml", $"--storage.tsdb.path={Folder}/data", $"--web.listen-address={Address}", "--log.level=error"]);

    protected override Task AskAsync() => GetAsync("/-/ready");

    protected override Task CleanUpAsync()
    {
        _client.Dispose();
        return Task.CompletedTask;
    }
}
