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

/// <summary>The log over HTTP, and targets as they were; all tests share a server, and each begins where the log ends.</summary>
public sealed class EventApiTests(EventApiTests.Server server) : IClassFixture<EventApiTests.Server>, IAsyncLifetime
{
    private const string Key = "the-operator-key-of-a-test";
    private readonly string _post = HeartClient.Fresh("post_");
    private string _start = "";

    private HttpClient Client => server.Gateway.Client;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <summary>What was given before it is before it in the log.</summary>
    public async ValueTask InitializeAsync()
    {
        var mark = HeartClient.Fresh("mark_");
        await Client.GiveAsync(mark, "ann");
        await HeartSilo.UntilAsync(async () =>
        {
            var page = await (await GetAsync("target_id=" + mark)).JsonAsync();
            _start = "after=" + page.GetProperty("next").GetString();
            return page.GetProperty("events").GetArrayLength() == 1;
        });
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    [Fact]
    public async Task Get_HeartsAndDecisions_TellsEachWithItsStableId()
    {
        var first = await Client.GiveAsync(_post, "ann").JsonAsync();
        await Client.GiveAsync(_post, "ben \"quoted\"");
        await Client.WithdrawAsync(_post, "ann");
        await DecideAsync($$"""{"action":"frozen","reason":"spam \"wave\"","target_id":"{{_post}}_2"}""", _post + "_2");
        await DecideAsync("""{"action":"repaired","reason":"verify"}""", _post);
        var events = await EventsAsync(5);

        events.Select(told => told.GetProperty("type").GetString()).ShouldBe(["given", "given", "withdrawn", "frozen", "repaired"]);
        events[0].EnumerateObject().Select(field => field.Name).ShouldBe(["id", "type", "target_id", "user_id", "heart", "version", "at", "actor"]);
        events[0].GetProperty("heart").GetString().ShouldBe(first.GetProperty("id").GetString());
        events[0].GetProperty("at").GetString().ShouldBe(first.GetProperty("timestamp").GetString());
        events[0].GetProperty("actor").GetString().ShouldBe("claimed");
        events[0].GetProperty("id").GetString()!.ShouldMatch("^e[A-Za-z0-9_-]{32}$");
        (events[1].GetProperty("user_id").GetString(), events[1].GetProperty("version").GetInt64()).ShouldBe(("ben \"quoted\"", 2));
        (events[3].GetProperty("target_id").GetString(), events[3].GetProperty("reason").GetString(), events[3].GetProperty("actor").GetString()).ShouldBe((_post + "_2", "spam \"wave\"", "key:operator"));
        (events[4].GetProperty("target_id").GetString(), events[4].TryGetProperty("heart", out _), events[4].TryGetProperty("user_id", out _)).ShouldBe((_post, false, false));
        events.Select(told => told.GetProperty("id").GetString()).ShouldBeUnique();
    }

    [Fact]
    public async Task Get_PageByPage_TellsTheSameAsOneAnswerAndEndsWhereItIs()
    {
        for (var i = 0; i < 7; i++) await Client.GiveAsync($"{_post}_{i % 3}", $"u{i}");
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
        (await FilteredAsync($"target_id={_post}_1")).ShouldBe(all.Where(told => told.GetProperty("target_id").GetString() == _post + "_1").Select(IdOf));
        (await FilteredAsync("user_id=u4")).ShouldBe([IdOf(all[4])]);
        (await FilteredAsync($"user_id=u4&target_id={_post}_2")).ShouldBeEmpty();
        (await FilteredAsync("target_id=nobody")).ShouldBeEmpty();

        async Task<IEnumerable<string>> FilteredAsync(string query) => (await (await GetAsync(query)).JsonAsync()).GetProperty("events").EnumerateArray().Select(IdOf);
    }

    [Fact]
    public async Task Get_Waiting_AnswersWhenSomethingIsSealed()
    {
        var page = await (await GetAsync("")).JsonAsync();
        var waiting = GetAsync($"wait=20&after={page.GetProperty("next").GetString()}");
        await Client.GiveAsync(_post, "ann");

        (await (await waiting).JsonAsync()).GetProperty("events").GetArrayLength().ShouldBe(1);
    }

    [Fact]
    public async Task Get_AsLines_StreamsToTheEndAndTellsWhereToGoOn()
    {
        await FillAsync(server.Gateway, 1_234);
        await EventsAsync(1_000);

        var response = await GetAsync("", accept: "application/x-ndjson");
        response.Content.Headers.ContentType!.MediaType.ShouldBe("application/x-ndjson");
        var lines = (await response.Content.ReadAsStringAsync(Cancellation)).Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonSerializer.Deserialize<JsonElement>(line)).ToList();
        lines.Count.ShouldBe(1_235);
        lines.SkipLast(1).Select(line => line.GetProperty("version").GetInt64()).ShouldBe(Enumerable.Range(1, 1_234).Select(version => (long)version));
        var next = lines[^1].EnumerateObject().ShouldHaveSingleItem();
        next.Name.ShouldBe("next");

        await Client.GiveAsync(_post + "_2", "ann");
        await HeartSilo.UntilAsync(async () => (await LinesAsync()).Length == 2);
        async Task<string[]> LinesAsync() =>
            (await (await GetAsync($"after={next.Value.GetString()}", accept: "application/x-ndjson")).Content.ReadAsStringAsync(Cancellation)).Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }

