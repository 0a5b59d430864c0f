using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using HeartGrains.Tests.Identity;

namespace HeartGrains.Tests.Cluster;

/// <summary>Breakers of a real cluster: an operator's hand reaches all of it, and one dependency's trouble stays with its own breaker.</summary>
[Collection(nameof(AloneCollection))]
public sealed class BreakerClusterTests(BreakerCluster cluster) : IClassFixture<BreakerCluster>
{
    private const int InARow = 50;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task Post_ForcedOpen_ReachesEveryGatewayWithinTwoSeconds()
    {
        var (first, second) = (Client(0), Client(1));
        await LocalCluster.UntilAsync(async () => await IsGivenAsync(first) && await IsGivenAsync(second), Patience, "no heart is given");

        var told = TimeProvider.System.GetTimestamp();
        await ForceAsync(first, "hearts", """{"state":"forced_open","for":"5m","reason":"a drill"}""");
        await LocalCluster.UntilAsync(async () => await StateAsync(second, "hearts") == "forced_open", Patience, "the second does not follow");
        TimeProvider.System.GetElapsedTime(told).ShouldBeLessThan(TimeSpan.FromSeconds(2));
        using var refused = await GiveAsync(second);
        refused.StatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable);

        await ForceAsync(second, "hearts", """{"state":"auto","reason":"over"}""");
        await LocalCluster.UntilAsync(async () => await IsGivenAsync(first) && await IsGivenAsync(second), Patience, "the first does not follow");
    }

    /// <summary>A store that hangs may be why there is an order: the two seconds hold all the same.</summary>
    [Fact]
    public async Task Post_PostgresHangs_ReachesEveryGatewayWithinTwoSeconds()
    {
        var (first, second) = (Client(0), Client(1));
        await LocalCluster.UntilAsync(async () => await IsGivenAsync(first) && await IsGivenAsync(second), Patience, "no heart is given");
        var postgres = (await cluster.MembersAsync("postgres")).Single().ProcessId;
        await LocalCluster.SignalTreeAsync(postgres, "STOP");
        try
        {
            var told = TimeProvider.System.GetTimestamp();
            await ForceAsync(first, "hearts", """{"state":"forced_open","for":"5m","reason":"the database hangs"}""");
            await LocalCluster.UntilAsync(async () => await StateAsync(second, "hearts") == "forced_open", Patience, "the second does not follow");
            TimeProvider.System.GetElapsedTime(told).ShouldBeLessThan(TimeSpan.FromSeconds(2));
        }
        finally
        {
            await LocalCluster.SignalTreeAsync(postgres, "CONT");
            await ForceAsync(first, "hearts", """{"state":"auto","reason":"over"}""");
        }

        await LocalCluster.UntilAsync(async () => await IsGivenAsync(first) && await IsGivenAsync(second), Patience, "no heart is given again");
    }

    [Fact]
    public async Task Get_SilosHang_AnswersSoonThatTheirsAreNotKnown()
    {
        var client = Client(0);
        await LocalCluster.UntilAsync(() => IsGivenAsync(client), Patience, "no heart is given");
        var silos = await cluster.MembersAsync("silo");
        foreach (var silo in silos) await LocalCluster.SignalAsync(silo.ProcessId, "STOP");
        try
        {
            var asked = TimeProvider.System.GetTimestamp();
            var shown = await client.GetFromJsonAsync<JsonElement>("/api/v1/breakers");
            TimeProvider.System.GetElapsedTime(asked).ShouldBeLessThan(TimeSpan.FromSeconds(1.5));
            shown.GetProperty("silos").ValueKind.ShouldBe(JsonValueKind.Null);
            shown.GetProperty("breakers").GetArrayLength().ShouldBe(2);
        }
        finally
        {
            foreach (var silo in silos) await LocalCluster.SignalAsync(silo.ProcessId, "CONT");
        }

        await LocalCluster.UntilAsync(() => IsGivenAsync(client), Patience, "no heart is given again");
    }

    /// <summary>The silos' ledger is told through a gateway, and theirs alone opens: the gateways go on asking silos.</summary>
    [Fact]
    public async Task Post_LedgerForcedOpen_RefusesHeartsAndLeavesOtherBreakersClosed()
    {
        var client = Client(0);
        await LocalCluster.UntilAsync(() => IsGivenAsync(client), Patience, "no heart is given");
        var silos = (await cluster.MembersAsync("silo")).Count;
        await ForceAsync(client, "ledger", """{"state":"forced_open","for":"5m","reason":"a drill"}""");

        // Each silo follows by itself.
        await LocalCluster.UntilAsync(async () => await InARowAsync(client, "ledger-unavailable") == InARow, Patience, "the silos do not follow");
        (await StateAsync(client, "hearts")).ShouldBe("closed");
        (await StateAsync(client, "quota")).ShouldBe("closed");
        await LocalCluster.UntilAsync(async () => await LedgersAsync(client, "forced_open", "a drill") == silos, Patience, "the silos do not tell");
        await ForceAsync(client, "ledger", """{"state":"auto","reason":"over"}""");
        await LocalCluster.UntilAsync(async () => await InARowAsync(client, code: null) == InARow, Patience, "not all silos let go");
        await LocalCluster.UntilAsync(async () => await LedgersAsync(client, "closed", "over") == silos, Patience, "the silos do not tell");
    }

    private HttpClient Client(int gateway) => new() { BaseAddress = cluster.Gateways[gateway], Timeout = TimeSpan.FromSeconds(10) };

    private static Task<HttpResponseMessage> GiveAsync(HttpClient client) =>
        client.PostAsJsonAsync("/api/v1/hearts", new { target_id = $"t{Random.Shared.Next(50)}", user_id = $"{Guid.NewGuid():N}" });

    private static async Task<bool> IsGivenAsync(HttpClient client)
    {
        using var answer = await GiveAsync(client);
        return answer.StatusCode == HttpStatusCode.Created;
    }

    /// <summary>How many hearts in a row were answered with a code, up to so many that every silo was asked; null stands for given.</summary>
    private static async Task<int> InARowAsync(HttpClient client, string? code)
    {
        var answers = 0;
        while (answers < InARow && await CodeAsync(client) == code) answers++;
        return answers;
    }

    private static async Task<string?> CodeAsync(HttpClient client)
    {
        using var answer = await GiveAsync(client);
        return answer.IsSuccessStatusCode ? null : (await answer.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("code").GetString();
    }

    private static async Task<string?> StateAsync(HttpClient client, string name) =>
        (await client.GetFromJsonAsync<JsonElement>("/api/v1/breakers")).GetProperty("breakers").EnumerateArray()
            .Single(breaker => breaker.GetProperty("name").GetString() == name).GetProperty("state").GetString();

    /// <summary>How many silos tell that their ledger's breaker stands so.</summary>
    private static async Task<int> LedgersAsync(HttpClient client, string state, string reason)
    {
        var silos = (await client.GetFromJsonAsync<JsonElement>("/api/v1/breakers")).GetProperty("silos");
        if (silos.ValueKind == JsonValueKind.Null) return 0;
        return silos.EnumerateArray()
            .Where(silo => silo.GetProperty("silo").GetString()!.StartsWith("http://127.0.0.1:", StringComparison.Ordinal))
            .Select(silo => silo.GetProperty("breakers").EnumerateArray().Single(breaker => breaker.GetProperty("name").GetString() == "ledger"))
            .Count(ledger => ledger.GetProperty("state").GetString() == state && ledger.GetProperty("reason").GetString() == reason);
    }

    private static async Task ForceAsync(HttpClient client, string name, string body)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/api/v1/breakers/" + name);
        request.Content = new StringContent(body, new MediaTypeHeaderValue("application/json"));
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", BreakerCluster.OperatorKey);
        using var answer = await client.SendAsync(request);
        answer.StatusCode.ShouldBe(HttpStatusCode.OK, await answer.Content.ReadAsStringAsync());
        (await answer.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("reaches").GetString().ShouldBe("cluster");
    }
}

/// <summary>Two silos and two gateways that know an operator.</summary>
public sealed class BreakerCluster() : LocalCluster(silos: 2, gateways: 2, TestKeys.Settings(OperatorKey))
{
    public const string OperatorKey = "an-operators-key-of-tests";
}
