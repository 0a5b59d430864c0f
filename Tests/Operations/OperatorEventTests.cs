using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using HeartGrains.Tests.Gateway;
using HeartGrains.Tests.Hearts;
using HeartGrains.Tests.Identity;

namespace HeartGrains.Tests.Operations;

/// <summary>What operators order is in the log of events, with the name of their key.</summary>
public sealed class OperatorEventTests : IAsyncLifetime
{
    private const string Key = "the key of an operator of tests";

    private readonly GatewayServer _server = new(
    [
        "--HeartGrains:Audit:SealPeriod=00:00:00.010", "--HeartGrains:Audit:WatchPeriod=00:00:00", "--HeartGrains:Webhooks:Endpoints:0:Name=crm", "--HeartGrains:Webhooks:Endpoints:0:Url=http://127.0.0.1:9/",
        "--HeartGrains:Webhooks:Endpoints:0:Secret=whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD", "--HeartGrains:Audit:KeepNetworks=true", .. TestKeys.Switches(Key, "hearts:admin,hearts:write", "ada"),
    ]);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        await _server.InitializeAsync();
        _server.Client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", Key);
    }

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Fact]
    public async Task Orders_Each_AreEventsWithTheKeysName()
    {
        await OrderAsync(HttpMethod.Delete, "quota?user_id=ann");
        await OrderAsync(HttpMethod.Post, "breakers/hearts", """{"state":"closed","for":"10m","reason":"a drill"}""");
        await OrderAsync(HttpMethod.Post, "breakers/hearts", """{"state":"auto","reason":"it is over"}""");
        await OrderAsync(HttpMethod.Post, "admin/webhooks/resend", """{"endpoint":"crm","target_id":"post_1"}""");

        (await EventsAsync(4)).ShouldBe(
        [
            "quota_reset user_id=ann",
            "breaker_closed subject=hearts reason=a drill",
            "breaker_auto subject=hearts reason=it is over",
            "webhooks_resent target_id=post_1 subject=crm",
        ]);
    }

    [Fact]
    public async Task Openings_ImportedAndMoved_AreEventsAndPartOfThePast()
    {
        var began = TimeProvider.System.GetUtcNow();
        for (var time = 0; time < 2; time++) await OrderAsync(HttpMethod.Post, "imports/applause", """[{"url":"https://a.example/page","claps":5012}]""");
        var imported = TimeProvider.System.GetUtcNow();
        await OrderAsync(HttpMethod.Post, "admin/targets/move", """{"from":"applause:a.example/page","to":"post_1","reason":"one page"}""");

        (await EventsAsync(4)).ShouldBe(
        [
            "opening_set target_id=applause:a.example/page opening=5012 opening_before=0 reason=imported from applause-button",
            "moved target_id=applause:a.example/page to=post_1 reason=one page",
            "opening_set target_id=applause:a.example/page opening=0 opening_before=5012 reason=one page",
            "opening_set target_id=post_1 opening=5012 opening_before=0 reason=one page",
        ]);
        (await OpeningAsync("applause:a.example/page", began)).ShouldBeNull();
        (await OpeningAsync("applause:a.example/page", imported)).ShouldBe(5012);
        (await OpeningAsync("post_1", imported)).ShouldBeNull();
        (await OpeningAsync("post_1", TimeProvider.System.GetUtcNow())).ShouldBe(5012);
    }

    [Fact]
    public async Task Operations_Long_TellWhatWasDecidedAndWhereFrom()
    {
        await OrderAsync(HttpMethod.Post, "admin/users/block", """{"user_id":"eve","until":"2031-01-31T12:00:00+01:00","reason":"sells hearts"}""");
        foreach (var user in (string[])["ann", "ben"]) await _server.Client.GiveAsync("post_1", user);
        var held = await OrderAsync(HttpMethod.Post, "admin/quarantine", """{"target_id":"post_1","from":"2026-01-31T12:00:00Z","until":"2031-01-31T12:00:00Z","user_ids":["ann","ben"],"reason":"a farm"}""");
        var id = held.GetProperty("id").GetString()!;
        await OrderAsync(HttpMethod.Post, "admin/quarantine/release", $$"""{"id":"{{id}}","reason":"friends"}""");
        await OrderAsync(HttpMethod.Post, "identity/merge", $$"""{"user_id":"ann","reader_token":"{{await BecomeReaderAsync()}}"}""");
        await OrderAsync(HttpMethod.Delete, "users?user_id=ann");

        var events = await TellAsync(20);

        var until = events.Single(told => Type(told) == "quarantined").GetProperty("until").GetDateTimeOffset();
        (TimeProvider.System.GetUtcNow() - until).TotalHours.ShouldBeInRange(0, 1, "it ends when it is ordered, at the latest");
        Lines(events.Where(static told => !told.TryGetProperty("heart", out _)), "until", "user_id").ShouldBe(
        [
            "blocked reason=sells hearts",
            "quarantined target_id=post_1 since=2026-01-31T12:00:00.000000Z users=2 reason=a farm",
            $"released quarantine={id} reason=friends",
            "merged moved=1 already=1",
            "merged moved=1 already=1",
            "erasing",
            "erased hearts=2 rows=12",
        ]);
        events.Single(static told => Type(told) == "blocked").GetProperty("until").GetString().ShouldBe("2031-01-31T11:00:00.000000Z");
        foreach (var told in events)
        {
            var isForgotten = told.TryGetProperty("user_id", out var user) && user.GetString()!.StartsWith("erased:", StringComparison.Ordinal);
            (told.TryGetProperty("network", out var network) ? network.GetString() : null).ShouldBe(isForgotten ? null : "127.0.0.0/24", told.ToString());
            told.ToString().ShouldNotContain("\"ann\"");
            told.ToString().ShouldNotContain("reader:");
        }

        (await OrderAsync(HttpMethod.Post, "admin/verify", "{}")).GetProperty("progress").GetProperty("agrees").GetBoolean().ShouldBeTrue();
    }

    /// <summary>The token of a reader who loves what ann loves, and something else.</summary>
    private async Task<string> BecomeReaderAsync()
    {
        using var client = new HttpClient { BaseAddress = _server.Url };
        client.DefaultRequestHeaders.Add("Origin", _server.Url.GetLeftPart(UriPartial.Authority));
        using var given = await client.PostJsonAsync(HeartClient.Hearts, """{"target_id":"post_1"}""");
        given.EnsureSuccessStatusCode();
        (await client.PostJsonAsync(HeartClient.Hearts, """{"target_id":"post_2"}""")).EnsureSuccessStatusCode();
        return Uri.UnescapeDataString(given.Headers.GetValues("Set-Cookie").Single().Split(';')[0].Split('=')[1]);
    }

    private async Task<JsonElement> OrderAsync(HttpMethod method, string call, string? body = null)
    {
        using var request = new HttpRequestMessage(method, "/api/v1/" + call);
        if (body is not null) request.Content = new StringContent(body, Encoding.UTF8, "application/json");
        using var answer = await _server.Client.SendAsync(request, Cancellation);
        answer.IsSuccessStatusCode.ShouldBeTrue(await answer.Content.ReadAsStringAsync(Cancellation));
        var answered = await answer.JsonAsync();
        while (answer.Headers.Location is { } place && answered.GetProperty("state").GetString() is "running" or "holding" or "releasing") answered = await _server.Client.GetAsync(place, Cancellation).JsonAsync();
        return answered;
    }

    private async Task<long?> OpeningAsync(string targetId, DateTimeOffset at)
    {
        using var answer = await _server.Client.GetAsync($"/api/v1/hearts?target_id={Uri.EscapeDataString(targetId)}&as_of={at.UtcDateTime:yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'}", Cancellation);
        return (await answer.JsonAsync()).TryGetProperty("opening", out var opening) ? opening.GetInt64() : null;
    }

    /// <summary>All events once so many are sealed, without what is different each time.</summary>
    private async Task<string[]> EventsAsync(int count)
    {
        var events = await TellAsync(count);
        events.ShouldAllBe(told => told.GetProperty("actor").GetString() == "key:ada" && told.GetProperty("network").GetString() == "127.0.0.0/24");
        return Lines(events);
    }

    private async Task<JsonElement[]> TellAsync(int count)
    {
        JsonElement[] events = [];
        await HeartSilo.UntilAsync(async () =>
        {
            using var answer = await _server.Client.GetAsync("/api/v1/events", Cancellation);
            events = [.. (await answer.JsonAsync()).GetProperty("events").EnumerateArray()];
            return events.Length >= count;
        });
        return events;
    }

    private static string Type(JsonElement told) => told.GetProperty("type").GetString()!;

    private static string[] Lines(IEnumerable<JsonElement> events, params string[] without) =>
        [.. events.Select(told => string.Join(' ', told.EnumerateObject().Where(field => field.Name is not ("id" or "version" or "at" or "actor" or "network" or "job") && !without.Contains(field.Name))
            .Select(static field => field.Name == "type" ? field.Value.ToString() : $"{field.Name}={field.Value}")))];
}
