using System.Text;
using HeartGrains.Tests.Gateway;

namespace HeartGrains.Tests.Identity.Jwt;

/// <summary>A header that means to prove something, and holds nothing that could.</summary>
public sealed class BearerHeaderTests(JwtServer server) : IClassFixture<JwtServer>
{
    [Theory]
    [InlineData("Bearer")]
    [InlineData("bearer\thello")]
    [InlineData("Bearer:hello")]
    [InlineData("Basic dTpw,Bearer hello")]
    [InlineData("Basic dTpw, bearer")]
    public async Task Give_WithAHeaderThatIsNoToken_IsRefused(string header)
    {
        var target = HeartClient.Fresh("t");
        using var request = new HttpRequestMessage(HttpMethod.Post, HeartClient.Hearts) { Content = new StringContent($$"""{"target_id":"{{target}}"}""", Encoding.UTF8, "application/json") };
        request.Headers.TryAddWithoutValidation("Authorization", header);
        using var answer = await server.Gateway.Client.SendAsync(request, TestContext.Current.CancellationToken);
        await answer.ShouldBeProblemAsync(401, "invalid-token");
        (await server.Gateway.Client.ReadAsync(target).JsonAsync()).GetProperty("count").GetInt64().ShouldBe(0);
    }

    /// <summary>Kestrel reads headers as UTF-8, and refuses what is none before anybody sees it.</summary>
    [Theory]
    [InlineData("utf-8", 401)]
    [InlineData("latin1", 400)]
    public async Task Give_WithALetterBeyondAscii_IsRefusedByThisServiceOrBeforeIt(string encoding, int status)
    {
        using var client = new HttpClient(new SocketsHttpHandler { RequestHeaderEncodingSelector = (_, _) => Encoding.GetEncoding(encoding) });
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(server.Gateway.Url, "/api/v1/quota"));
        request.Headers.TryAddWithoutValidation("Authorization", "Bearer h\u00e9llo");
        using var answer = await client.SendAsync(request, TestContext.Current.CancellationToken);
        ((int)answer.StatusCode).ShouldBe(status);
        (answer.Content.Headers.ContentLength == 0).ShouldBe(status == 400);
    }
}
