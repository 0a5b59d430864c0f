using System.Net.Http.Headers;
using System.Text;
using HeartGrains.Tests.Gateway;
using HeartGrains.Tests.Identity;

namespace HeartGrains.Tests.Moderation;

/// <summary>What operators' orders and questions are refused with, over real HTTP; nothing is stored, so that all share a server.</summary>
public sealed class ModerationRefusalTests(ModerationRefusalTests.Server server) : IClassFixture<ModerationRefusalTests.Server>
{
    private const string Key = "hg_an-operators-key-of-tests-0123456789";
    private const string Freeze = "/api/v1/admin/targets/freeze";
    private const string Block = "/api/v1/admin/users/block";
    private const string Quarantine = "/api/v1/admin/quarantine";
    private const string SomeId = "jAAAAAAAAAAAAAAAAAAAAAA";

    private HttpClient Client => server.Gateway.Client;

    [Theory]
    [InlineData("POST", Freeze)]
    [InlineData("POST", "/api/v1/admin/targets/unfreeze")]
    [InlineData("POST", "/api/v1/admin/targets/move")]
    [InlineData("POST", Block)]
    [InlineData("POST", "/api/v1/admin/users/unblock")]
    [InlineData("GET", "/api/v1/admin/users/blocks")]
    [InlineData("POST", Quarantine)]
    [InlineData("GET", Quarantine + "?id=" + SomeId)]
    [InlineData("POST", Quarantine + "/release")]
    [InlineData("POST", Quarantine + "/rollback")]
    [InlineData("GET", "/api/v1/explain?target_id=t&user_id=u")]
    public async Task Route_NoKey_Is401(string method, string path)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), path);
        if (method == "POST") request.Content = new StringContent("""{"target_id":"t","reason":"r"}""", Encoding.UTF8, "application/json");

        using var answer = await Client.SendAsync(request);

        await answer.ShouldBeProblemAsync(401, "credentials-required");
        answer.Headers.WwwAuthenticate.ToString().ShouldStartWith("Bearer");
    }

    [Theory]
    [InlineData(Freeze, """{"target_id":"t"}""", "invalid-fields", "reason")]
    [InlineData(Freeze, """{"target_id":"t","reason":"  "}""", "invalid-fields", "reason")]
    [InlineData(Freeze, """{"target_id":"t","reason":"two\nlines"}""", "invalid-fields", "reason")]
    [InlineData(Freeze, """{"target_id":"","reason":"r"}""", "invalid-fields", "target_id")]
    [InlineData(Freeze, """{"reason":"r"}""", "invalid-fields", "target_id")]
    [InlineData(Freeze, """{"target_id":"t","reason":"r","x":1}""", "invalid-json", "x")]
    [InlineData(Freeze, """{"target_id":"t","target_id":"t","reason":"r"}""", "invalid-json", null)]
    [InlineData(Freeze, """{"target_id":7,"reason":"r"}""", "invalid-json", "target_id")]
    [InlineData(Freeze, """{"target_id":"\ud800","reason":"r"}""", "invalid-json", null)]
    [InlineData(Freeze, "[]", "invalid-json", null)]
    [InlineData(Freeze, "null", "invalid-json", "body")]
    [InlineData("/api/v1/admin/targets/move", """{"from":"a","to":"a","reason":"r"}""", "invalid-fields", "to")]
    [InlineData("/api/v1/admin/targets/move", """{"from":"a","reason":"r"}""", "invalid-fields", "to")]
    [InlineData(Block, """{"user_id":"u","reason":"r"}""", "invalid-fields", "for")]
    [InlineData(Block, """{"user_id":"u","for":"1h","until":"2031-01-01T00:00:00Z","reason":"r"}""", "invalid-fields", "for")]
    [InlineData(Block, """{"user_id":"u","for":"0s","reason":"r"}""", "invalid-fields", "for")]
    [InlineData(Block, """{"user_id":"u","for":"4000d","reason":"r"}""", "invalid-fields", "for")]
    [InlineData(Block, """{"user_id":"u","until":"2001-01-01T00:00:00Z","reason":"r"}""", "invalid-fields", "until")]
    [InlineData(Block, """{"user_id":"u","until":"tomorrow at noon sharp","reason":"r"}""", "invalid-fields", "until")]
    [InlineData(Block, """{"user_id":"u","until":"2031-01-01T00:00:00","reason":"r"}""", "invalid-fields", "until")]
    [InlineData(Quarantine, """{"reason":"r"}""", "invalid-fields", "body")]
    [InlineData(Quarantine, """{"from":"2026-01-02T00:00:00Z","until":"2026-01-01T00:00:00Z","reason":"r"}""", "invalid-fields", "until")]
    [InlineData(Quarantine, """{"user_ids":[],"reason":"r"}""", "invalid-fields", "user_ids")]
    [InlineData(Quarantine, """{"user_ids":["a",null],"reason":"r"}""", "invalid-fields", "user_ids[1]")]
    [InlineData(Quarantine + "/release", """{"id":"x","reason":"r"}""", "invalid-fields", "id")]
    public async Task Order_NotAsItShouldBe_Is400AndSaysWhere(string path, string body, string code, string? field)
    {
        var problem = await (await PostAsync(path, body)).ShouldBeProblemAsync(400, code);

        if (field is not null) problem.GetProperty("errors").TryGetProperty(field, out _).ShouldBeTrue(problem.ToString());
    }

    [Fact]
    public async Task Quarantine_Unknown_Is404()
    {
        await (await GetAsync($"{Quarantine}?id={SomeId}")).ShouldBeProblemAsync(404, "not-found");
        await (await GetAsync($"{Quarantine}?id=short")).ShouldBeProblemAsync(400, "invalid-query");
        await (await PostAsync(Quarantine + "/release", $$"""{"id":"{{SomeId}}","reason":"r"}""")).ShouldBeProblemAsync(404, "not-found");
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

    /// <summary>A gateway with an operator's key.</summary>
    public sealed class Server : IAsyncLifetime
    {
        internal GatewayServer Gateway { get; } = new(TestKeys.Switches(Key));

        /// <inheritdoc/>
        public ValueTask InitializeAsync() => Gateway.InitializeAsync();

        /// <inheritdoc/>
        public ValueTask DisposeAsync() => Gateway.DisposeAsync();
    }
}
