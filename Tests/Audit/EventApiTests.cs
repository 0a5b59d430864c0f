using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using HeartGrains.Audit;
using HeartGrains.Hearts;
using HeartGrains.Ledger;
using HeartGrains.Tests.Gateway;
using HeartGrains.Tests.Hearts;
using HeartGrains.Tests.Identity;
using Microsoft.Extensions.DependencyInjection;

namespace HeartGrains.Tests.Audit;

/// <summary>The log over HTTP, and targets as they were.</summary>
public sealed class EventApiTests : IAsyncLifetime
{
    private const string Key = "the-operator-key-of-a-test";
    private const string Reading = "a-key-that-only-reads-lists";

    private readonly GatewayServer _server = new(
    [
        "--HeartGrains:Audit:SealPeriod=00:00:00.010", "--HeartGrains:Audit:WatchPeriod=00:00:00",
        .. TestKeys.Switches(Key), .. TestKeys.Switches(Reading, "hearts:read", "reports", 1),
    ]);

    private HttpClient Client => _server.Client;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public ValueTask InitializeAsync() => _server.InitializeAsync();

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Fact]
    public async Task Get_WithoutTheScope_IsRefused()
    {
        await (await Client.GetAsync("/api/v1/events", Cancellation)).ShouldBeProblemAsync(401, "credentials-required");
        await (await GetAsync("", Reading)).ShouldBeProblemAsync(403, "scope-missing");
        await (await GetAsync("", "a-key-of-nobody-at-all")).ShouldBeProblemAsync(401, "invalid-token");
    }

    [Fact]
    public async Task Get_HeartsAndDecisions_TellsEachWithItsStableId()
    {
        var first = await Client.GiveAsync("post_1", "ann").JsonAsync();
        await Client.GiveAsync("post_1", "ben \"quoted\"");
        await Client.WithdrawAsync("post_1", "ann");
        await DecideAsync("""{"action":"frozen","reason":"spam \"wave\"","target_id":"post_2"}""", "post_2");
        await DecideAsync("""{"action":"repaired","reason":"verify"}""", "post_1");
        var events = await EventsAsync(5);

        events.Select(told => told.GetProperty("type").GetString()).ShouldBe(["given", "given", "withdrawn", "frozen", "repaired"]);
        events[0].EnumerateObject().Select(field => field.Name).ShouldBe(["id", "type", "target_id", "user_id", "heart", "version", "at", "actor"]);
        events[0].GetProperty("heart").GetString().ShouldBe(first.GetProperty("id").GetString());
        events[0].GetProperty("at").GetString().ShouldBe(first.GetProperty("timestamp").GetString());
        events[0].GetProperty("actor").GetString().ShouldBe("claimed");
        events[0].GetProperty("id").GetString()!.ShouldMatch("^e[A-Za-z0-9_-]{32}$");
        (events[1].GetProperty("user_id").GetString(), events[1].GetProperty("version").GetInt64()).ShouldBe(("ben \"quoted\"", 2));
        (events[3].GetProperty("target_id").GetString(), events[3].GetProperty("reason").GetString(), events[3].GetProperty("actor").GetString()).ShouldBe(("post_2", "spam \"wave\"", "key:operator"));
        (events[4].GetProperty("target_id").GetString(), events[4].TryGetProperty("heart", out _), events[4].TryGetProperty("user_id", out _)).ShouldBe(("post_1", false, false));
        events.Select(told => told.GetProperty("id").GetString()).ShouldBeUnique();
    }

    [Fact]
    public async Task Get_PageByPage_TellsTheSameAsOneAnswerAndEndsWhereItIs()
    {
        for (var i = 0; i < 7; i++) await Client.GiveAsync($"post_{i % 3}", $"u{i}");
        var all = await EventsAsync(7);

        var (paged, next) = (new List<string>(), "");
        while (true)
        {
            var page = await (await GetAsync($"limit=3{next}")).JsonAsync();
            paged.AddRange(page.GetProperty("events").EnumerateArray().Select(IdOf));
            next = "&after=" + page.GetProperty("next").GetString();
            if (!page.GetProperty("more").GetBoolean()) break;
        }

        paged.ShouldBe(all.Select(IdOf));
        var empty = await (await GetAsync($"limit=3{next}")).JsonAsync();
        (empty.GetProperty("events").GetArrayLength(), "&after=" + empty.GetProperty("next").GetString()).ShouldBe((0, next));
        (await FilteredAsync("target_id=post_1")).ShouldBe(all.Where(told => told.GetProperty("target_id").GetString() == "post_1").Select(IdOf));
        (await FilteredAsync("user_id=u4")).ShouldBe([IdOf(all[4])]);
        (await FilteredAsync("user_id=u4&target_id=post_2")).ShouldBeEmpty();
        (await FilteredAsync("target_id=nobody")).ShouldBeEmpty();

        async Task<IEnumerable<string>> FilteredAsync(string query) => (await (await GetAsync(query)).JsonAsync()).GetProperty("events").EnumerateArray().Select(IdOf);
    }

    [Theory]
    [InlineData("limit=0", "invalid-query", "limit")]
    [InlineData("limit=1001", "invalid-query", "limit")]
    [InlineData("limit=07", "invalid-query", "limit")]
    [InlineData("limit=", "invalid-query", "limit")]
    [InlineData("limit=1&limit=1", "invalid-query", "limit")]
    [InlineData("limit=%", "invalid-query", "limit")]
    [InlineData("wait=21", "invalid-query", "wait")]
    [InlineData("wait=-1", "invalid-query", "wait")]
    [InlineData("target_id=", "invalid-query", "target_id")]
    [InlineData("user_id=%00", "invalid-query", "user_id")]
    [InlineData("cursor=x", "invalid-query", "cursor")]
    [InlineData("after=", "invalid-cursor", "after")]
    [InlineData("after=AQAAAAAAAAABAQIDBAUGBwgJCgsMDQ4PEAAAAAAAAAABAAAAAAAA", "invalid-cursor", "after")]
    [InlineData("after=AQAAAAAAAAABAQIDBAUGBwgJCgsMDQ4PEAAAAAAAAAABAAAAAAAAA", "invalid-cursor", "after")]
    [InlineData("after=!", "invalid-cursor", "after")]
    public async Task Get_BadQuery_IsRefused(string query, string code, string field)
    {
        var problem = await (await GetAsync(query)).ShouldBeProblemAsync(400, code);
        problem.GetProperty("errors").EnumerateObject().Select(error => error.Name).ShouldBe([field]);
    }

    [Fact]
    public async Task Get_Waiting_AnswersWhenSomethingIsSealed()
    {
        var page = await (await GetAsync("")).JsonAsync();
        var waiting = GetAsync($"wait=20&after={page.GetProperty("next").GetString()}");
        await Client.GiveAsync("post_1", "ann");

        (await (await waiting).JsonAsync()).GetProperty("events").GetArrayLength().ShouldBe(1);
    }

    [Fact]
    public async Task Get_AsLines_StreamsToTheEndAndTellsWhereToGoOn()
    {
        await FillAsync(1_234);
        await EventsAsync(1_000);

        var response = await GetAsync("", accept: "application/x-ndjson");
        response.Content.Headers.ContentType!.MediaType.ShouldBe("application/x-ndjson");
        var lines = (await response.Content.ReadAsStringAsync(Cancellation)).Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonSerializer.Deserialize<JsonElement>(line)).ToList();
        lines.Count.ShouldBe(1_235);
        lines.SkipLast(1).Select(line => line.GetProperty("version").GetInt64()).ShouldBe(Enumerable.Range(1, 1_234).Select(version => (long)version));
        var next = lines[^1].EnumerateObject().ShouldHaveSingleItem();
        next.Name.ShouldBe("next");

        await Client.GiveAsync("post_2", "ann");
        await HeartSilo.UntilAsync(async () => (await LinesAsync()).Length == 2);
        async Task<string[]> LinesAsync() =>
            (await (await GetAsync($"after={next.Value.GetString()}", accept: "application/x-ndjson")).Content.ReadAsStringAsync(Cancellation)).Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }

    [Fact]
    public async Task Get_AsLinesByAClientThatGoesAway_EndsWithoutAComplaint()
    {
        await FillAsync(60_000);
        await EventsAsync(1_000);
        using (var request = new HttpRequestMessage(HttpMethod.Get, "/api/v1/events"))
        {
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", Key);
            request.Headers.Accept.ParseAdd("application/x-ndjson");
            using var response = await Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Cancellation);
            var body = await response.Content.ReadAsStreamAsync(Cancellation);
            await body.ReadExactlyAsync(new byte[1_000], Cancellation);
        }

        // It would wait half a minute for a request that goes on.
        await _server.StopAsync().WaitAsync(TimeSpan.FromSeconds(60), TimeProvider.System, Cancellation);

        // What Orleans says of the machine at its start is no complaint.
        _server.Log.Lines.Where(static line => !line.StartsWith("Note: ", StringComparison.Ordinal)).ShouldBeEmpty();
    }

    [Fact]
    public async Task GetHearts_AsOf_TellsTheStateThen()
    {
        var first = await Client.GiveAsync("post_1", "ann").JsonAsync();
        await Client.GiveAsync("post_1", "ben");
        await Client.WithdrawAsync("post_1", "ann");
        var at = first.GetProperty("timestamp").GetString()!;

        (await AsOfAsync(at)).ToString().ShouldBe($$"""{"target_id":"post_1","count":1,"version":1,"as_of":"{{at}}"}""");
        (await AsOfAsync("2001-01-01T00:00:00%2B01:00")).GetProperty("version").GetInt64().ShouldBe(0);
        var now = await AsOfAsync(TimeProvider.System.GetUtcNow().AddSeconds(30).ToString("yyyy-MM-dd'T'HH:mm:ss'Z'"));
        (now.GetProperty("count").GetInt64(), now.GetProperty("version").GetInt64()).ShouldBe((1, 3));

        async Task<JsonElement> AsOfAsync(string asOf) => await (await Client.GetAsync($"/api/v1/hearts?target_id=post_1&as_of={asOf}", Cancellation)).JsonAsync();
    }

    [Theory]
    [InlineData("as_of=")]
    [InlineData("as_of=yesterday")]
    [InlineData("as_of=2024-06-15")]
    [InlineData("as_of=2024-06-15T10:22:33")]
    [InlineData("as_of=2024-06-15T10:22:33+02:00")]
    [InlineData("as_of=1969-12-31T23:59:59Z")]
    [InlineData("as_of=2024-02-30T10:22:33Z")]
    [InlineData("as_of=9999-12-31T23:59:59Z")]
    [InlineData("as_of=0001-01-01T00:00:00%2B14:00")]
    [InlineData("as_of=2024-06-15T10:22:33Z&as_of=2024-06-15T10:22:33Z")]
    public async Task GetHearts_BadTime_IsRefused(string query)
    {
        var problem = await (await Client.GetAsync($"/api/v1/hearts?target_id=post_1&{query}", Cancellation)).ShouldBeProblemAsync(400, "invalid-query");
        problem.GetProperty("errors").EnumerateObject().Select(error => error.Name).ShouldBe(["as_of"]);
    }

    [Fact]
    public async Task GetHearts_AsOfWithAUser_IsRefused() =>
        await (await Client.GetAsync("/api/v1/hearts?target_id=post_1&user_id=ann&as_of=2024-06-15T10:22:33Z", Cancellation)).ShouldBeProblemAsync(400, "invalid-query");

    private static string IdOf(JsonElement told) => told.GetProperty("id").GetString()!;

    private Task<HttpResponseMessage> GetAsync(string query, string key = Key, string? accept = null)
    {
        var request = new HttpRequestMessage(HttpMethod.Get, "/api/v1/events?" + query);
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", key);
        if (accept is not null) request.Headers.Accept.ParseAdd(accept);
        return Client.SendAsync(request, Cancellation);
    }

    /// <summary>The first events, once so many are sealed.</summary>
    private async Task<JsonElement[]> EventsAsync(int count)
    {
        JsonElement[] events = [];
        await HeartSilo.UntilAsync(async () =>
        {
            var response = await GetAsync("limit=1000");
            response.StatusCode.ShouldBe(HttpStatusCode.OK);
            response.Headers.CacheControl!.NoStore.ShouldBeTrue();
            events = [.. (await response.JsonAsync()).GetProperty("events").EnumerateArray()];
            return events.Length >= count;
        });
        return events;
    }

    private async Task FillAsync(int events)
    {
        var target = _server.Services.GetRequiredService<HeartKeys>().OfTarget("filled");
        var batch = Enumerable.Range(1, events).Select(version => new HeartEvent(target, version, "filled", new HeartId((ulong)version, 1), $"u{version}", HeartEventKind.Given, version, 1));
        (await _server.Services.GetRequiredService<IHeartLedger>().AppendAsync(batch.ToArray())).ShouldBe(AppendOutcome.Committed);
    }

    private async Task DecideAsync(string detail, string about)
    {
        var target = _server.Services.GetRequiredService<HeartKeys>().OfTarget(about);
        await _server.Services.GetRequiredService<IEventLog>().DecideAsync(
            new Decision(Random.Shared.NextInt64(), 1_750_000_000_000_000, target, "", default, new HeartOrigin("key:operator"), 0, detail), Cancellation);
    }
}
