using System.Net;
using System.Text.Json;
using HeartGrains.Hearts;
using HeartGrains.RateLimiting;
using HeartGrains.Tests.Buttons;
using HeartGrains.Tests.Gateway;

namespace HeartGrains.Tests.Applause;

/// <summary>The calls of applause-button, over real HTTP.</summary>
[Collection(ButtonCollection.Name)]
public sealed class ApplauseTests(ButtonServer server)
{
    private readonly string _address = "https://blog.example.com/" + HeartClient.Fresh("post-");
    private readonly string _reader = HeartClient.Fresh("browser ");

    private string Get => "/applause/get-claps?url=" + _address;

    private string Update => "/applause/update-claps?url=" + _address;

    [Theory]
    [InlineData("\"1,4.0.5\"")]
    [InlineData("\"3,4.0.5\"")]
    [InlineData("1")]
    [InlineData("1000")]
    [InlineData("-5")]
    public async Task UpdateClaps_AnyNumberOfClaps_IsOneHeartAndTheTotal(string body)
    {
        (await server.Client.GetAsync(Get).TextAsync()).ShouldBe("0");

        using var clapped = await server.PostAsync(Update, body, _reader, "text/plain");

        clapped.StatusCode.ShouldBe(HttpStatusCode.OK);
        clapped.ShouldBeOpenToEverybody().ProblemOf().ShouldBeNull();
        (await clapped.Content.ReadAsStringAsync()).ShouldBe("1");
        (await server.Client.GetAsync(Get).TextAsync()).ShouldBe("1");
        (await server.Client.ReadAsync("applause:" + _address["https://".Length..]).JsonAsync()).GetProperty("count").GetInt64().ShouldBe(1);
    }

    [Fact]
    public async Task UpdateClaps_OneReaderAgainAndAnother_RaisesTheTotalOnceEach()
    {
        (await server.PostAsync(Update, "1", _reader).TextAsync()).ShouldBe("1");
        (await server.PostAsync(Update, "1", _reader).TextAsync()).ShouldBe("1");
        (await server.PostAsync(Update, "1", HeartClient.Fresh("browser ")).TextAsync()).ShouldBe("2");
        (await server.PostAsync(Update, "1", _reader).TextAsync()).ShouldBe("2");
    }

    [Theory]
    [InlineData("")]
    [InlineData("clap")]
    [InlineData("\"clap\"")]
    [InlineData("[1]")]
    [InlineData("{}")]
    [InlineData("1 1")]
    public async Task UpdateClaps_NoNumber_IsTheTotalAsItIs(string body)
    {
        await server.PostAsync(Update, "1", HeartClient.Fresh("browser "));

        using var refused = await server.PostAsync(Update, body, _reader);

        (refused.StatusCode, await refused.Content.ReadAsStringAsync()).ShouldBe((HttpStatusCode.OK, "1"));
        refused.ShouldBeOpenToEverybody().ProblemOf().ShouldBe("bad-request");
    }

    [Fact]
    public async Task UpdateClaps_NoPage_IsZero()
    {
        (await server.PostAsync("/applause/update-claps", "1", _reader).TextAsync()).ShouldBe("0");
        (await server.PostAsync("/applause/update-claps?url=", "1", _reader).TextAsync()).ShouldBe("0");
        (await server.Client.GetAsync("/applause/get-claps").TextAsync()).ShouldBe("0");
    }

    [Fact]
    public async Task UpdateClaps_NoAddressGiven_CountsForTheCallingPage()
    {
        (await server.PostAsync("/applause/update-claps", "1", _reader, headers: ("Referer", _address + "?utm=1")).TextAsync()).ShouldBe("1");
        (await server.Client.GetAsync(Get).TextAsync()).ShouldBe("1");
    }

    [Fact]
    public async Task UpdateClaps_SiteWithoutAddressReaders_IsTheTotalAsItIs()
    {
        using var refused = await server.PostAsync("/applause/update-claps?url=closed.example/" + HeartClient.Fresh("p"), "1", _reader);
        (refused.StatusCode, await refused.Content.ReadAsStringAsync(), refused.ProblemOf()).ShouldBe((HttpStatusCode.OK, "0", "origin-not-allowed"));
    }

    [Fact]
    public async Task GetMultiple_SomeKnown_LeavesOutTheOthers()
    {
        await server.PostAsync(Update, "1", _reader);
        var addresses = new[] { _address + "?a=1", "https://blog.example.com/" + HeartClient.Fresh("unknown-"), "", _address };

        using var answer = await server.PostAsync("/applause/get-multiple", JsonSerializer.Serialize(addresses), _reader);

        (await answer.Content.ReadAsStringAsync()).ShouldBe($$"""[{"url":"{{_address}}?a=1","claps":1},{"url":"{{_address}}","claps":1}]""");
        answer.ShouldBeOpenToEverybody();
    }

