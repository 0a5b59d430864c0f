using System.Net;
using System.Text.Json;
using HeartGrains.Hearts;
using HeartGrains.Tests.Buttons;
using HeartGrains.Tests.Gateway;

namespace HeartGrains.Tests.Applause;

/// <summary>Bringing old counts over, over real HTTP.</summary>
[Collection(ButtonCollection.Name)]
public sealed class ApplauseImportTests(ButtonServer server)
{
    private readonly string _page = "blog.example.com/" + HeartClient.Fresh("post-");

    [Fact]
    public async Task Post_Dump_BecomesAnOpeningBalanceApartFromHearts()
    {
        var target = "applause:" + _page;
        await server.PostAsync("/applause/update-claps?url=" + _page, "1", HeartClient.Fresh("browser "));
        var before = (await server.Client.ReadAsync(target)).Headers.ETag;

        using var imported = await server.ImportAsync($$"""[{"url":"https://{{_page}}?x=1","claps":5000}]""");

        imported.StatusCode.ShouldBe(HttpStatusCode.OK);
        (await imported.Content.ReadAsStringAsync()).ShouldBe(
            $$"""{"set":1,"unchanged":0,"failed":0,"entries":[{"url":"https://{{_page}}?x=1","target_id":"{{target}}","opening":5000,"result":"set"}]}""");
        (await server.Client.GetAsync("/applause/get-claps?url=" + _page).TextAsync()).ShouldBe("5001");
        (await server.PostAsync("/applause/update-claps?url=" + _page, "1", HeartClient.Fresh("browser ")).TextAsync()).ShouldBe("5002");
        using var read = await server.Client.ReadAsync(target);
        (await read.Content.ReadAsStringAsync()).ShouldBe($$"""{"target_id":"{{target}}","count":2,"version":2,"opening":5000}""");
        (await server.Client.PostJsonAsync("/api/v1/hearts/query", JsonSerializer.Serialize(new { target_ids = new[] { target } })).TextAsync())
            .ShouldBe($$$"""{"hearts":[{"target_id":"{{{target}}}","count":2,"version":2,"opening":5000}]}""");
        before!.Tag.ShouldBe("\"1\"");
        read.Headers.ETag!.Tag.ShouldBe("\"2+5000\"");
    }

    [Fact]
    public async Task Get_OpeningSetSinceTheTag_IsNotCalledUnchanged()
    {
        var target = "applause:" + _page;
        await server.PostAsync("/applause/update-claps?url=" + _page, "1", HeartClient.Fresh("browser "));
        (await ReadAsync("\"1\"")).ShouldBe(HttpStatusCode.NotModified);

        await server.ImportAsync($$"""[{"url":"{{_page}}","claps":7}]""");

        (await ReadAsync("\"1\"")).ShouldBe(HttpStatusCode.OK);
        (await ReadAsync("W/\"1+7\"")).ShouldBe(HttpStatusCode.NotModified);
        (await ReadAsync("\"1+8\", \"+7\", \"1+07\"")).ShouldBe(HttpStatusCode.OK);

        async Task<HttpStatusCode> ReadAsync(string tags)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, $"{HeartClient.Hearts}?target_id={Uri.EscapeDataString(target)}");
            request.Headers.TryAddWithoutValidation("If-None-Match", tags);
            using var answer = await server.Client.SendAsync(request);
            return answer.StatusCode;
        }
    }

    [Fact]
    public async Task Post_DumpAgain_GivesTheSame()
    {
        var dump = JsonSerializer.Serialize(Enumerable.Range(0, 1_000).Select(i => new { url = $"https://{_page}/{i}", claps = i }));
        (await CountsAsync(dump)).ShouldBe((999, 1, 0));
        (await CountsAsync(dump)).ShouldBe((0, 1_000, 0));

        (await CountsAsync($$"""[{"url":"{{_page}}/7","claps":8},{"url":"{{_page}}/8","claps":0}]""")).ShouldBe((2, 0, 0));
        (await server.Client.GetAsync($"/applause/get-claps?url={_page}/7").TextAsync()).ShouldBe("8");
        (await server.Client.GetAsync($"/applause/get-claps?url={_page}/8").TextAsync()).ShouldBe("0");

        async Task<(int, int, int)> CountsAsync(string body)
        {
            var told = await server.ImportAsync(body).JsonAsync();
            return (told.GetProperty("set").GetInt32(), told.GetProperty("unchanged").GetInt32(), told.GetProperty("failed").GetInt32());
        }
    }

    [Fact]
    public async Task Post_BadEntries_AreNamedAndNothingIsStored()
    {
        using var refused = await server.ImportAsync(
            $$"""[{"url":"{{_page}}","claps":5},{"url":"","claps":1},{"url":"https://{{_page}}?again","claps":1},{"url":"a.example","claps":-1},{"url":"b.example"},{"claps":3},null]""");

        var problem = await refused.ShouldBeProblemAsync(400, "invalid-fields");
        problem.GetProperty("errors").EnumerateObject().Select(static error => error.Name)
            .ShouldBe(["[1].url", "[2].url", "[3].claps", "[4].claps", "[5].url", "[6].claps", "[6].url"]);
        (await server.Client.GetAsync("/applause/get-claps?url=" + _page).TextAsync()).ShouldBe("0");
    }

    [Fact]
    public async Task Post_WithoutTheOperatorsKey_IsRefused()
    {
        using var refused = await server.ImportAsync($$"""[{"url":"{{_page}}","claps":5}]""", key: null);
        await refused.ShouldBeProblemAsync(401, "credentials-required");
        (await server.Client.GetAsync("/applause/get-claps?url=" + _page).TextAsync()).ShouldBe("0");
    }

    [Fact]
    public async Task Post_SomeCannotBeStored_AreNamed()
    {
        await using var scripted = await ButtonServer.ScriptedAsync("Applause");
        scripted.Grains.Open = static (opening, _) => Task.FromResult(
            opening == 2 ? new OpeningReceipt(HeartOutcome.Unknown, false) : new OpeningReceipt(HeartOutcome.Committed, true));
        using var request = new HttpRequestMessage(HttpMethod.Post, "/api/v1/imports/applause");
        request.Headers.Add("Authorization", "Bearer " + ButtonServer.OperatorKey);
        request.Content = new StringContent("""[{"url":"a.example","claps":1},{"url":"b.example","claps":2}]""", null, "application/json");

        var told = await scripted.Client.SendAsync(request, TestContext.Current.CancellationToken).JsonAsync();

        told.GetProperty("failed").GetInt32().ShouldBe(1);
        told.GetProperty("entries").EnumerateArray().Select(static entry => entry.GetProperty("result").GetString()).ShouldBe(["set", "failed"]);
    }
}
