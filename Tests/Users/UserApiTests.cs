using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using HeartGrains.Gateway.Overload;
using HeartGrains.Jobs;
using HeartGrains.Tests.Gateway;
using HeartGrains.Tests.Hearts;
using HeartGrains.Tests.Identity;
using HeartGrains.Tests.Identity.Jwt;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace HeartGrains.Tests.Users;

/// <summary>Erasure, export and merge, as HTTP carries them.</summary>
public sealed class UserApiTests : IAsyncLifetime
{
    private const string Site = "https://blog.site.test";
    private const string Admin = "an-admin-key-of-tests-0123456789abcdef";
    private const string Writer = "a-writer-key-of-tests-0123456789abcdef";
    private readonly GatewayServer _server = new([
        $"--HeartGrains:Sites={Site}", "--HeartGrains:Auth:AllowClaimedUser=true", "--HeartGrains:Readers:IssueLimit=8", "--HeartGrains:Readers:IssuesPerHour=1", "--HeartGrains:Jobs:WakePeriod=00:10:00", "--HeartGrains:Overload:Enabled=true",
        .. TestKeys.Switches(Admin), .. TestKeys.Switches(Writer, "hearts:write", "school", 1), .. JwtServer.SettingsOf(TestSigner.SetOf(JwtServer.Ecdsa))]);

    private HttpClient Client => _server.Client;

    private string Own => _server.Url.GetLeftPart(UriPartial.Authority);