    [Fact]
    public async Task Get_AsLinesByAClientThatGoesAway_EndsWithoutAComplaint()
    {
        await using var gateway = new GatewayServer(Server.Settings);
        await gateway.InitializeAsync();
        _start = "";
        await FillAsync(gateway, 60_000);
        await EventsAsync(1_000, gateway.Client);
        using (var request = Request("", "application/x-ndjson"))
        {
            using var response = await gateway.Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Cancellation);
            var body = await response.Content.ReadAsStreamAsync(Cancellation);
            await body.ReadExactlyAsync(new byte[1_000], Cancellation);
        }

        // It would wait half a minute for a request that goes on.
        await gateway.StopAsync().WaitAsync(TimeSpan.FromSeconds(60), TimeProvider.System, Cancellation);

        // What Orleans says of the machine at its start is no complaint.
        gateway.Log.Lines.Where(static line => !line.StartsWith("Note: ", StringComparison.Ordinal)).ShouldBeEmpty();
    }

    [Fact]
    public async Task GetHearts_AsOf_TellsTheStateThen()
    {
        var first = await Client.GiveAsync(_post, "ann").JsonAsync();
        await Client.GiveAsync(_post, "ben");
        await Client.WithdrawAsync(_post, "ann");
        var at = first.GetProperty("timestamp").GetString()!;

        (await AsOfAsync(at)).ToString().ShouldBe($$"""{"target_id":"{{_post}}","count":1,"version":1,"as_of":"{{at}}"}""");
        (await AsOfAsync("2001-01-01T00:00:00%2B01:00")).GetProperty("version").GetInt64().ShouldBe(0);
        var now = await AsOfAsync(TimeProvider.System.GetUtcNow().AddSeconds(30).ToString("yyyy-MM-dd'T'HH:mm:ss'Z'"));
        (now.GetProperty("count").GetInt64(), now.GetProperty("version").GetInt64()).ShouldBe((1, 3));

        async Task<JsonElement> AsOfAsync(string asOf) => await (await Client.GetAsync($"/api/v1/hearts?target_id={_post}&as_of={asOf}", Cancellation)).JsonAsync();
    }

    private static string IdOf(JsonElement told) => told.GetProperty("id").GetString()!;

    private Task<HttpResponseMessage> GetAsync(string query, string? accept = null) => Client.SendAsync(Request(query, accept), Cancellation);

    private HttpRequestMessage Request(string query, string? accept = null)
    {
        var request = new HttpRequestMessage(HttpMethod.Get, "/api/v1/events?" + (query.Contains("after=", StringComparison.Ordinal) ? query : $"{query}&{_start}".Trim('&')));
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", Key);
        if (accept is not null) request.Headers.Accept.ParseAdd(accept);
        return request;
    }

    /// <summary>The first events of the test, once so many are sealed.</summary>
    private async Task<JsonElement[]> EventsAsync(int count, HttpClient? client = null)
    {
        JsonElement[] events = [];
        await HeartSilo.UntilAsync(async () =>
        {
            var response = await (client ?? Client).SendAsync(Request("limit=1000"), Cancellation);
            response.StatusCode.ShouldBe(HttpStatusCode.OK);
            response.Headers.CacheControl!.NoStore.ShouldBeTrue();
            events = [.. (await response.JsonAsync()).GetProperty("events").EnumerateArray()];
            return events.Length >= count;
        });
        return events;
    }

    private static async Task FillAsync(GatewayServer gateway, int events)
    {
        var filled = HeartClient.Fresh("filled_");
        var target = gateway.Services.GetRequiredService<HeartKeys>().OfTarget(filled);
        var batch = Enumerable.Range(1, events).Select(version => new HeartEvent(target, version, filled, new HeartId((ulong)version, 1), $"u{version}", HeartEventKind.Given, version, 1));
        (await gateway.Services.GetRequiredService<IHeartLedger>().AppendAsync(batch.ToArray())).ShouldBe(AppendOutcome.Committed);
    }

    private async Task DecideAsync(string detail, string about)
    {
        var services = server.Gateway.Services;
        await services.GetRequiredService<IEventLog>().DecideAsync(
            new Decision(Random.Shared.NextInt64(), 1_750_000_000_000_000, services.GetRequiredService<HeartKeys>().OfTarget(about), "", default, new HeartOrigin("key:operator"), 0, detail), Cancellation);
    }

    /// <summary>A gateway that seals at once, and an operator's key.</summary>
    public sealed class Server : IAsyncLifetime
    {
        internal static string[] Settings { get; } = ["--HeartGrains:Audit:SealPeriod=00:00:00.010", "--HeartGrains:Audit:WatchPeriod=00:00:00", .. TestKeys.Switches(Key)];

        internal GatewayServer Gateway { get; } = new(Settings);

        /// <inheritdoc/>
        public ValueTask InitializeAsync() => Gateway.InitializeAsync();

        /// <inheritdoc/>
        public ValueTask DisposeAsync() => Gateway.DisposeAsync();
    }
}
