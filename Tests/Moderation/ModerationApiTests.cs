using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using HeartGrains.Tests.Gateway;
using HeartGrains.Tests.Identity;

namespace HeartGrains.Tests.Moderation;

/// <summary>Operators' orders and questions, over real HTTP.</summary>
public sealed class ModerationApiTests : IAsyncLifetime
{
    private const string Key = "hg_an-operators-key-of-tests-0123456789";
    private const string Freeze = "/api/v1/admin/targets/freeze";
    private const string Block = "/api/v1/admin/users/block";
    private const string Quarantine = "/api/v1/admin/quarantine";

    private readonly GatewayServer _server = new(TestKeys.Switches(Key));

    private HttpClient Client => _server.Client;

    public ValueTask InitializeAsync() => _server.InitializeAsync();

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Fact]
    public async Task Freeze_Target_RefusesHeartsAndReadsOn()
    {
        await Client.GiveAsync("t", "ann");

        var frozen = await (await PostAsync(Freeze, """{"target_id":"t","reason":"votes are counted"}""")).JsonAsync();

        frozen.ToString().ShouldBe("""{"target_id":"t","frozen":true,"moved_to":null,"changed":true}""");
        (await (await PostAsync(Freeze, """{"target_id":"t","reason":"again"}""")).JsonAsync()).GetProperty("changed").GetBoolean().ShouldBeFalse();
        await (await Client.GiveAsync("t", "ben")).ShouldBeProblemAsync(409, "target-frozen");
        await (await Client.WithdrawAsync("t", "ann")).ShouldBeProblemAsync(409, "target-frozen");
        (await Client.ReadAsync("t", "ann").JsonAsync()).GetProperty("hearted").GetBoolean().ShouldBeTrue();
        (await PostAsync("/api/v1/admin/targets/unfreeze", """{"target_id":"t","reason":"over"}""")).StatusCode.ShouldBe(HttpStatusCode.OK);
        (await Client.GiveAsync("t", "ben")).StatusCode.ShouldBe(HttpStatusCode.Created);
    }

    [Fact]
    public async Task Block_User_RefusesGivingWithTheTimeAndIsListed()
    {
        await Client.GiveAsync("t", "ann");

        var blocked = await (await PostAsync(Block, """{"user_id":"ann","for":"2h","reason":"sells hearts"}""")).JsonAsync();

        blocked.GetProperty("blocked").GetBoolean().ShouldBeTrue();
        var until = blocked.GetProperty("until").GetDateTimeOffset();
        (until - TimeProvider.System.GetUtcNow()).TotalMinutes.ShouldBeInRange(100, 121);
        var problem = await (await Client.GiveAsync("other", "ann")).ShouldBeProblemAsync(403, "user-blocked");
        (problem.GetProperty("until").GetDateTimeOffset() - until).Duration().ShouldBeLessThan(TimeSpan.FromSeconds(1));
        (await Client.WithdrawAsync("t", "ann")).StatusCode.ShouldBe(HttpStatusCode.OK);
        await PostAsync(Block, """{"user_id":"ben","until":"2031-01-31T12:00:00+01:00","reason":"too"}""");
        var page = await (await GetAsync("/api/v1/admin/users/blocks?limit=1")).JsonAsync();
        var listed = page.GetProperty("blocks").EnumerateArray().Single();
        (listed.GetProperty("user_id").GetString(), listed.GetProperty("reason").GetString(), listed.GetProperty("actor").GetString()).ShouldBe(("ann", "sells hearts", "key:operator"));
        page = await (await GetAsync($"/api/v1/admin/users/blocks?limit=1&cursor={page.GetProperty("next_cursor").GetString()}")).JsonAsync();
        page.GetProperty("blocks").EnumerateArray().Single().GetProperty("until").GetString().ShouldBe("2031-01-31T11:00:00.000000Z");
        page.GetProperty("next_cursor").ValueKind.ShouldBe(JsonValueKind.Null);
        await (await GetAsync("/api/v1/admin/users/blocks?cursor=zzz")).ShouldBeProblemAsync(400, "invalid-cursor");

        (await PostAsync("/api/v1/admin/users/unblock", """{"user_id":"ann","reason":"a mistake"}""")).StatusCode.ShouldBe(HttpStatusCode.OK);
        (await Client.GiveAsync("other", "ann")).StatusCode.ShouldBe(HttpStatusCode.Created);
    }

    [Fact]
    public async Task Move_ToTwoTargetsAtOnce_IsDoneToOneAndTheOtherIsRefused()
    {
        await Parallel.ForAsync(0, 300, async (user, _) => await Client.GiveAsync("from", $"u{user}"));

        var answers = await Task.WhenAll(((string[])["x", "y"]).Select(async to =>
            (to, answer: await PostAsync("/api/v1/admin/targets/move", $$"""{"from":"from","to":"{{to}}","reason":"a new name"}"""))));

        var (reached, done) = answers.Single(static move => move.answer.IsSuccessStatusCode);
        (await done.JsonAsync()).GetProperty("to").GetString().ShouldBe(reached);
        await answers.Single(static move => !move.answer.IsSuccessStatusCode).answer.ShouldBeProblemAsync(409, "target-moved");
        (await Client.ReadAsync("from").JsonAsync()).GetProperty("count").GetInt32().ShouldBe(300);
    }

    [Fact]
    public async Task Move_Target_OldNameAnswersForTheNewOne()
    {
        foreach (var user in (string[])["ann", "ben"]) await Client.GiveAsync("old", user);
        await Client.GiveAsync("new", "ben");

        var moved = await (await PostAsync("/api/v1/admin/targets/move", """{"from":"old","to":"new","reason":"a new address"}""")).JsonAsync();

        (moved.GetProperty("state").GetString(), moved.GetProperty("to").GetString(), moved.GetProperty("moved").GetInt64()).ShouldBe(("done", "new", 2));
        var read = await Client.ReadAsync("old", "ann").JsonAsync();
        (read.GetProperty("target_id").GetString(), read.GetProperty("count").GetInt64(), read.GetProperty("hearted").GetBoolean()).ShouldBe(("old", 2, true));
        (await Client.GetAsync("/api/v1/hearts/users?target_id=old").JsonAsync()).GetProperty("users").GetArrayLength().ShouldBe(2);
        await (await PostAsync("/api/v1/admin/targets/move", """{"from":"new","to":"old","reason":"back"}""")).ShouldBeProblemAsync(409, "move-cycle");
        await (await PostAsync("/api/v1/admin/targets/move", """{"from":"old","to":"third","reason":"on"}""")).ShouldBeProblemAsync(409, "target-moved");
        var refused = await (await PostAsync(Quarantine, """{"target_id":"old","reason":"a farm"}""")).ShouldBeProblemAsync(409, "target-moved");
        refused.GetProperty("detail").GetString()!.ShouldContain("new");
        (await Client.ReadAsync("new").JsonAsync()).GetProperty("count").GetInt64().ShouldBe(2);
    }

    [Fact]
    public async Task Quarantine_HeldAndReleased_CountsFollow()
    {
        foreach (var user in (string[])["ann", "ben", "cid"]) await Client.GiveAsync("t", user);

        var held = await (await PostAsync(Quarantine, """{"target_id":"t","user_ids":["ann","ben"],"reason":"a farm"}""")).JsonAsync();

        var id = held.GetProperty("id").GetString();
        (held.GetProperty("state").GetString(), held.GetProperty("held").GetInt64()).ShouldBe(("held", 2));
        (await Client.ReadAsync("t").JsonAsync()).GetProperty("count").GetInt64().ShouldBe(1);
        var explained = await (await GetAsync("/api/v1/explain?target_id=t&user_id=ann")).JsonAsync();
        (explained.GetProperty("heart").GetProperty("hearted").GetBoolean(), explained.GetProperty("heart").GetProperty("quarantine").GetString()).ShouldBe((false, id));
        var order = $$"""{"id":"{{id}}","reason":"they were friends"}""";
        var released = await (await PostAsync(Quarantine + "/release", order)).JsonAsync();
        (released.GetProperty("state").GetString(), released.GetProperty("released").GetInt64(), released.GetProperty("held").GetInt64()).ShouldBe(("released", 2, 0));
        (await Client.ReadAsync("t").JsonAsync()).GetProperty("count").GetInt64().ShouldBe(3);
        (await PostAsync(Quarantine + "/release", order)).StatusCode.ShouldBe(HttpStatusCode.OK);
        await (await PostAsync(Quarantine + "/rollback", order)).ShouldBeProblemAsync(409, "quarantine-state");
        var read = await (await GetAsync($"{Quarantine}?id={id}")).JsonAsync();
        (read.GetProperty("state").GetString(), read.GetProperty("users").GetInt32(), read.GetProperty("released").GetInt64()).ShouldBe(("released", 2, 2));
    }

    [Fact]
    public async Task Explain_Pair_TellsHeartEventsQuotasAndWhereThingsAre()
    {
        var given = await Client.GiveAsync("t", "ann").JsonAsync();
        await PostAsync(Freeze, """{"target_id":"t","reason":"votes are counted"}""");

        var told = await (await GetAsync("/api/v1/explain?target_id=t&user_id=ann")).JsonAsync();

        told.GetProperty("unknown").GetArrayLength().ShouldBe(0, told.ToString());
        var heart = told.GetProperty("heart");
        (heart.GetProperty("hearted").GetBoolean(), heart.GetProperty("since").GetString()).ShouldBe((true, given.GetProperty("timestamp").GetString()));
        var happened = heart.GetProperty("event");
        (happened.GetProperty("kind").GetString(), happened.GetProperty("actor").GetString(), happened.GetProperty("cause").GetString()).ShouldBe(("given", "claimed", "user"));
        happened.GetProperty("id").GetString()!.ShouldMatch("^e[A-Za-z0-9_-]{32}$");
        (told.GetProperty("target").GetProperty("frozen").GetBoolean(), told.GetProperty("target").GetProperty("reason").GetString()).ShouldBe((true, "votes are counted"));
        told.GetProperty("user").GetProperty("blocked").GetBoolean().ShouldBeFalse();
        told.GetProperty("quotas").GetArrayLength().ShouldBeGreaterThan(0);
        told.GetProperty("grain").GetProperty("address").GetString()!.ShouldContain("127.0.0.1");
        told.GetProperty("breakers").EnumerateArray().Select(breaker => breaker.GetProperty("name").GetString()).ShouldContain("hearts");
        told.GetProperty("ledger").GetProperty("fold_lag_seconds").GetDouble().ShouldBe(0);
    }

    private async Task<HttpResponseMessage> PostAsync(string path, string body)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, path);
        request.Content = new StringContent(body, Encoding.UTF8, "application/json");
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", Key);
        return await Client.SendAsync(request);
    }

    private async Task<HttpResponseMessage> GetAsync(string path)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", Key);
        return await Client.SendAsync(request);
    }
}
