using System.Net.Http.Headers;
using System.Text;
using HeartGrains.Tests.Gateway;

namespace HeartGrains.Tests.Identity.Jwt;

/// <summary>A gateway that believes nobody without proof, and tokens of four signers, one of each algorithm.</summary>
public sealed class JwtServer : IAsyncLifetime
{
    public const string WriteKey = "hg_write-key-of-tests";
    public const string ReadKey = "hg_read-key-of-tests";
    public const string AdminKey = "hg_admin-key-of-tests";

    public JwtServer() => Gateway = new GatewayServer([.. SettingsOf(TestSigner.SetOf(Rsa, Ecdsa, Ed25519, Hmac)), "--HeartGrains:Auth:AllowClaimedUser=false", .. Keys]);

    internal static string[] Keys { get; } =
    [
        .. TestKeys.Switches(WriteKey, "hearts:write", "shop"), .. TestKeys.Switches(ReadKey, "hearts:read", "reports", 1), .. TestKeys.Switches(AdminKey, "hearts:admin", "operator", 2),
    ];

    internal static TestSigner Rsa { get; } = TestSigner.Rsa("rsa");

    internal static TestSigner Ecdsa { get; } = TestSigner.Ecdsa("ec");

    internal static TestSigner Ed25519 { get; } = TestSigner.Ed25519("ed");

    internal static TestSigner Hmac { get; } = TestSigner.Hmac("hmac", Encoding.UTF8.GetBytes("a secret of tests that has 256 bits and more"));

    internal GatewayServer Gateway { get; }

    internal static string[] SettingsOf(string keys, string algorithms = "RS256,ES256,EdDSA,HS256") =>
        [$"--HeartGrains:Auth:Jwt:Keys={keys}", $"--HeartGrains:Auth:Jwt:Issuer={TestSigner.Issuer}", $"--HeartGrains:Auth:Jwt:Audience={TestSigner.Audience}", $"--HeartGrains:Auth:Jwt:Algorithms={algorithms}"];

    public ValueTask InitializeAsync() => Gateway.InitializeAsync();

    public ValueTask DisposeAsync() => Gateway.DisposeAsync();
}

/// <summary>Calls with credentials.</summary>
internal static class BearerClient
{
    public static async Task<HttpResponseMessage> SendAsync(this HttpClient client, HttpMethod method, string path, string? bearer, string? body = null)
    {
        using var request = new HttpRequestMessage(method, path);
        if (bearer is not null) request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", bearer);
        if (body is not null) request.Content = new StringContent(body, Encoding.UTF8, "application/json");
        return await client.SendAsync(request);
    }

    /// <summary>Gives a heart as whoever the credentials say.</summary>
    public static Task<HttpResponseMessage> GiveWithAsync(this HttpClient client, string bearer, string target, string? user = null) =>
        client.SendAsync(HttpMethod.Post, HeartClient.Hearts, bearer, user is null ? $$"""{"target_id":"{{target}}"}""" : $$"""{"target_id":"{{target}}","user_id":"{{user}}"}""");
}
