using System.Net.Http.Headers;
using System.Text;
using HeartGrains.Tests.Gateway;
using HeartGrains.Tests.Identity;

namespace HeartGrains.Tests.Buttons;

/// <summary>A gateway with the buttons made elsewhere switched on.</summary>
public sealed class ButtonServer : IAsyncLifetime
{
    public const string OperatorKey = "an operator's key of tests";

    private readonly GatewayServer _server = new([
        "--HeartGrains:OpenHeart:Enabled=true", "--HeartGrains:OpenHeart:AddressReaders=soft, closed.example=off, strict.example=strict",
        "--HeartGrains:Applause:Enabled=true", "--HeartGrains:Applause:AddressReaders=soft, closed.example=off",
        "--HeartGrains:Sites=https://blog.example.com", "--HeartGrains:Auth:AllowClaimedUser=true", .. TestKeys.Switches(OperatorKey)]);

    /// <summary>Follows no redirect.</summary>
    public HttpClient Client { get; } = new(new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false });

    public Uri Url => _server.Url;

    public async ValueTask InitializeAsync()
    {
        await _server.InitializeAsync();
        Client.BaseAddress = Url;
    }

    public ValueTask DisposeAsync()
    {
        Client.Dispose();
        return _server.DisposeAsync();
    }

    /// <summary>A gateway with a button switched on and grains that do what a test says, tried once a call.</summary>
    internal static Task<ScriptedServer> ScriptedAsync(string button) => ScriptedServer.StartAsync(
        (button + ":Enabled", "true"), ("Readers:Secret", "a secret that only tests know, of some length"), ("Resilience:RetryLimit", "0"), ("Auth:Keys:0:Name", "operator"),
        ("Auth:Keys:0:Hash", TestKeys.HashOf(OperatorKey)), ("Auth:Keys:0:Scopes", "hearts:admin"));

    /// <summary>What a button sends whose reader is known by a browser of this name.</summary>
    internal Task<HttpResponseMessage> PostAsync(string path, string body, string reader, string contentType = "text/plain;charset=UTF-8", params (string Name, string Value)[] headers) =>
        PostAsync(path, Encoding.UTF8.GetBytes(body), reader, contentType, headers);

    internal async Task<HttpResponseMessage> PostAsync(string path, byte[] body, string reader, string contentType = "text/plain;charset=UTF-8", params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, path);
        request.Content = new ByteArrayContent(body);
        request.Content.Headers.TryAddWithoutValidation("Content-Type", contentType);
        request.Headers.TryAddWithoutValidation("User-Agent", reader);
        foreach (var (name, value) in headers) request.Headers.TryAddWithoutValidation(name, value);
        return await Client.SendAsync(request);
    }

    internal async Task<HttpResponseMessage> ImportAsync(string body, string? key = OperatorKey)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/api/v1/imports/applause");
        request.Content = new StringContent(body, Encoding.UTF8, "application/json");
        if (key is not null) request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", key);
        return await Client.SendAsync(request);
    }
}

[CollectionDefinition(Name)]
public sealed class ButtonCollection : ICollectionFixture<ButtonServer>
{
    public const string Name = "buttons";
}

/// <summary>What every answer to a button says.</summary>
internal static class ButtonAnswers
{
    public static async Task<string> TextAsync(this Task<HttpResponseMessage> pending)
    {
        using var answer = await pending;
        return await answer.Content.ReadAsStringAsync();
    }

    public static HttpResponseMessage ShouldBeOpenToEverybody(this HttpResponseMessage answer)
    {
        Header("Access-Control-Allow-Origin").ShouldBe("*");
        Header("Access-Control-Allow-Methods").ShouldBe("GET,POST");
        Header("Access-Control-Max-Age").ShouldBe("86400");
        answer.Headers.Contains("Access-Control-Allow-Credentials").ShouldBeFalse();
        return answer;

        string Header(string name) => answer.Headers.GetValues(name).ShouldHaveSingleItem();
    }

    /// <summary>The code of the problem that an answer names beside what its button understands; null for none.</summary>
    public static string? ProblemOf(this HttpResponseMessage answer) =>
        answer.Headers.TryGetValues("Heart-Problem", out var codes) ? codes.ShouldHaveSingleItem() : null;
}
