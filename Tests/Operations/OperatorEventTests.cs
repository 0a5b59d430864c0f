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
        "--HeartGrains:Webhooks:Endpoints:0:Secret=whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD", .. TestKeys.Switches(Key, name: "ada"),
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
            "moved target_id=applause:a.example/page reason=one page",
            "opening_set target_id=applause:a.example/page opening=0 opening_before=5012 reason=one page",
            "opening_set target_id=post_1 opening=5012 opening_before=0 reason=one page",
        ]);
        (await OpeningAsync("applause:a.example/page", began)).ShouldBeNull();
        (await OpeningAsync("applause:a.example/page", imported)).ShouldBe(5012);
        (await OpeningAsync("post_1", imported)).ShouldBeNull();
        (await OpeningAsync("post_1", TimeProvider.System.GetUtcNow())).ShouldBe(5012);
    }

    private async Task OrderAsync(HttpMethod method, string call, string? body = null)
    {
        using var request = new HttpRequestMessage(method, "/api/v1/" + call);
        if (body is not null) request.Content = new StringContent(body, Encoding.UTF8, "application/json");
        using var answer = await _server.Client.SendAsync(request, Cancellation);
        answer.IsSuccessStatusCode.ShouldBeTrue(await answer.Content.ReadAsStringAsync(Cancellation));
    }

    private async Task<long?> OpeningAsync(string targetId, DateTimeOffset at)
    {
        using var answer = await _server.Client.GetAsync($"/api/v1/hearts?target_id={Uri.EscapeDataString(targetId)}&as_of={at.UtcDateTime:yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'}", Cancellation);
        return (await answer.JsonAsync()).TryGetProperty("opening", out var opening) ? opening.GetInt64() : null;
    }

    /// <summary>All events once so many are sealed, without what is different each time.</summary>
    private async Task<string[]> EventsAsync(int count)
    {
        JsonElement[] events = [];
        await HeartSilo.UntilAsync(async () =>
        {
            using var answer = await _server.Client.GetAsync("/api/v1/events", Cancellation);
            events = [.. (await answer.JsonAsync()).GetProperty("events").EnumerateArray()];
            return events.Length >= count;
        });
        events.ShouldAllBe(told => told.GetProperty("actor").GetString() == "key:ada");
        return [.. events.Select(told => string.Join(' ', told.EnumerateObject().Where(static field => field.Name is not ("id" or "version" or "at" or "actor" or "job"))
            .Select(static field => field.Name == "type" ? field.Value.ToString() : $"{field.Name}={field.Value}")))];
    }
}
