using System.Net;
using System.Text;
using HeartGrains.Tests.Gateway;

namespace HeartGrains.Tests.Identity;

/// <summary>A <c>user_id</c> without proof, of pages and through proxies, as HTTP carries it.</summary>
public sealed class ClaimTests : IAsyncLifetime
{
    private readonly GatewayServer _local = new();
    private readonly GatewayServer _open = new("--HeartGrains:Auth:AllowClaimedUser=true");

    public async ValueTask InitializeAsync()
    {
        await _local.InitializeAsync();
        await _open.InitializeAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await _local.DisposeAsync();
        await _open.DisposeAsync();
    }

    [Theory]
    [InlineData("127.0.0.1", null, null, 201, 201)]
    [InlineData("127.0.0.1", "http://127.0.0.1:PORT", null, 201, 201)]
    [InlineData("localhost", "http://localhost:PORT", null, 201, 201)]

    // A page whose name was made to mean this machine.
    [InlineData("evil.example", "http://evil.example:PORT", null, 401, 403)]
    [InlineData("evil.example", null, null, 401, 201)]

    // A page of another origin.
    [InlineData("127.0.0.1", "https://evil.example", null, 403, 403)]
    [InlineData("127.0.0.1", "null", null, 403, 403)]

    // Through a proxy on this machine, which tells the name that it was called by, or that it is one.
    [InlineData("hearts.example.com", null, null, 401, 201)]
    [InlineData("127.0.0.1", null, "Via", 401, 201)]
    [InlineData("127.0.0.1", null, "X-Real-IP", 401, 201)]
    public async Task Give_UserWithoutProof_IsBelievedOfThisMachineAndNeverOfAForeignPage(string host, string? origin, string? header, int status, int statusWhereAllowed)
    {
        ((int)await GiveAsync(_local)).ShouldBe(status);
        ((int)await GiveAsync(_open)).ShouldBe(statusWhereAllowed);

        async Task<HttpStatusCode> GiveAsync(GatewayServer server)
        {
            using var request = Call(server, HttpMethod.Post, "/api/v1/hearts", host, origin, header);
            request.Content = new StringContent($$"""{"target_id":"{{HeartClient.Fresh("t")}}","user_id":"u"}""", Encoding.UTF8, "application/json");
            using var answer = await server.Client.SendAsync(request);
            return answer.StatusCode;
        }
    }

    [Theory]
    [InlineData("127.0.0.1", null, 200, 200)]
    [InlineData("evil.example", null, 401, 200)]
    [InlineData("evil.example", "http://evil.example:PORT", 401, 401)]
    [InlineData("127.0.0.1", "https://evil.example", 401, 401)]
    public async Task Read_OfUsersWithoutProof_IsForThisMachineAndNeverForAForeignPage(string host, string? origin, int status, int statusWhereAllowed)
    {
        foreach (var path in (string[])["/api/v1/hearts/users?target_id=t", "/api/v1/hearts?target_id=t&user_id=u", "/api/v1/quota?user_id=u"])
        {
            ((int)await ReadAsync(_local, path)).ShouldBe(status, path);
            ((int)await ReadAsync(_open, path)).ShouldBe(statusWhereAllowed, path);
        }

        async Task<HttpStatusCode> ReadAsync(GatewayServer server, string path)
        {
            using var request = Call(server, HttpMethod.Get, path, host, origin, null);
            using var answer = await server.Client.SendAsync(request);
            return answer.StatusCode;
        }
    }

    private static HttpRequestMessage Call(GatewayServer server, HttpMethod method, string path, string host, string? origin, string? header)
    {
        var request = new HttpRequestMessage(method, path);
        request.Headers.Host = $"{host}:{server.Url.Port}";
        if (origin is not null) request.Headers.TryAddWithoutValidation("Origin", origin.Replace("PORT", server.Url.Port.ToString(System.Globalization.CultureInfo.InvariantCulture), StringComparison.Ordinal));
        if (header is not null) request.Headers.TryAddWithoutValidation(header, "1.1 proxy");
        return request;
    }
}