    public ValueTask InitializeAsync() => _server.InitializeAsync();

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Fact]
    public async Task Erase_ByAnOperator_TellsAReceiptAndCountsAreRight()
    {
        foreach (var target in (string[])["a", "b", "c"]) await Client.GiveAsync(target, "ann");
        await Client.GiveAsync("a", "ben");

        using var answer = await SendAsync(HttpMethod.Delete, "/api/v1/users?user_id=ann", key: Admin);

        var receipt = await answer.JsonAsync();
        answer.StatusCode.ShouldBe(HttpStatusCode.OK, receipt.ToString());
        (receipt.GetProperty("state").GetString(), receipt.GetProperty("hearts").GetInt32(), receipt.GetProperty("rows").GetInt32()).ShouldBe(("done", 3, 6));
        receipt.GetProperty("finished").GetDateTimeOffset().ShouldBeGreaterThanOrEqualTo(receipt.GetProperty("started").GetDateTimeOffset());
        receipt.ToString().ShouldNotContain("ann");
        (await Client.ReadAsync("a", "ann").JsonAsync()).GetProperty("count").GetInt32().ShouldBe(1);
        (await Client.ReadAsync("b").JsonAsync()).GetProperty("count").GetInt32().ShouldBe(0);

        using var job = await SendAsync(HttpMethod.Get, "/api/v1/admin/jobs?id=" + receipt.GetProperty("receipt").GetString(), key: Admin);
        var view = await job.JsonAsync();
        (view.GetProperty("kind").GetString(), view.GetProperty("actor").GetString(), view.GetProperty("progress").GetProperty("hearts").GetInt32()).ShouldBe(("erase-user", "key:operator", 3));
        view.ToString().ShouldNotContain("ann");

        // A new beginning.
        (await Client.GiveAsync("a", "ann")).StatusCode.ShouldBe(HttpStatusCode.Created);
        using var exported = await SendAsync(HttpMethod.Get, "/api/v1/users/export?user_id=ann", key: Admin);
        (await LinesAsync(exported)).Count(line => line.GetProperty("type").GetString() == "event").ShouldBe(1);
    }

    [Fact]
    public async Task Erase_ByTheReader_IsTheirsAloneAndNeedsAnAllowedOrigin()
    {
        using var given = await SendAsync(HttpMethod.Post, "/api/v1/hearts", Own, body: """{"target_id":"mine"}""");
        var cookie = given.Headers.GetValues("Set-Cookie").Single().Split(';')[0];
        foreach (var origin in (string?[])[null, "https://evil.test"])
            await (await SendAsync(HttpMethod.Delete, "/api/v1/users", origin, cookie)).ShouldBeProblemAsync(403, "origin-not-allowed");
        await (await SendAsync(HttpMethod.Delete, "/api/v1/users", Own)).ShouldBeProblemAsync(401, "credentials-required");

        using var exported = await SendAsync(HttpMethod.Get, "/api/v1/users/export", Own, cookie);
        exported.Content.Headers.ContentType!.MediaType.ShouldBe("application/x-ndjson");
        exported.Headers.CacheControl!.NoStore.ShouldBeTrue();
        var lines = await LinesAsync(exported);
        lines.Select(line => line.GetProperty("type").GetString()).Where(type => type != "quota").ShouldBe(["user", "event", "heart", "end"]);
        (lines[^1].GetProperty("hearts").GetInt32(), lines[^1].GetProperty("events").GetInt32()).ShouldBe((1, 1));

        using var erased = await SendAsync(HttpMethod.Delete, "/api/v1/users", Own, cookie);
        (await erased.JsonAsync()).GetProperty("hearts").GetInt32().ShouldBe(1);
        (await Client.ReadAsync("mine").JsonAsync()).GetProperty("count").GetInt32().ShouldBe(0);
    }

    [Fact]
    public async Task User_WithASignedToken_MergesTheReaderIsToldAndIsForgotten()
    {
        var token = JwtServer.Ecdsa.Sign("mia", TimeProvider.System.GetUtcNow());
        using var given = await SendAsync(HttpMethod.Post, "/api/v1/hearts", Own, body: """{"target_id":"read"}""");
        var cookie = given.Headers.GetValues("Set-Cookie").Single().Split(';')[0];

        using var merged = await MergeAsync("{}", Own, cookie, token);
        var answer = await merged.JsonAsync();
        (answer.GetProperty("user_id").GetString(), answer.GetProperty("moved").GetInt32()).ShouldBe(("mia", 1), answer.ToString());
        await (await MergeAsync("""{"user_id":"another"}""", Own, cookie, token)).ShouldBeProblemAsync(403, "user-mismatch");
        await (await SendAsync(HttpMethod.Delete, "/api/v1/users?user_id=another", key: token)).ShouldBeProblemAsync(403, "user-mismatch");
        using var exported = await SendAsync(HttpMethod.Get, "/api/v1/users/export", key: token);
        (await LinesAsync(exported)).ShouldContain(line => line.GetProperty("type").GetString() == "heart" && line.GetProperty("target_id").GetString() == "read");

        using var erased = await SendAsync(HttpMethod.Delete, "/api/v1/users?user_id=mia", key: token);

        (await erased.JsonAsync()).GetProperty("hearts").GetInt32().ShouldBe(1);
        (await Client.ReadAsync("read").JsonAsync()).GetProperty("count").GetInt32().ShouldBe(0);
    }

    [Fact]
    public async Task Merge_WithTheCookie_MovesTheHeartsAndTakesTheCookieAway()
    {
        using var given = await SendAsync(HttpMethod.Post, "/api/v1/hearts", Own, body: """{"target_id":"mine"}""");
        var cookie = given.Headers.GetValues("Set-Cookie").Single().Split(';')[0];
        await SendAsync(HttpMethod.Post, "/api/v1/hearts", Own, cookie, body: """{"target_id":"both"}""");
        await Client.GiveAsync("both", "ann");

        await (await MergeAsync("""{"user_id":"ann"}""", "https://evil.test", cookie)).ShouldBeProblemAsync(403, "origin-not-allowed");
        using var merged = await MergeAsync("""{"user_id":"ann"}""", Own, cookie);

        var answer = await merged.JsonAsync();
        merged.StatusCode.ShouldBe(HttpStatusCode.OK, answer.ToString());
        (answer.GetProperty("moved").GetInt32(), answer.GetProperty("already").GetInt32(), answer.GetProperty("targets").GetInt32()).ShouldBe((1, 1, 2));
        merged.Headers.GetValues("Set-Cookie").Single().ShouldBe("heart_reader=; max-age=0; path=/; samesite=lax; httponly");
        (await Client.ReadAsync("mine", "ann").JsonAsync()).ToString().ShouldContain("\"hearted\":true");
        (await Client.ReadAsync("both").JsonAsync()).GetProperty("count").GetInt32().ShouldBe(1);

        using var again = await MergeAsync("""{"user_id":"ann"}""", Own, cookie);
        (await again.JsonAsync()).GetProperty("targets").GetInt32().ShouldBe(0);
    }

    [Fact]
    public async Task Merge_ByAServer_TakesTheElementsTokenOfItsPageAndNoBareId()
    {
        using var issued = await SendAsync(HttpMethod.Post, "/api/v1/reader?store=element", Site);
        var token = (await issued.JsonAsync()).GetProperty("token").GetString()!;
        using var given = await SendAsync(HttpMethod.Post, "/api/v1/hearts", Site, token: token, body: """{"target_id":"theirs"}""");
        var reader = (await given.JsonAsync()).GetProperty("user_id").GetString();

        await (await MergeAsync($$"""{"user_id":"eve","reader_token":"{{reader}}"}""", key: Writer)).ShouldBeProblemAsync(400, "invalid-fields");
        await (await MergeAsync($$"""{"user_id":"eve","reader_token":"{{token}}"}""", key: Writer)).ShouldBeProblemAsync(400, "invalid-fields");
        await (await MergeAsync("""{"user_id":"eve"}""", key: Writer)).ShouldBeProblemAsync(400, "invalid-fields");
        await (await MergeAsync($$"""{"user_id":"{{reader}}","reader_token":"{{token}}"}""", key: Writer)).ShouldBeProblemAsync(400, "invalid-fields");
        await (await MergeAsync($$"""{"reader_token":"{{token}}"}""", key: Writer)).ShouldBeProblemAsync(400, "invalid-fields");
        await (await MergeAsync($$"""{"reader_token":"{{token}}"}""", Site)).ShouldBeProblemAsync(401, "credentials-required");

        using var merged = await MergeAsync($$"""{"user_id":"eve","reader_token":"{{token}}","reader_origin":"{{Site}}"}""", key: Writer);

        (await merged.JsonAsync()).GetProperty("moved").GetInt32().ShouldBe(1);
        (await Client.ReadAsync("theirs", "eve").JsonAsync()).ToString().ShouldContain("\"hearted\":true");
    }

    [Fact]
    public async Task Merge_TooOftenFromAnAddress_IsRefused()
    {
        using var given = await SendAsync(HttpMethod.Post, "/api/v1/hearts", Own, body: """{"target_id":"mine"}""");
        var cookie = given.Headers.GetValues("Set-Cookie").Single().Split(';')[0];
        for (var call = 0; call < 8; call++) (await MergeAsync("""{"user_id":"ann"}""", Own, cookie)).StatusCode.ShouldBe(HttpStatusCode.OK);

        using var refused = await MergeAsync("""{"user_id":"ann"}""", Own, cookie);

        await refused.ShouldBeProblemAsync(429, "quota-exceeded");
        refused.Headers.RetryAfter.ShouldNotBeNull();
    }

    [Fact]
    public async Task Erase_AndExportTooOftenFromAnAddress_AreRefusedAndServersAreNot()
    {
        using var given = await SendAsync(HttpMethod.Post, "/api/v1/hearts", Own, body: """{"target_id":"mine"}""");
        var cookie = given.Headers.GetValues("Set-Cookie").Single().Split(';')[0];
        for (var call = 0; call < 8; call++) (await SendAsync(HttpMethod.Delete, "/api/v1/users", Own, cookie)).StatusCode.ShouldBe(HttpStatusCode.OK);

        foreach (var (method, path) in ((HttpMethod, string)[])[(HttpMethod.Delete, "/api/v1/users"), (HttpMethod.Get, "/api/v1/users/export")])
        {
            using var refused = await SendAsync(method, path, Own, cookie);
            await refused.ShouldBeProblemAsync(429, "quota-exceeded");
            refused.Headers.RetryAfter.ShouldNotBeNull();
        }

        (await SendAsync(HttpMethod.Delete, "/api/v1/users?user_id=ann", key: Admin)).StatusCode.ShouldBe(HttpStatusCode.OK);
        (await SendAsync(HttpMethod.Get, "/api/v1/users/export?user_id=ann", key: Admin)).StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task Call_AddressOverItsLocalLimit_IsRefusedAsAnyOther()
    {
        await using var server = new GatewayServer(["--HeartGrains:LocalLimits:Address:TokenLimit=1", "--HeartGrains:LocalLimits:Address:TokensPerPeriod=1", "--HeartGrains:LocalLimits:Address:ReplenishmentPeriod=01:00:00"]);
        await server.InitializeAsync();
        await (await server.Client.DeleteAsync("/api/v1/users", Cancellation)).ShouldBeProblemAsync(401, "credentials-required");

        await (await server.Client.DeleteAsync("/api/v1/users", Cancellation)).ShouldBeProblemAsync(429, "quota-exceeded");
        await (await server.Client.GetAsync("/api/v1/users/export", Cancellation)).ShouldBeProblemAsync(429, "quota-exceeded");
    }

    [Fact]
    public async Task Erase_ThatGoesOn_SendsOnlyOperatorsToItsPlaceAndHoldsNobodyUp()
    {
        // Something that it has to wait for, and that nobody works on.
        var jobs = _server.Services.GetRequiredService<IJobStore>();
        var release = await jobs.OpenAsync(Job.Of(new JobOrder("release", "q", """{"id":"q","reason":"a test"}""", "key:op"), "subject", 1), Cancellation);
        var token = JwtServer.Ecdsa.Sign("mia", TimeProvider.System.GetUtcNow());
        await Client.GiveAsync("hers", "mia");
        var call = new DefaultHttpContext().Request;
        call.Method = "DELETE";
        var lane = _server.Services.GetRequiredService<OverloadGuard>().LaneOf(call);

        var erasing = SendAsync(HttpMethod.Delete, "/api/v1/users", key: token);
        var isPaused = false;
        await HeartSilo.UntilAsync(async () =>
        {
            // In this order: a call that has ended is not in flight either.
            isPaused = (await jobs.ListOpenOfKindAsync("erase-user", 1, Cancellation)).Count > 0 && lane.InFlight == 0 && !erasing.IsCompleted;
            return isPaused || erasing.IsCompleted;
        });
        isPaused.ShouldBeTrue();
        using var told = await erasing;
        (told.StatusCode, told.Headers.Location).ShouldBe((HttpStatusCode.Accepted, null));
        (await Client.ReadAsync("hers").JsonAsync()).GetProperty("count").GetInt32().ShouldBe(0);
        told.Headers.RetryAfter.ShouldNotBeNull();
        using var operators = await SendAsync(HttpMethod.Delete, "/api/v1/users?user_id=mia", key: Admin);
        (operators.StatusCode, operators.Headers.Location!.OriginalString).ShouldBe((HttpStatusCode.Accepted, "/api/v1/admin/jobs?id=" + (await told.JsonAsync()).GetProperty("receipt").GetString()));
        (await jobs.SaveAsync(release.After(JobPage.Failed("{}"), 2), Cancellation)).ShouldBeTrue();
        await HeartSilo.UntilAsync(async () => (await SendAsync(HttpMethod.Delete, "/api/v1/users", key: token)).StatusCode == HttpStatusCode.OK);
    }

    [Fact]
    public async Task Merge_IntoWhoIsBlocked_IsRefused()
    {
        using var given = await SendAsync(HttpMethod.Post, "/api/v1/hearts", Own, body: """{"target_id":"mine"}""");
        var cookie = given.Headers.GetValues("Set-Cookie").Single().Split(';')[0];
        using var blocked = await SendAsync(HttpMethod.Post, "/api/v1/admin/users/block", key: Admin, body: """{"user_id":"ann","for":"1h","reason":"a test"}""");
        blocked.StatusCode.ShouldBe(HttpStatusCode.OK);

        using var refused = await MergeAsync("""{"user_id":"ann"}""", Own, cookie);

        (await refused.ShouldBeProblemAsync(403, "user-blocked")).TryGetProperty("until", out _).ShouldBeTrue();
        refused.Headers.Contains("Set-Cookie").ShouldBeFalse();
        (await Client.ReadAsync("mine", "ann").JsonAsync()).ToString().ShouldContain("\"hearted\":false");
    }

    [Fact]
    public async Task Merge_CookieOfAnotherReaderOrWithHeartsLeft_LeavesTheCookie()
    {
        using var first = await SendAsync(HttpMethod.Post, "/api/v1/hearts", Own, body: """{"target_id":"both"}""");
        using var second = await SendAsync(HttpMethod.Post, "/api/v1/hearts", Own, body: """{"target_id":"mine"}""");
        string[] cookies = [.. ((HttpResponseMessage[])[first, second]).Select(answer => answer.Headers.GetValues("Set-Cookie").Single().Split(';')[0])];
        cookies[1].ShouldNotBe(cookies[0]);

        // The token of one, and the cookie of another.
        using var other = await MergeAsync($$"""{"user_id":"ann","reader_token":"{{Uri.UnescapeDataString(cookies[1].Split('=')[1])}}"}""", Own, cookies[0]);
        (await other.JsonAsync()).GetProperty("moved").GetInt32().ShouldBe(1);
        other.Headers.Contains("Set-Cookie").ShouldBeFalse();

        await Client.GiveAsync("both", "ann");
        (await SendAsync(HttpMethod.Post, "/api/v1/admin/targets/freeze", key: Admin, body: """{"target_id":"both","reason":"a test"}""")).StatusCode.ShouldBe(HttpStatusCode.OK);
        using var left = await MergeAsync("""{"user_id":"ann"}""", Own, cookies[0]);
        (await left.JsonAsync()).GetProperty("left").GetInt32().ShouldBe(1);
        left.Headers.Contains("Set-Cookie").ShouldBeFalse();
        (await Client.ReadAsync("both").JsonAsync()).GetProperty("count").GetInt32().ShouldBe(2);
    }

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private Task<HttpResponseMessage> MergeAsync(string body, string? origin = null, string? cookie = null, string? key = null) =>
        SendAsync(HttpMethod.Post, "/api/v1/identity/merge", origin, cookie, key, body);

    private static async Task<JsonElement[]> LinesAsync(HttpResponseMessage response) =>
        [.. (await response.Content.ReadAsStringAsync()).Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonSerializer.Deserialize<JsonElement>(line))];

    private async Task<HttpResponseMessage> SendAsync(
        HttpMethod method, string path, string? origin = null, string? cookie = null, string? key = null, string? body = null, string? token = null)
    {
        using var request = new HttpRequestMessage(method, path);
        if (origin is not null) request.Headers.Add("Origin", origin);
        if (cookie is not null) request.Headers.Add("Cookie", cookie);
        if (token is not null) request.Headers.Add("Heart-Reader", token);
        if (key is not null) request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", key);
        if (body is not null) request.Content = new StringContent(body, Encoding.UTF8, "application/json");
        return await Client.SendAsync(request, TestContext.Current.CancellationToken);
    }
}
