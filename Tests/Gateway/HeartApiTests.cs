using System.Globalization;
using System.Net;
using System.Text.Json;

namespace HeartGrains.Tests.Gateway;

[Collection(GatewayCollection.Name)]
public sealed class HeartApiTests(GatewayServer server)
{
    private readonly HttpClient _client = server.Client;

    [Fact]
    public async Task Post_NewHeart_IsCreatedWithLocation()
    {
        var (target, user) = (HeartClient.Fresh("post_"), HeartClient.Fresh("u"));
        var response = await _client.GiveAsync(target, user);

        response.StatusCode.ShouldBe(HttpStatusCode.Created);
        response.Headers.Location!.OriginalString.ShouldBe($"/api/v1/hearts?target_id={target}&user_id={user}");
        response.Content.Headers.ContentType!.ToString().ShouldBe("application/json");
        var heart = await response.JsonAsync();
        heart.EnumerateObject().Select(field => field.Name).ShouldBe(["id", "target_id", "user_id", "count", "timestamp", "version", "created"]);
        heart.GetProperty("id").GetString()!.Length.ShouldBe(23);
        heart.GetProperty("target_id").GetString().ShouldBe(target);
        heart.GetProperty("user_id").GetString().ShouldBe(user);
        heart.GetProperty("count").GetInt64().ShouldBe(1);
        heart.GetProperty("version").GetInt64().ShouldBe(1);
        heart.GetProperty("created").GetBoolean().ShouldBeTrue();
        heart.GetProperty("timestamp").GetString()!.ShouldMatch(@"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$");
        var given = DateTimeOffset.Parse(heart.GetProperty("timestamp").GetString()!, CultureInfo.InvariantCulture);
        (TimeProvider.System.GetUtcNow() - given).Duration().ShouldBeLessThan(TimeSpan.FromMinutes(1));

        var located = await _client.GetAsync(response.Headers.Location).JsonAsync();
        located.GetProperty("hearted").GetBoolean().ShouldBeTrue();
    }

    [Fact]
    public async Task Post_Repeat_ReturnsTheFirstAnswer()
    {
        var (target, user) = (HeartClient.Fresh("post_"), HeartClient.Fresh("u"));
        var first = await _client.GiveAsync(target, user).JsonAsync();
        await _client.GiveAsync(target, HeartClient.Fresh("u"));
        var response = await _client.GiveAsync(target, user);
        var repeat = await response.JsonAsync();

        response.StatusCode.ShouldBe(HttpStatusCode.OK);
        response.Headers.Location.ShouldBeNull();
        repeat.GetProperty("created").GetBoolean().ShouldBeFalse();
        repeat.GetProperty("id").GetString().ShouldBe(first.GetProperty("id").GetString());
        repeat.GetProperty("timestamp").GetString().ShouldBe(first.GetProperty("timestamp").GetString());
        repeat.GetProperty("count").GetInt64().ShouldBe(2);
        repeat.GetProperty("version").GetInt64().ShouldBe(2);
    }

    [Fact]
    public async Task Delete_ThenPost_KeepsIdAndRenewsTimestamp()
    {
        var (target, user) = (HeartClient.Fresh("post_"), HeartClient.Fresh("u"));
        var first = await _client.GiveAsync(target, user).JsonAsync();

        var removed = await _client.WithdrawAsync(target, user).JsonAsync();
        removed.GetProperty("removed").GetBoolean().ShouldBeTrue();
        removed.GetProperty("count").GetInt64().ShouldBe(0);
        removed.GetProperty("version").GetInt64().ShouldBe(2);
        (await _client.WithdrawAsync(target, user).JsonAsync()).GetProperty("removed").GetBoolean().ShouldBeFalse();

        var again = await _client.GiveAsync(target, user).JsonAsync();
        again.GetProperty("created").GetBoolean().ShouldBeTrue();
        again.GetProperty("version").GetInt64().ShouldBe(3);
        again.GetProperty("id").GetString().ShouldBe(first.GetProperty("id").GetString());
        again.GetProperty("timestamp").GetString().ShouldNotBe(first.GetProperty("timestamp").GetString());
    }

    [Fact]
    public async Task Get_TargetNeverSeen_IsZero()
    {
        var response = await _client.ReadAsync(HeartClient.Fresh("post_"), "u1");
        var state = await response.JsonAsync();
        response.StatusCode.ShouldBe(HttpStatusCode.OK);
        response.Headers.ETag!.Tag.ShouldBe("\"0\"");
        response.Headers.CacheControl!.NoCache.ShouldBeTrue();
        state.GetProperty("count").GetInt64().ShouldBe(0);
        state.GetProperty("version").GetInt64().ShouldBe(0);
        state.GetProperty("hearted").GetBoolean().ShouldBeFalse();
    }

    [Fact]
    public async Task Get_WithoutUser_SaysNothingAboutOne()
    {
        var state = await _client.ReadAsync(HeartClient.Fresh("post_")).JsonAsync();
        state.EnumerateObject().Select(field => field.Name).ShouldBe(["target_id", "count", "version"]);
    }

    [Theory]
    [InlineData("\"1\"", true)]
    [InlineData("W/\"1\"", true)]
    [InlineData("*", true)]
    [InlineData("\"0\", W/\"x,y\", \"1\"", true)]
    [InlineData("\"0\"", false)]
    [InlineData("\"01\"", false)]
    [InlineData("1", false)]
    [InlineData("\"1", false)]
    public async Task Get_IfNoneMatch_AnswersNotModifiedWhenItNamesTheVersion(string ifNoneMatch, bool matches)
    {
        var target = HeartClient.Fresh("post_");
        await _client.GiveAsync(target, "u" + target);
        using var request = new HttpRequestMessage(HttpMethod.Get, $"{HeartClient.Hearts}?target_id={target}");
        request.Headers.TryAddWithoutValidation("If-None-Match", ifNoneMatch);
        var response = await _client.SendAsync(request);
        response.StatusCode.ShouldBe(matches ? HttpStatusCode.NotModified : HttpStatusCode.OK);
        response.Headers.ETag!.Tag.ShouldBe("\"1\"");
        if (matches) (await response.Content.ReadAsByteArrayAsync()).ShouldBeEmpty();
    }

