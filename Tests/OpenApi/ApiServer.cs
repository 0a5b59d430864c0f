using System.Net.Http.Headers;
using System.Text.Json.Nodes;
using HeartGrains.Tests.Gateway;
using HeartGrains.Tests.Identity;
using Microsoft.Extensions.DependencyInjection;

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

    internal ApiServer(params string[] settings) : this(null, settings) { }

    internal ApiServer(Action<IServiceCollection>? configure, params string[] settings) => Gateway = new(
        [
            "--HeartGrains:OpenHeart:Enabled=true", "--HeartGrains:OpenHeart:AddressReaders=soft, closed.example=off", "--HeartGrains:Applause:Enabled=true",
            "--HeartGrains:Sites=https://blog.example.com", "--HeartGrains:Auth:AllowClaimedUser=true", "--HeartGrains:Webhooks:Endpoints:0:Name=crm", "--HeartGrains:Webhooks:Endpoints:0:Url=http://127.0.0.1:9/",
            "--HeartGrains:Webhooks:Endpoints:0:Secret=whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD", .. TestKeys.Switches(AdminKey), .. TestKeys.Switches(ReadKey, "hearts:read", "reads", 1),
            .. TestKeys.Switches(WriteKey, "hearts:write", "writes", 2), .. settings,
        ])
    { Configure = configure };

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

    /// <summary>Makes calls of every operation.</summary>
    internal async Task<List<ApiAnswer>> CallAllAsync(Func<DocumentedCall, IEnumerable<HttpRequestMessage>> requests)
    {
        var answers = new List<ApiAnswer>();
        foreach (var call in Api.Calls)
            foreach (var request in requests(call)) answers.Add(await CallAsync(Api, call, request));
        return answers;
    }

    /// <summary>Makes calls of every operation at once, so that they wait together.</summary>
    internal async Task<ApiAnswer[]> CallTogetherAsync(Func<DocumentedCall, IEnumerable<HttpRequestMessage>> requests) =>
        await Task.WhenAll(Api.Calls.SelectMany(call => requests(call).Select(request => CallAsync(Api, call, request))));

    /// <summary>Makes a call, and holds its answer against a document.</summary>
    internal async Task<ApiAnswer> CallAsync(DocumentedApi api, DocumentedCall call, HttpRequestMessage request)
    {
        using (request)
        {
            using var answer = await Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
            try
            {
                return new ApiAnswer(call.Id, (int)answer.StatusCode, await api.FaultsOfAsync(call, answer));
            }
            catch (HttpRequestException) when (call.Id == "exportUser")
            {
                // One that cannot go on is cut.
                return new ApiAnswer(call.Id, (int)answer.StatusCode, []);
            }
        }
    }

    internal static AuthenticationHeaderValue Bearer(string key) => new("Bearer", key);

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await Gateway.DisposeAsync();
    }
}
