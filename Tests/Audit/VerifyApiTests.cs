using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using HeartGrains.Tests.Gateway;
using HeartGrains.Tests.Hearts;
using HeartGrains.Tests.Identity;
using Microsoft.Data.Sqlite;

namespace HeartGrains.Tests.Audit;

/// <summary>Comparison over HTTP, and in the background, of a <c>single</c> gateway with its file.</summary>
public sealed class VerifyApiTests : IAsyncLifetime
{
    private const string Key = "the-operator-key-of-a-test";
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("heartgrains-test-");
    private GatewayServer _server = null!;

    private HttpClient Client => _server.Client;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _server = new(
        [
            "--mode=single", $"--data={_folder.FullName}", "--HeartGrains:Audit:SealPeriod=00:00:00.010", "--HeartGrains:Audit:WatchPeriod=00:00:00.100",
            "--HeartGrains:Ledger:FoldPeriod=00:00:00.010", .. TestKeys.Switches(Key),
        ]);
        await _server.InitializeAsync();
        foreach (var user in (string[])["ann", "ben", "cid"]) (await Client.GiveAsync("post_1", user)).StatusCode.ShouldBe(HttpStatusCode.Created);
        await Client.WithdrawAsync("post_1", "ben");
    }

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        _folder.Delete(recursive: true);
    }

    [Fact]
    public async Task Post_Target_TellsThatAllAgreesAndTheHead()
    {
        await SealedAsync();
        var answer = await (await PostAsync("""{"target_id":"post_1"}""")).JsonAsync();

        answer.GetProperty("state").GetString().ShouldBe("finished");
        answer.GetProperty("agrees").GetBoolean().ShouldBeTrue(answer.ToString());
        (answer.GetProperty("version").GetInt64(), answer.GetProperty("count").GetInt64(), answer.GetProperty("findings").GetArrayLength()).ShouldBe((4, 2, 0));
        answer.GetProperty("head").GetProperty("hash").GetString()!.Length.ShouldBe(64);
        (await (await PostAsync("""{"target_id":"nobody's"}""")).JsonAsync()).GetProperty("agrees").GetBoolean().ShouldBeTrue();
    }

    [Fact]
    public async Task Post_CountChangedInTheTable_IsFoundMendedAndTold()
    {
        await SealedAsync();
        await TamperAsync("update heart_target set count = count + 40");

        var found = await (await PostAsync("""{"target_id":"post_1"}""")).JsonAsync();
        found.GetProperty("agrees").GetBoolean().ShouldBeFalse();
        found.GetProperty("findings")[0].GetProperty("kind").GetString().ShouldBe("count");
        (await Client.GetAsync("/api/v1/hearts/top", Cancellation).JsonAsync()).GetProperty("targets")[0].GetProperty("count").GetInt64().ShouldBe(42);

        var mended = await (await PostAsync("""{"target_id":"post_1","repair":true}""")).JsonAsync();
        (mended.GetProperty("agrees").GetBoolean(), mended.GetProperty("repaired").GetBoolean(), mended.GetProperty("left").GetArrayLength()).ShouldBe((true, true, 0));
        (await Client.GetAsync("/api/v1/hearts/top", Cancellation).JsonAsync()).GetProperty("targets")[0].GetProperty("count").GetInt64().ShouldBe(2);
        (await Client.ReadAsync("post_1").JsonAsync()).GetProperty("count").GetInt64().ShouldBe(2);
        await HeartSilo.UntilAsync(async () => (await EventsAsync()).Any(told => told.GetProperty("type").GetString() == "repaired" && told.GetProperty("target_id").GetString() == "post_1"));
    }

    [Fact]
    public async Task Post_Everything_FindsTheRowThatWasChangedAndTheSealThatWasKept()
    {
        await SealedAsync();
        var before = await VerifyAllAsync("{}");
        before.Findings.ShouldBeEmpty();
        (before.Events, before.Targets).ShouldBe((4, 1));
        var kept = before.Head.ToString();
        (await VerifyAllAsync("{\"since_seal\":" + kept + "}")).Findings.ShouldBeEmpty();
        (await VerifyAllAsync("{\"since_seal\":{\"number\":1,\"hash\":\"" + new string('0', 64) + "\"}}")).Findings.ShouldHaveSingleItem().GetProperty("kind").GetString().ShouldBe("chain");

        await TamperAsync("update heart_event set at_micros = at_micros - 1 where version = 3");

        (await VerifyAllAsync("{}")).Findings.Select(finding => finding.GetProperty("kind").GetString()).ShouldBe(["chain", "hearts"]);
    }

    [Fact]
    public async Task Watch_RowChangedInTheTable_IsCountedInTheBackground()
    {
        await SealedAsync();
        await HeartSilo.UntilAsync(async () => Value(await Client.GetStringAsync("/metrics", Cancellation), "heartgrains_verified_targets_total") > 0);
        var before = Drift(await Client.GetStringAsync("/metrics", Cancellation));
        await TamperAsync("delete from heart_current where version = 3");

        await HeartSilo.UntilAsync(async () => Drift(await Client.GetStringAsync("/metrics", Cancellation)) > before);

        static double Drift(string metrics) => Value(metrics, "heartgrains_drift_total{kind=\"hearts\"}");
        static double Value(string metrics, string series) => double.Parse(metrics.Split('\n').Single(line => line.StartsWith(series + " ", StringComparison.Ordinal))[series.Length..]);
    }

    private async Task<(List<JsonElement> Findings, long Events, long Targets, JsonElement Head)> VerifyAllAsync(string body)
    {
        var response = await PostAsync(body);
        response.StatusCode.ShouldBeOneOf(HttpStatusCode.OK, HttpStatusCode.Accepted);
        var job = await response.JsonAsync();
        await HeartSilo.UntilAsync(async () =>
        {
            if (job.GetProperty("state").GetString() == "done") return true;
            using var request = new HttpRequestMessage(HttpMethod.Get, "/api/v1/admin/jobs?id=" + job.GetProperty("id").GetString());
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", Key);
            job = await Client.SendAsync(request, Cancellation).JsonAsync();
            return false;
        });
        var progress = job.GetProperty("progress");
        return ([.. progress.GetProperty("findings").EnumerateArray()], progress.GetProperty("events").GetInt64(), progress.GetProperty("targets").GetInt64(), progress.GetProperty("head"));
    }

    private Task SealedAsync() => HeartSilo.UntilAsync(async () =>
        (await EventsAsync()).Length == 4 && (await Client.GetAsync("/api/v1/hearts/top", Cancellation).JsonAsync()).GetProperty("targets")[0].GetProperty("version").GetInt64() == 4);

    private async Task<JsonElement[]> EventsAsync()
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/api/v1/events");
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", Key);
        return [.. (await Client.SendAsync(request, Cancellation).JsonAsync()).GetProperty("events").EnumerateArray()];
    }

    private Task<HttpResponseMessage> PostAsync(string body)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, "/api/v1/admin/verify") { Content = new StringContent(body, Encoding.UTF8, "application/json") };
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", Key);
        return Client.SendAsync(request, Cancellation);
    }

    private async Task TamperAsync(string sql)
    {
        await using var connection = new SqliteConnection($"Data Source={_folder.FullName}/hearts.db;Pooling=false");
        await connection.OpenAsync(Cancellation);
        await using var command = connection.CreateCommand();
        command.CommandText = "drop trigger if exists heart_event_keep_values; " + sql;
        await command.ExecuteNonQueryAsync(Cancellation);
    }
}