    [Theory]
    [InlineData(0, 200)]
    [InlineData(100, 200)]
    [InlineData(101, 400)]
    public async Task GetMultiple_UpToAHundred_AreAnswered(int count, int status)
    {
        using var answer = await server.PostAsync("/applause/get-multiple", JsonSerializer.Serialize(Enumerable.Range(0, count).Select(i => $"https://unknown.example/{i}")), _reader);

        ((int)answer.StatusCode).ShouldBe(status);
        if (status == 200) (await answer.Content.ReadAsStringAsync()).ShouldBe("[]");
    }

    [Theory]
    [InlineData("")]
    [InlineData("{}")]
    [InlineData("[1]")]
    [InlineData("[\"a\"")]
    public async Task GetMultiple_NoList_IsRefused(string body)
    {
        using var refused = await server.PostAsync("/applause/get-multiple", body, _reader);
        refused.StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        refused.ShouldBeOpenToEverybody();
    }

    [Theory]
    [InlineData("OPTIONS", "update-claps", 200)]
    [InlineData("OPTIONS", "get-claps", 200)]
    [InlineData("GET", "update-claps", 405)]
    [InlineData("DELETE", "get-claps", 405)]
    public async Task AnyMethod_Call_IsAnsweredToEverybody(string method, string call, int status)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), "/applause/" + call);
        using var answer = await server.Client.SendAsync(request);
        ((int)answer.StatusCode).ShouldBe(status);
        answer.ShouldBeOpenToEverybody();
    }

    [Fact]
    public async Task UpdateClaps_QuotaSpent_IsTheTotalAsItIs()
    {
        await using var scripted = await ButtonServer.ScriptedAsync("Applause");
        scripted.Grains.Read = static (_, _) => Task.FromResult(new HeartState(HeartOutcome.Committed, 4, 5, false, 1_000));
        scripted.Grains.Acquire = static _ => Task.FromResult(new QuotaDecision(false, [new QuotaVerdict(false, 0, 1_000, 1_000)], default));

        using var refused = await scripted.Client.PostAsync("/applause/update-claps?url=a.example/b", new StringContent("1"), TestContext.Current.CancellationToken);

        (refused.StatusCode, await refused.Content.ReadAsStringAsync(TestContext.Current.CancellationToken), refused.ProblemOf()).ShouldBe((HttpStatusCode.OK, "1004", "quota-exceeded"));
    }

    [Fact]
    public async Task GetClaps_NobodyAnswers_IsWhatWasLastKnown()
    {
        await using var scripted = await ButtonServer.ScriptedAsync("Applause");
        scripted.Grains.Read = static (call, _) => Task.FromResult(
            call == 1 ? new HeartState(HeartOutcome.Committed, 4, 5, null, 1_000) : new HeartState(HeartOutcome.LedgerUnavailable, 0, 0, null));
        (await scripted.Client.GetAsync("/applause/get-claps?url=a.example/b", TestContext.Current.CancellationToken).TextAsync()).ShouldBe("1004");

        using var stale = await scripted.Client.GetAsync("/applause/get-claps?url=a.example/b", TestContext.Current.CancellationToken);
        (stale.StatusCode, await stale.Content.ReadAsStringAsync(TestContext.Current.CancellationToken), stale.ProblemOf()).ShouldBe((HttpStatusCode.OK, "1004", "unavailable"));
        using var clapped = await scripted.Client.PostAsync("/applause/update-claps?url=a.example/b", new StringContent("1"), TestContext.Current.CancellationToken);
        (clapped.StatusCode, await clapped.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)).ShouldBe((HttpStatusCode.OK, "1004"));
    }
}

/// <summary>What is not switched on.</summary>
[Collection(GatewayCollection.Name)]
public sealed class ButtonsOffTests(GatewayServer server)
{
    [Theory]
    [InlineData("/oh/blog.example.com/post")]
    [InlineData("/applause/get-claps?url=blog.example.com/post")]
    public async Task Get_NotConfigured_IsNotThere(string path)
    {
        using var answer = await server.Client.GetAsync(path, TestContext.Current.CancellationToken);
        await answer.ShouldBeProblemAsync(404, "not-found");
        answer.Headers.Contains("Access-Control-Allow-Origin").ShouldBeFalse();
    }
}
