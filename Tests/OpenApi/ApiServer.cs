using System.Net.Http.Headers;
using System.Text.Json.Nodes;
using HeartGrains.Tests.Gateway;
using HeartGrains.Tests.Identity;

namespace HeartGrains.Tests.OpenApi;

/// <summary>A gateway with everything on that the document describes.</summary>
public sealed class ApiServer : IAsyncLifetime
{
    /// <summary>Reaches everything.</summary>
    public const string AdminKey = "an operator's key of these tests";

    /// <summary>Reaches what reads.</summary>
    public const string ReadKey = "a reading server's key of these tests";

    /// <summary>Reaches what writes.</summary>
    public const string WriteKey = "a writing server's key of these tests";

    public ApiServer() : this([]) { }

    internal ApiServer(params string[] settings) => Gateway = new(
        [
            "--HeartGrains:OpenHeart:Enabled=true", "--HeartGrains:OpenHeart:AddressReaders=soft, closed.example=off", "--HeartGrains:Applause:Enabled=true",
            "--HeartGrains:Sites=https://blog.example.com", "--HeartGrains:Auth:AllowClaimedUser=true", "--HeartGrains:Webhooks:Endpoints:0:Name=crm", "--HeartGrains:Webhooks:Endpoints:0:Url=http://127.0.0.1:9/",
            "--HeartGrains:Webhooks:Endpoints:0:Secret=whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD", .. TestKeys.Switches(AdminKey), .. TestKeys.Switches(ReadKey, "hearts:read", "reads", 1),
            .. TestKeys.Switches(WriteKey, "hearts:write", "writes", 2), .. settings,
        ]);

    internal GatewayServer Gateway { get; }

    /// <summary>As a program is, not a browser: no cookies, no redirects.</summary>
    internal HttpClient Client { get; } = new(new SocketsHttpHandler { UseCookies = false, AllowAutoRedirect = false });

    internal DocumentedApi Api { get; private set; } = null!;

    /// <inheritdoc/>
    public async ValueTask InitializeAsync()
    {
        await Gateway.InitializeAsync();
        Client.BaseAddress = Gateway.Url;
        Api = new DocumentedApi(JsonNode.Parse(await Client.GetStringAsync("/openapi/v1.json"))!);
    }

    internal static AuthenticationHeaderValue Bearer(string key) => new("Bearer", key);

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await Gateway.DisposeAsync();
    }
}