    [Theory]
    [InlineData("?target_id=x")]
    [InlineData("/users?target_id=x")]
    [InlineData("/top")]
    public async Task Head_OnReadingRoutes_IsGetWithoutBody(string path)
    {
        using var request = new HttpRequestMessage(HttpMethod.Head, HeartClient.Hearts + path);
        var response = await _client.SendAsync(request);
        response.StatusCode.ShouldBe(HttpStatusCode.OK);
        response.Content.Headers.ContentLength!.Value.ShouldBeGreaterThan(0);
        (await response.Content.ReadAsByteArrayAsync()).ShouldBeEmpty();
    }

    [Fact]
    public async Task Query_ManyTargets_AnswersInTheOrderAsked()
    {
        var targets = Enumerable.Range(0, 100).Select(index => HeartClient.Fresh(new string('x', 200) + index)).ToArray();
        var user = HeartClient.Fresh("u");
        await _client.GiveAsync(targets[7], user);
        var answer = await _client.PostJsonAsync(HeartClient.Hearts + "/query", JsonSerializer.Serialize(new { target_ids = targets, user_id = user })).JsonAsync();
        var hearts = answer.GetProperty("hearts").EnumerateArray().ToArray();
        hearts.Select(heart => heart.GetProperty("target_id").GetString()).ShouldBe(targets);
        hearts.Select(heart => heart.GetProperty("hearted").GetBoolean()).ShouldBe(Enumerable.Range(0, 100).Select(index => index == 7));
        hearts[7].GetProperty("count").GetInt64().ShouldBe(1);
    }

    [Fact]
    public async Task Users_PagedWhileHeartsArrive_NeitherSkipsNorRepeats()
    {
        var target = HeartClient.Fresh("post_");
        var users = Enumerable.Range(0, 7).Select(_ => HeartClient.Fresh("u")).ToArray();
        foreach (var user in users) await _client.GiveAsync(target, user);
        var url = $"{HeartClient.Hearts}/users?target_id={target}&limit=3";
        await UntilAsync(async () => Users(await _client.GetAsync(url).JsonAsync()).Length == 3 && Users(await _client.GetAsync(url).JsonAsync())[0] == users[6]);

        var seen = new List<string>();
        for (string? cursor = null, next = url; next is not null; next = cursor is null ? null : $"{url}&cursor={cursor}")
        {
            var page = await _client.GetAsync(next).JsonAsync();
            seen.AddRange(Users(page));
            cursor = page.GetProperty("next_cursor").GetString();
            await _client.GiveAsync(target, HeartClient.Fresh("late"));
        }

        seen.ShouldBe(users.Reverse());
    }

    [Fact]
    public async Task Users_CursorOfAnotherTargetOrTampered_IsRefused()
    {
        var target = HeartClient.Fresh("post_");
        foreach (var user in (string[])["a", "b"]) await _client.GiveAsync(target, HeartClient.Fresh(user));
        var url = $"{HeartClient.Hearts}/users?target_id={target}&limit=1";
        string? cursor = null;
        await UntilAsync(async () => (cursor = (await _client.GetAsync(url).JsonAsync()).GetProperty("next_cursor").GetString()) is not null);

        (await _client.GetAsync($"{url}&cursor={cursor}")).StatusCode.ShouldBe(HttpStatusCode.OK);
        var tampered = (cursor![0] == 'A' ? 'B' : 'A') + cursor[1..];
        foreach (var bad in (string[])[$"{HeartClient.Hearts}/users?target_id={target}x&cursor={cursor}", $"{url}&cursor={tampered}", $"{url}&cursor={cursor}A"])
        {
            var problem = await (await _client.GetAsync(bad)).ShouldBeProblemAsync(400, "invalid-cursor");
            problem.GetProperty("errors").GetProperty("cursor").GetArrayLength().ShouldBe(1);
        }
    }

    [Fact]
    public async Task Top_AfterHearts_ListsByCount()
    {
        var target = HeartClient.Fresh("top_");
        for (var index = 0; index < 30; index++) await _client.GiveAsync(target, HeartClient.Fresh("u"));
        await UntilAsync(async () =>
        {
            var targets = (await _client.GetAsync(HeartClient.Hearts + "/top?limit=5").JsonAsync()).GetProperty("targets").EnumerateArray().ToArray();
            targets.Length.ShouldBeLessThanOrEqualTo(5);
            targets.Select(entry => entry.GetProperty("count").GetInt64()).ShouldBeInOrder(SortDirection.Descending);
            return targets.Any(entry => entry.GetProperty("target_id").GetString() == target && entry.GetProperty("count").GetInt64() == 30);
        });
    }

    private static string[] Users(JsonElement page) =>
        [.. page.GetProperty("users").EnumerateArray().Select(user => user.GetProperty("user_id").GetString()!)];

    /// <summary>The lists are folded behind the log, at most a second.</summary>
    private static async Task UntilAsync(Func<Task<bool>> condition)
    {
        using var giveUp = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while (!await condition())
        {
            giveUp.IsCancellationRequested.ShouldBeFalse("The lists did not catch up.");
            await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System);
        }
    }
}
